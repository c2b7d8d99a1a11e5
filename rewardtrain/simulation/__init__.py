"""The whole circle turned by simulated people, on the real parts, for its figures.

Simulated labelers answer through the same HTTP addresses as people, real worker processes run the
same tasks and scripts. What they like is rewardtrain/demo/taste.py, with noise; no training path
reads it. Simulated projects, members and answers are marked so on every row.
"""
