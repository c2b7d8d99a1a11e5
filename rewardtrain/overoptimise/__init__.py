"""How much true score fine-tuning on a learnt reward keeps, with a guard and without one.

Only the simulated labelers of a setting see its true score. `bin/manage overoptimise` runs the arms
of every seed; docs/training.md says what they are and what came out.
"""
