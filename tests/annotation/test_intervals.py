"""The 95 % intervals of people's figures hold what they promise."""

import random

import pytest

from annotation.intervals import median, share
from rewardtrain.intervals import wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (3, 10), (50, 100), (999, 1000)])
def test_a_share_has_the_score_interval(successes: int, n: int) -> None:
    figure = share(successes, n)
    assert (figure.low, figure.high) == pytest.approx(wilson(successes, n))
    assert (figure.value, figure.n) == (successes / n, n)


def test_nothing_has_no_figure() -> None:
    assert share(0, 0) is median([]) is None


@pytest.mark.parametrize(
    ("n", "ranks"),
    # From tables of the binomial: the sign test's intervals of at least 95 %.
    [(5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (10, (2, 9)), (20, (6, 15)), (25, (8, 18))],
)
def test_a_median_lies_between_the_tabled_ranks(n: int, ranks: tuple[int, int] | None) -> None:
    figure = median(list(range(n, 0, -1)))
    assert figure.value == (n + 1) / 2
    assert (figure.low, figure.high) == (ranks or (None, None))


def test_the_interval_of_a_median_holds_it_as_often_as_it_says() -> None:
    rng = random.Random(3)
    true, rounds = 0.6931, 1000  # the median of an exponential: skewed, as times are
    held = 0
    for _ in range(rounds):
        figure = median([rng.expovariate(1) for _ in range(15)])
        held += figure.low <= true <= figure.high
    assert 0.95 <= held / rounds <= 0.985, "exact for 15: 96.5 %"
