"""Checks that a program can make of an answer: what they are, and whether an answer passes.

Neither room owns them: `annotation` takes them in with a prompt, training pays for passing them.
"""
