import math

import numpy as np
import pytest
from scipy.stats import binomtest

from rewardtrain.core.metrics import (
    distinct,
    figures,
    judge,
    mean_and_spread,
    mean_figure,
    paired_bootstrap,
    paired_shares,
    repetition,
    wilson,
)


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (3, 7), (50, 80), (12, 12)])
def test_wilson_agrees_with_scipy(successes, n):
    expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)


def test_equal_scores_are_half_right_and_a_coin_in_nll():
    found = judge([1.0, 1.0], [(0, 1, 1.0)])
    assert (found.accuracy, found.nll) == (0.5, pytest.approx(math.log(2)))


def test_a_comparison_counts_once_however_many_pairs_it_has():
    found = judge([3.0, 1.0, 2.0], [(0, 1, 1.0), (0, 2, 1.0), (1, 2, 1.0)])
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.nll == pytest.approx(sum(math.log1p(math.exp(-m)) for m in (2.0, 1.0, -1.0)) / 3)


def test_nll_of_a_hopeless_margin_does_not_overflow():
    assert judge([0.0, 5000.0], [(0, 1, 1.0)]).nll == pytest.approx(5000.0)


def test_figures_of_nothing_are_empty():
    assert figures([]) == {"n": 0, "accuracy": None, "low": None, "high": None, "nll": None}
    assert mean_figure([])["mean"] is None


def test_the_mean_figure_covers_the_truth_19_times_of_20():
    draw = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        found = mean_figure(draw.normal(2.0, 1.0, 60).tolist())
        inside += found["low"] <= 2.0 <= found["high"]
    assert 0.91 <= inside / 400 <= 0.98


def test_the_paired_bootstrap_is_seeded_and_finds_a_difference():
    values = np.random.default_rng(1).normal(0.3, 1.0, 200).tolist()
    found = paired_bootstrap(values)
    assert found == paired_bootstrap(values)
    assert found["low"] > 0
    half = 1.96 * np.std(values) / math.sqrt(200)
    assert found["high"] - found["difference"] == pytest.approx(half, rel=0.1)
    nothing = paired_bootstrap([0.0] * 30)
    assert nothing["low"] == nothing["high"] == 0.0


def test_repetition_is_the_share_of_four_grams_that_came_before():
    assert repetition([1, 2, 3, 4, 5]) == 0.0
    assert repetition([7] * 10) == pytest.approx(6 / 7)
    assert repetition([1, 2]) == 0.0


def test_distinct_counts_bigrams_over_all_texts():
    assert distinct([[1, 2, 3], [1, 2, 4]]) == pytest.approx(3 / 4)
    assert distinct([]) == 0.0


def test_a_spread_can_be_divided_by():
    assert mean_and_spread([2.0, 2.0]) == (2.0, 1e-6)


def test_paired_shares_are_those_of_agresti_and_min_and_never_without_a_width():
    # 3 cases for the one, 9 for the other, of 50.
    found = paired_shares([1.0] * 3 + [-1.0] * 9 + [0.0] * 38)
    assert found["difference"] == pytest.approx(-0.12)
    half = 1.959964 * math.sqrt(13 - 36 / 52) / 52
    assert found["low"] == pytest.approx(-6 / 52 - half)
    assert found["high"] == pytest.approx(-6 / 52 + half)
    alike = paired_shares([0.0] * 8)
    assert alike["difference"] == 0
    assert alike["high"] == -alike["low"] == pytest.approx(0.196, abs=1e-3)
    assert paired_shares([])["n"] == 0
