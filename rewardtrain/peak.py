"""Where what people think of a policy turns, along the distance from the reference.

Gao, Schulman & Hilton 2022 (arXiv:2210.10760, equation 2): for RL the true reward over
d = sqrt(KL) follows d (alpha - beta log d), and for best-of-n d (alpha - beta d). The true reward
here is the log-odds with which people prefer the policy to the reference.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rewardtrain.arena import WinRate

ENOUGH = 4
"""Points; two parameters go through any two."""


def fit(points: Sequence[tuple[float | None, WinRate | None]]) -> dict[str, Any] | None:
    """alpha, beta and the d of the highest value, by least squares weighted with what each rate's
    answers say; None with fewer than ENOUGH points that have answers."""
    known = [(math.sqrt(kl), rate) for kl, rate in points if kl and kl > 0 and rate and rate.n]
    if len(known) < ENOUGH:
        return None
    d = np.array([distance for distance, _ in known])
    # One answer for and one against keep the odds of a policy that never lost finite.
    shares = np.array([(rate.value * rate.n + 1) / (rate.n + 2) for _, rate in known])  # type: ignore[operator]
    odds = np.log(shares / (1 - shares))
    weight = np.sqrt(np.array([rate.n for _, rate in known]) * shares * (1 - shares))
    causes = np.stack([d, -d * np.log(d)], axis=1)
    (alpha, beta), *_ = np.linalg.lstsq(causes * weight[:, None], odds * weight, rcond=None)
    highest = math.exp(min(alpha / beta - 1, 50.0)) if beta > 0 else None
    return {"alpha": float(alpha), "beta": float(beta), "peak": highest}
