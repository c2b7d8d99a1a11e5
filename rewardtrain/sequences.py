"""Intervals of a win rate that hold at every moment, however often and whenever one looks.

Betting confidence sequences for bounded means: Waudby-Smith & Ramdas 2024, "Estimating means of
bounded random variables by betting", JRSS B 86(1), the hedged capital process of their section 4.3
with the predictable plug-in bets of equation 26. For every mean m a gambler bets that the answers
lie above m, another that they lie below; if m is the true rate neither is likely ever to multiply
his money by 2 / ALPHA, so every m at which one has is ruled out for good.

An answer is 1 for a win, 1/2 for a tie, 0 for a loss. What is asked next may depend on all answers
so far, and so may the moment to stop: that is what Wilson's interval and a bootstrap do not allow.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.05
MOST_OF_CAPITAL = 0.5
"""Of a gambler's money on one answer: the paper's c."""
MEANS = np.arange(1, 200) / 200
"""The rates that are tried. The ends of an interval are themselves ruled out, so it is never too
short by the rounding: a win rate is above one half where low >= 0.5."""
AT_ONCE = 1 << 21
"""Figures held at once."""
HORIZON = 5_000
"""No forecast goes beyond this many labels: the two are as good as equal."""
Floats = NDArray[np.float64]


def interval(answers: Sequence[float], alpha: float = ALPHA) -> tuple[float, float]:
    """The 1 - alpha interval after these answers, in the order in which they came."""
    if not len(answers):
        return 0.0, 1.0
    low, high = running_intervals(np.asarray(answers, float), alpha)
    return float(low[-1]), float(high[-1])


def running_intervals(answers: Floats, alpha: float = ALPHA) -> tuple[Floats, Floats]:
    """Low and high (..., n) after each of the answers (..., n); they only ever come closer."""
    bets = _bets(answers, alpha)
    low, high = np.zeros_like(answers), np.ones_like(answers)
    limit = math.log(2 / alpha)
    at_once = max(1, AT_ONCE // max(1, answers.size))
    for start in range(0, len(MEANS), at_once):
        m = MEANS[start : start + at_once].reshape(-1, *[1] * answers.ndim)
        above, below = _log_capital(answers, bets, m)
        # Once the gambler who says "above m" is rich, every rate up to m is ruled out.
        rich = np.maximum.accumulate(above, axis=-1) >= limit
        low = np.maximum(low, np.where(rich, m, 0.0).max(axis=0))
        rich = np.maximum.accumulate(below, axis=-1) >= limit
        high = np.minimum(high, np.where(rich, m, 1.0).min(axis=0))
    return low, high


def labels_to_decide(answers: Sequence[float], alpha: float = ALPHA) -> int | None:
    """How many more answers like these it takes until the interval leaves out 1/2.

    0 when it does already, None when that is not within HORIZON answers. It follows the richer
    gambler's expected growth, with what was seen and one tie as the share of wins, ties and losses.
    """
    seen, times = np.unique([*answers, 0.5], return_counts=True)
    shares = times / times.sum()
    values = np.asarray(answers, float)
    limit = math.log(2 / alpha)
    above, below = _log_capital(values, _bets(values, alpha), 0.5)
    if max(above.max(initial=0), below.max(initial=0)) >= limit:
        return 0
    lead, side = (above, 1) if seen @ shares >= 0.5 else (below, -1)
    capital = lead[-1] if len(values) else 0.0
    later = np.arange(len(values) + 1, len(values) + 1 + HORIZON, dtype=float)
    bets = np.minimum(_bet(_variance(values)[-1] if len(values) else 0.25, later, alpha), 1.0)
    growth = np.log1p(side * np.outer(bets, seen - 0.5)) @ shares
    enough = capital + np.cumsum(growth) >= limit
    return int(enough.argmax()) + 1 if enough.any() else None


def _log_capital(answers: Floats, bets: Floats, m: Floats | float) -> tuple[Floats, Floats]:
    """The logarithm of each gambler's money after every answer: above m, and below."""
    above = np.minimum(bets, MOST_OF_CAPITAL / m)
    below = np.minimum(bets, MOST_OF_CAPITAL / (1 - m))
    won = answers - m
    return np.log1p(above * won).cumsum(axis=-1), np.log1p(-below * won).cumsum(axis=-1)


def _bets(answers: Floats, alpha: float) -> Floats:
    """The stake on each answer, from those before it alone (equation 26)."""
    n = answers.shape[-1]
    start = np.full((*answers.shape[:-1], 1), 0.25)
    before = np.concatenate([start, _variance(answers)[..., :-1]], axis=-1)
    return _bet(before, np.arange(1, n + 1), alpha)


def _bet(variance: Floats | float, t: Floats, alpha: float) -> Floats:
    return np.sqrt(2 * math.log(2 / alpha) / (variance * t * np.log(t + 1)))


def _variance(answers: Floats) -> Floats:
    """Of the answers up to each, begun with one of mean 1/2 and variance 1/4."""
    t = np.arange(1, answers.shape[-1] + 1)
    mean = (0.5 + answers.cumsum(axis=-1)) / (t + 1)
    return (0.25 + ((answers - mean) ** 2).cumsum(axis=-1)) / (t + 1)
