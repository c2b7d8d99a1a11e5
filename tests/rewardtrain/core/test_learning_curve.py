import numpy as np
import pytest

from rewardtrain.core.learning_curve import Point, extrapolate, round_step


def curve(a: float, b: float, c: float, n: int, seed: int | None = None) -> list[Point]:
    """Fits to 250 to 2,000 labels of a - b / labels^c, each judged on n pairs."""
    draw = np.random.default_rng(seed)
    points = []
    for labels in (250, 500, 1000, 2000):
        share = a - b * labels**-c
        points.append(Point(labels, n, draw.binomial(n, share) / n if seed is not None else share))
    return points


def test_a_steep_curve_promises_more_than_a_flat_one():
    steep = extrapolate(curve(0.80, 2.0, 0.5, 20_000), 2000)
    flat = extrapolate(curve(0.72, 0.0, 0.5, 20_000), 2000)
    true = 2.0 * (2000**-0.5 - 4000**-0.5)
    assert steep["low"] < true < steep["high"]
    assert steep["gain"] == pytest.approx(true, abs=0.005)
    assert 0.0 <= flat["gain"] < 0.002


def test_few_pairs_say_little():
    sure = extrapolate(curve(0.80, 2.0, 0.5, 20_000), 2000)
    unsure = extrapolate(curve(0.80, 2.0, 0.5, 200), 2000)
    assert unsure["high"] - unsure["low"] > 2 * (sure["high"] - sure["low"])


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    inside = 0
    for seed in range(60):
        found = extrapolate(curve(0.78, 1.5, 0.5, 1000, seed), 2000)
        inside += found["low"] <= 1.5 * (2000**-0.5 - 4000**-0.5) <= found["high"]
    assert inside >= 54


def test_two_points_are_no_curve():
    assert extrapolate(curve(0.8, 2.0, 0.5, 100)[:2], 2000) is None
    assert extrapolate([Point(10, 0, 0.0), *curve(0.8, 2.0, 0.5, 100)[:2]], 2000) is None


def test_it_asks_about_a_round_number_of_labels():
    assert [round_step(n) for n in (7, 44, 240, 1730, 9600)] == [10, 40, 200, 2000, 10000]
