"""A KL coefficient that holds the policy at a distance."""

GAIN = 0.1
"""K_beta of the paper."""
MOST = 0.2
"""An error counts for at most so much, so that one odd step moves little."""


def adapted(beta: float, kl: float, target: float) -> float:
    """The coefficient after a step whose samples lay `kl` nats from the reference.

    e = clip((KL - target) / target, -0.2, 0.2); beta' = beta (1 + K e) (Ziegler et al. 2019,
    arXiv:1909.08593, section 2.2). Theirs is a noisy estimate of the KL, ours exact.
    """
    error = max(-MOST, min(MOST, (kl - target) / target))
    return beta * (1 + GAIN * error)
