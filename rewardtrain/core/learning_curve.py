"""What more labels would bring: accuracy against labels, and how far it can be drawn on.

Accuracy is taken as a - b / n^c. Three to five noisy points cannot tell c, so it is drawn anew in
each simulation from the range in which such exponents are found; the interval holds what the
points' chance and this ignorance leave open, not a change of the people or the prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

EXPONENTS = (0.25, 1.0)
SIMULATIONS = 2000
FRACTIONS = (0.125, 0.25, 0.5)
"""Of the training labels, that smaller fits learn from."""
LEAST_LABELS = 20
"""Below these a fit says nothing."""


@dataclass(frozen=True)
class Point:
    """The accuracy of a fit to so many labels on n comparisons it did not see."""

    labels: int
    n: int
    accuracy: float


def extrapolate(points: Sequence[Point], more: int, *, seed: int = 0) -> dict[str, Any] | None:
    """{more, gain, low, high}: what `more` labels beyond the last point are expected to bring.

    None with fewer than three points: two always lie on a curve.
    """
    judged = [point for point in points if point.n]
    if len(judged) < 3:
        return None
    labels = np.array([point.labels for point in judged], dtype=float)
    n = np.array([point.n for point in judged], dtype=float)
    # With a success and a failure added: at 100 % the normal interval would have no width.
    share = (np.array([point.accuracy for point in judged]) * n + 1) / (n + 2)
    error = np.sqrt(share * (1 - share) / n)
    draw = np.random.default_rng(seed)
    seen = np.array([point.accuracy for point in judged]) + error * draw.normal(
        size=(SIMULATIONS, len(judged))
    )
    exponents = draw.uniform(*EXPONENTS, size=SIMULATIONS)
    gains = _gains(labels, seen, error, exponents, more)
    low, middle, high = np.quantile(gains, [0.025, 0.5, 0.975])
    return {"more": more, "gain": float(middle), "low": float(low), "high": float(high)}


def _gains(
    labels: np.ndarray, seen: np.ndarray, error: np.ndarray, exponents: np.ndarray, more: int
) -> np.ndarray:
    """By weighted least squares in x = n^-c, a simulation a row; more labels never do harm."""
    x = labels ** -exponents[:, None]
    weight = error**-2.0 / (error**-2.0).sum()
    away = x - (weight * x).sum(axis=1, keepdims=True)
    slope = -(weight * away * seen).sum(axis=1) / (weight * away**2).sum(axis=1)
    last = labels.max()
    return np.maximum(0.0, slope) * (last**-exponents - (last + more) ** -exponents)


def round_step(labels: int) -> int:
    """About as many again as there are, in one digit: 240 gives 200, 1,730 gives 2,000."""
    power = 10 ** max(1, len(str(labels)) - 1)
    return max(power, round(labels / power) * power)
