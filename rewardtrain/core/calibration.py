"""How far a reward model's probabilities can be taken at their word.

A decided pair with margin d = r_better - r_worse was called with confidence sigmoid(|d|), and
rightly where d > 0. Calibration error at these sample sizes is mostly chance, so it always stands
beside what a perfectly calibrated model with the same confidences would show.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from rewardtrain.core.metrics import wilson

BINS = 10
SIMULATIONS = 1000
Margins = np.ndarray
"""(N,) margins of decided pairs."""


def confidence_of(margins: Margins) -> np.ndarray:
    """sigmoid(|d|), from one half to 1."""
    return 1 / (1 + np.exp(-np.abs(margins)))


def hits_of(margins: Margins) -> np.ndarray:
    """1 where the preferred one scored higher, one half where both scored the same."""
    return np.where(margins > 0, 1.0, np.where(margins == 0, 0.5, 0.0))


def bin_of(confidence: np.ndarray) -> np.ndarray:
    """Which of BINS equal parts of [1/2, 1] each confidence lies in."""
    return np.minimum(((confidence - 0.5) * 2 * BINS).astype(int), BINS - 1)


def calibration_error(confidence: np.ndarray, hits: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Expected calibration error, sum over bins of |hits - confidence| by weight (Naeini et al.
    2015, "Obtaining well calibrated probabilities using Bayesian binning").

    hits (..., N): leading dimensions are kept, for many draws at once.
    """
    place = np.eye(BINS)[bin_of(confidence)]
    gap = ((hits - confidence) * weight) @ place
    return np.abs(gap).sum(axis=-1) / weight.sum()


def perfect_error(
    confidence: np.ndarray, weight: np.ndarray, *, seed: int = 0
) -> tuple[float, float]:
    """Mean and 95th percentile of the calibration error that chance alone gives: hits drawn with
    just the confidences' probabilities."""
    draw = np.random.default_rng(seed)
    hits = (draw.random((SIMULATIONS, len(confidence))) < confidence).astype(float)
    errors = calibration_error(confidence, hits, weight)
    return float(errors.mean()), float(np.quantile(errors, 0.95))


def nll_of(margins: Margins, weight: np.ndarray) -> float:
    """Mean of -log sigmoid(d), in nats."""
    return float((np.logaddexp(0, -margins) * weight).sum() / weight.sum())


def temperature_of(margins: Margins, weight: np.ndarray) -> float:
    """The T that makes sigmoid(d / T) likeliest (Guo et al. 2017, arXiv:1706.04599), from 1/20 to
    20."""
    found = minimize_scalar(
        lambda t: nll_of(margins / math.exp(t), weight),
        bounds=(-math.log(20), math.log(20)),
        method="bounded",
    )
    return float(math.exp(found.x))


def cross_fitted(
    margins: Margins, weight: np.ndarray, groups: Sequence[str]
) -> tuple[np.ndarray, float]:
    """Margins over a temperature that was fitted to the other half of the groups, and the
    temperature fitted to all. Unchanged where there are no two groups."""
    halves = {name: i % 2 for i, name in enumerate(sorted(set(groups)))}
    half = np.array([halves[name] for name in groups])
    scaled = margins.copy()
    if len(halves) > 1:
        for side in (0, 1):
            other = half != side
            scaled[~other] = margins[~other] / temperature_of(margins[other], weight[other])
    return scaled, temperature_of(margins, weight)


def calibration(margins: Margins, weight: np.ndarray, groups: Sequence[str]) -> dict[str, Any]:
    """Everything of calibration that the report says, of N > 0 pairs.

    weight (N,): a comparison's pairs share 1. groups: the thread root of each pair.

    Returns:
        {pairs, error, perfect, perfect_high, nll, temperature, scaled, bins}: `perfect` is what a
        perfectly calibrated model would show by chance, `perfect_high` what it exceeds once in 20
        times; `scaled` holds the same four figures over the cross-fitted temperature. Each bin has
        its confidence, share right with interval, and n; empty ones are left out.
    """
    scaled, temperature = cross_fitted(margins, weight, groups)
    return {
        "pairs": len(margins),
        **_said(margins, weight),
        "temperature": temperature,
        "scaled": _said(scaled, weight),
        "bins": _bins(confidence_of(margins), hits_of(margins), weight),
    }


def _said(margins: Margins, weight: np.ndarray) -> dict[str, float]:
    confidence = confidence_of(margins)
    perfect, perfect_high = perfect_error(confidence, weight)
    return {
        "error": float(calibration_error(confidence, hits_of(margins), weight)),
        "perfect": perfect,
        "perfect_high": perfect_high,
        "nll": nll_of(margins, weight),
    }


def _bins(confidence: np.ndarray, hits: np.ndarray, weight: np.ndarray) -> list[dict[str, Any]]:
    places = bin_of(confidence)
    bins = []
    for place in range(BINS):
        here = places == place
        mass = float(weight[here].sum())
        if mass == 0:
            continue
        right = float((hits * weight)[here].sum())
        low, high = wilson(right, mass)
        bins.append(
            {
                "n": round(mass, 2),
                "confidence": float((confidence * weight)[here].sum() / mass),
                "right": right / mass,
                "low": low,
                "high": high,
            }
        )
    return bins
