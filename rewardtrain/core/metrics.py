"""Figures with their intervals. Every interval is at 95 %."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rewardtrain.core.losses import Pair

Z = 1.959964


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion; ties may count one half (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Judged:
    """How a reward model did on one decided comparison, each a mean over its decided pairs."""

    accuracy: float
    nll: float
    """-log P(the preferred one wins), in nats; ln 2 = 0.693 is a coin's."""
    margins: list[float]
    """The preferred one's score less the other's, of each decided pair."""

    @property
    def probability(self) -> float:
        """P(the preferred one wins), the mean over the pairs."""
        return sum(0.5 + 0.5 * math.tanh(m / 2) for m in self.margins) / len(self.margins)


def judge(scores: Sequence[float], pairs: Sequence[Pair]) -> Judged:
    """Accuracy (equal scores count one half) and NLL of `scores` on decided `pairs`."""
    margins = [scores[better] - scores[worse] for better, worse, _ in pairs]
    hits = [1.0 if m > 0 else 0.5 if m == 0 else 0.0 for m in margins]
    # log(1 + e^-m) without overflow.
    losses = [max(-m, 0.0) + math.log1p(math.exp(-abs(m))) for m in margins]
    return Judged(sum(hits) / len(hits), sum(losses) / len(losses), margins)


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """{n, accuracy, low, high, nll}; all None but n when there was nothing to judge."""
    n = len(judged)
    if n == 0:
        return {"n": 0, "accuracy": None, "low": None, "high": None, "nll": None}
    hits = sum(j.accuracy for j in judged)
    low, high = wilson(hits, n)
    nll = sum(j.nll for j in judged) / n
    return {"n": n, "accuracy": hits / n, "low": low, "high": high, "nll": nll}


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation; the latter at least a millionth, to divide by."""
    return float(np.mean(values)), max(1e-6, float(np.std(values)))


def mean_figure(values: Sequence[float]) -> dict[str, Any]:
    """{n, mean, low, high} with the normal interval of a mean; None where n is too small."""
    n = len(values)
    if n == 0:
        return {"n": 0, "mean": None, "low": None, "high": None}
    mean = float(np.mean(values))
    if n == 1:
        return {"n": 1, "mean": mean, "low": None, "high": None}
    half = Z * float(np.std(values, ddof=1)) / math.sqrt(n)
    return {"n": n, "mean": mean, "low": mean - half, "high": mean + half}


def share_figure(successes: float, n: int) -> dict[str, Any]:
    """{n, mean, low, high} of a proportion of n > 0, with Wilson's interval."""
    low, high = wilson(successes, n)
    return {"n": n, "mean": successes / n, "low": low, "high": high}


def paired_bootstrap(
    differences: Sequence[float], *, seed: int = 0, resamples: int = 10_000
) -> dict[str, Any]:
    """{n, difference, low, high}: percentile bootstrap of a mean of paired differences."""
    n = len(differences)
    if n == 0:
        return {"n": 0, "difference": None, "low": None, "high": None}
    values = np.asarray(differences, dtype=np.float64)
    draw = np.random.default_rng(seed)
    # In slices, so that thousands of pairs do not need a table of resamples x pairs.
    means = np.concatenate(
        [values[draw.integers(0, n, size=(500, n))].mean(axis=1) for _ in range(resamples // 500)]
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "n": n,
        "difference": float(values.mean()),
        "low": float(low),
        "high": float(high),
    }


def paired_shares(differences: Sequence[float]) -> dict[str, Any]:
    """{n, difference, low, high}: of two shares on the same n cases, from what each case adds to
    the one (1, or a half) or takes from it.

    Agresti and Min 2005's interval, with half a case more in each cell of the table. Unlike a
    bootstrap's it has a width where a few cases do not differ at all.
    """
    n = len(differences)
    if n == 0:
        return {"n": 0, "difference": None, "low": None, "high": None}
    more = sum(d for d in differences if d > 0)
    less = -sum(d for d in differences if d < 0)
    cases, apart = n + 2, more - less
    half = Z * math.sqrt(more + less + 1 - apart**2 / cases) / cases
    middle = apart / cases
    return {
        "n": n,
        "difference": apart / n,
        "low": max(-1.0, middle - half),
        "high": min(1.0, middle + half),
    }


def repetition(tokens: Sequence[int], size: int = 4) -> float:
    """1 - unique n-grams / n-grams: 0 when no run of four tokens comes twice."""
    grams = [tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def distinct(texts: Sequence[Sequence[int]], size: int = 2) -> float:
    """Unique n-grams over all n-grams of a set of texts (Li et al. 2016, distinct-n)."""
    grams = [tuple(t[i : i + size]) for t in texts for i in range(len(t) - size + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0
