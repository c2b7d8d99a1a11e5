"""Wilson's interval, and figures as a person reads them. Standard library only."""

import math

Z95 = 1.959964


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion; ties may count one half (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    middle = (p + Z95 * Z95 / (2 * n)) / (1 + Z95 * Z95 / n)
    half = Z95 / (1 + Z95 * Z95 / n) * math.sqrt(p * (1 - p) / n + Z95 * Z95 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def percent_between(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %"
