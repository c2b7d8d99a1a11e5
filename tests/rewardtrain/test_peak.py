import math

import pytest

from rewardtrain.arena import WinRate
from rewardtrain.peak import fit


def rate(value: float, n: int = 4_000) -> WinRate:
    return WinRate(
        wins=round(n * value), ties=0, losses=n - round(n * value), identical=0, open=0,
        value=value, low=0.0, high=1.0, wanted=None,
    )  # fmt: skip


def preferred(kl: float, alpha: float, beta: float) -> float:
    d = math.sqrt(kl)
    return 1 / (1 + math.exp(-d * (alpha - beta * math.log(d))))


def test_the_fit_finds_what_the_points_were_made_with() -> None:
    points = [(kl, rate(preferred(kl, 0.6, 0.4))) for kl in (0.5, 2.0, 6.0, 12.0, 30.0)]
    found = fit(points)
    assert found is not None
    assert (found["alpha"], found["beta"]) == pytest.approx((0.6, 0.4), abs=0.02)
    assert found["peak"] == pytest.approx(math.exp(0.6 / 0.4 - 1), abs=0.1)


def test_three_points_are_too_few_and_the_reference_is_none() -> None:
    three = [(kl, rate(0.6)) for kl in (1.0, 4.0, 9.0)]
    assert fit(three) is None
    assert fit([*three, (0.0, rate(0.5))]) is None
    assert fit([*three, (16.0, None)]) is None


def test_a_rate_that_only_rises_has_no_peak() -> None:
    found = fit([(kl, rate(preferred(kl, 0.2, -0.3))) for kl in (1.0, 4.0, 9.0, 16.0)])
    assert found is not None
    assert found["peak"] is None
