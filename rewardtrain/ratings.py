"""How strong policies are by all their meetings at once (Bradley & Terry 1952), at equal length.

People like long answers, so length can be held equal as length-controlled AlpacaEval does (Dubois
et al. 2024, arXiv:2404.04475): the difference in length is one more cause of a preference, whose
share is fitted and left out of the ratings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PRIOR_SPREAD = 2.0
"""Of ratings, in nats: a policy that won all of three meetings is not infinitely strong."""
MOST_STEPS = 50


@dataclass(frozen=True)
class Duel:
    """One answered meeting: `score` is 1 where `first` won, 1/2 for a tie; `longer` is how many
    characters its text had more."""

    first: int
    second: int
    score: float
    longer: int = 0


@dataclass(frozen=True)
class Ratings:
    """Log-odds of beating `base`, with their standard errors, and of being longer by one spread of
    the differences in length (None where length was not held equal)."""

    value: dict[int, float]
    error: dict[int, float]
    length: float | None


def rate(duels: Sequence[Duel], base: int, *, equal_length: bool = False) -> Ratings:
    """The most likely ratings under a normal prior, `base` at 0; ties count half a win.

    P(first beats second) = sigma(r_first - r_second + c * tanh(longer / spread)).
    """
    names = sorted({name for duel in duels for name in (duel.first, duel.second)} - {base})
    place = {name: i for i, name in enumerate(names)}
    causes = np.zeros((len(duels), len(names) + equal_length))
    for row, duel in zip(causes, duels, strict=True):
        for name, sign in ((duel.first, 1.0), (duel.second, -1.0)):
            if name in place:
                row[place[name]] += sign
    if equal_length:
        longer = np.array([duel.longer for duel in duels], float)
        causes[:, -1] = np.tanh(longer / (np.sqrt(np.mean(longer**2)) or 1.0))
    weights, errors = _fit(causes, np.array([duel.score for duel in duels], float))
    return Ratings(
        value={name: float(weights[i]) for name, i in place.items()},
        error={name: float(errors[i]) for name, i in place.items()},
        length=float(weights[-1]) if equal_length else None,
    )


def _fit(causes: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method on the penalised log-likelihood; weights and standard errors."""
    weights = np.zeros(causes.shape[1])
    prior = np.eye(len(weights)) / PRIOR_SPREAD**2
    curvature = prior
    for _ in range(MOST_STEPS):
        p = 1 / (1 + np.exp(-causes @ weights))
        slope = causes.T @ (scores - p) - prior @ weights
        curvature = (causes.T * (p * (1 - p))) @ causes + prior
        step = np.linalg.solve(curvature, slope)
        weights = weights + step
        if np.abs(step).max(initial=0) < 1e-9:
            break
    return weights, np.sqrt(np.diag(np.linalg.inv(curvature)))
