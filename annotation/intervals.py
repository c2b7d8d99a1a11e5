"""Figures with their 95 % intervals and what they rest on, for the pages of people's work.

(rewardtrain/intervals.py has the score interval for the side of models, which the import rules
keep apart.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959964


@dataclass(frozen=True)
class Figure:
    """`low` and `high` are None where n is too small for any interval of 95 %."""

    value: float
    low: float | None
    high: float | None
    n: int


def share(successes: int, n: int) -> Figure | None:
    """A proportion with its score interval (Wilson 1927); None of nothing."""
    if n == 0:
        return None
    p = successes / n
    middle = (p + Z95 * Z95 / (2 * n)) / (1 + Z95 * Z95 / n)
    half = Z95 / (1 + Z95 * Z95 / n) * math.sqrt(p * (1 - p) / n + Z95 * Z95 / (4 * n * n))
    return Figure(p, max(0.0, middle - half), min(1.0, middle + half), n)


def median(values: Sequence[float]) -> Figure | None:
    """A median with the interval between two order statistics, exact whatever the distribution:
    the number of values below the true median is binomial (Conover, Practical Nonparametric
    Statistics, section 3.2). None of nothing."""
    if not values:
        return None
    ordered, n = sorted(values), len(values)
    value = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    rank = _lower_rank(n)
    if rank == 0:
        return Figure(value, None, None, n)
    return Figure(value, ordered[rank - 1], ordered[n - rank], n)


def _lower_rank(n: int) -> int:
    """The greatest r such that fewer than r of n coins fall heads 2.5 % of the time at most."""
    below, ways = 0, 1
    for heads in range(n + 1):
        below += ways
        if 40 * below > 2**n:
            return heads
        ways = ways * (n - heads) // (heads + 1)
    return 0
