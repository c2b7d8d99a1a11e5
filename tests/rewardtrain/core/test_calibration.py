import math

import numpy as np
import pytest

from rewardtrain.core.calibration import (
    calibration,
    calibration_error,
    confidence_of,
    cross_fitted,
    hits_of,
    nll_of,
    perfect_error,
    temperature_of,
)


def drawn(n: int, overconfident: float = 1.0, seed: int = 0) -> np.ndarray:
    """Margins of a model whose probabilities are right once divided by `overconfident`."""
    draw = np.random.default_rng(seed)
    true = draw.normal(scale=1.5, size=n)
    wins = draw.random(n) < 1 / (1 + np.exp(-true))
    return np.where(wins, true, -true) * overconfident


def test_the_error_is_the_gap_between_said_and_right_by_bin():
    confidence = np.array([0.52, 0.53, 0.97, 0.98])
    hits = np.array([1.0, 0.0, 1.0, 1.0])
    by_hand = (2 * abs(0.5 - 0.525) + 2 * abs(1.0 - 0.975)) / 4
    assert calibration_error(confidence, hits, np.ones(4)) == pytest.approx(by_hand)
    heavy = np.array([2.0, 2.0, 1.0, 1.0])
    assert calibration_error(confidence, hits, heavy) == pytest.approx((4 * 0.025 + 2 * 0.025) / 6)
    assert calibration_error(confidence, np.stack([hits, 1 - hits]), np.ones(4)).shape == (2,)


@pytest.mark.parametrize(("n", "least", "most"), [(48, 0.10, 0.19), (500, 0.03, 0.06)])
def test_a_perfect_model_of_few_pairs_shows_an_error_too(n, least, most):
    confidence = confidence_of(drawn(n))
    mean, high = perfect_error(confidence, np.ones(n))
    assert least < mean < most
    assert mean < high < 2 * mean


def test_a_perfect_models_error_lies_where_chance_puts_it():
    above = 0
    for seed in range(60):
        found = calibration(drawn(200, seed=seed), np.ones(200), [str(i) for i in range(200)])
        above += found["error"] > found["perfect_high"]
    # Five in a hundred are expected above their 95th percentile; 11 of 60 would be p < 0.001.
    assert above <= 10


def test_an_overconfident_model_is_found_out_and_its_temperature_mends_it():
    n = 2000
    found = calibration(drawn(n, 3.0), np.ones(n), [str(i) for i in range(n)])
    assert found["error"] > 2 * found["perfect_high"]
    assert found["temperature"] == pytest.approx(3.0, rel=0.15)
    assert found["scaled"]["error"] < found["scaled"]["perfect_high"]
    assert found["scaled"]["nll"] < found["nll"]
    assert sum(b["n"] for b in found["bins"]) == n
    for b in found["bins"]:
        assert b["low"] <= b["right"] <= b["high"]


def test_a_temperature_is_never_fitted_to_the_pairs_that_it_scales():
    margins, groups = drawn(40, 3.0), ["a"] * 20 + ["b"] * 20
    scaled, _ = cross_fitted(margins, np.ones(40), groups)
    other = temperature_of(margins[20:], np.ones(20))
    assert scaled[:20] == pytest.approx(margins[:20] / other)
    alone, _ = cross_fitted(margins, np.ones(40), ["a"] * 40)
    assert (alone == margins).all()


def test_margins_give_hits_and_nll():
    margins = np.array([2.0, 0.0, -1.0])
    assert hits_of(margins).tolist() == [1.0, 0.5, 0.0]
    by_hand = [math.log1p(math.exp(-2)), math.log(2), math.log1p(math.exp(1))]
    assert nll_of(margins, np.ones(3)) == pytest.approx(sum(by_hand) / 3)
