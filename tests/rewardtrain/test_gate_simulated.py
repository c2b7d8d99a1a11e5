"""How often the gate refuses an equal and a worse challenger, by held-out pairs."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from rewardtrain.core.metrics import mean_figure, paired_bootstrap
from rewardtrain.gate import judge
from tests.turning import judged, met, reward_report

CHALLENGERS = 300
EQUAL, BARELY, SLIGHTLY, CLEARLY, BETTER = 0.0, 0.05, 0.15, 0.6, -0.05
"""What is taken from a challenger's every margin: nothing, about 1 point of accuracy, 3, 12, and
about a point given."""


NOISE, LITTLE_NOISE = 0.6, 0.15
"""With these two models order 16 and 4 in 100 pairs differently."""


def differences(
    draw: np.random.Generator, pairs: int, worse_by: float, noise: float = NOISE
) -> list[np.ndarray]:
    """Challenger minus champion on the same pairs: accuracy, NLL and the probability of people's
    choices, each (pairs,).

    Both see a shared quality with a noise of their own, as two fits to nearly the same labels do;
    the champion orders about 70 % as people did.
    """
    shared = draw.normal(0.85, 1.5, pairs)
    champion, challenger = (shared + draw.normal(0, noise, pairs) for _ in range(2))
    challenger = challenger - worse_by
    return [
        (challenger > 0).astype(float) - (champion > 0),
        np.logaddexp(0, -challenger) - np.logaddexp(0, -champion),
        expit(challenger) - expit(champion),
    ]


def interval(values: np.ndarray) -> dict[str, Any]:
    """The normal interval: as the gate's bootstrap, thousands of times faster."""
    found = mean_figure(list(values))
    return {
        "n": found["n"],
        "difference": found["mean"],
        "low": found["low"],
        "high": found["high"],
    }


def refused(pairs: int, worse_by: float, noise: float = NOISE) -> float:
    """The share of challengers that the gate refuses."""
    draw = np.random.default_rng(7)
    times = 0
    for _ in range(CHALLENGERS):
        found = map(interval, differences(draw, pairs, worse_by, noise))
        report = reward_report(champion=met(judged(pairs, 0.7, 0.6, 0.8), *found))
        times += not judge(report, challenger=True).passed
    print(f"{pairs} pairs, margins less {worse_by}, noise {noise}: {times / CHALLENGERS:.1%}")
    return times / CHALLENGERS


def test_the_normal_interval_is_the_bootstraps_here() -> None:
    for pairs in (50, 500):
        for values in differences(np.random.default_rng(1), pairs, 0.2):
            ours, theirs = interval(values), paired_bootstrap(list(values))
            width = theirs["high"] - theirs["low"]
            assert abs(ours["low"] - theirs["low"]) < 0.12 * width
            assert abs(ours["high"] - theirs["high"]) < 0.12 * width


@pytest.mark.parametrize("pairs", [50, 500, 5000])
def test_what_is_equal_is_seldom_refused(pairs: int) -> None:
    """Rules that each err in 2.5 of 100."""
    assert refused(pairs, EQUAL) < 0.10
    assert refused(pairs, EQUAL, LITTLE_NOISE) < 0.10


def test_from_two_thousand_pairs_on_no_loss_of_a_point_must_be_proven() -> None:
    """The third rule: without it two in three of those that lose a point would be refused here."""
    assert refused(1999, BARELY) < 0.75
    assert refused(2000, BARELY) > 0.85
    assert refused(2000, EQUAL) < 0.15
    assert refused(2000, BETTER) < 0.02


@pytest.mark.parametrize(
    ("pairs", "slightly", "clearly"),
    [
        (50, (0.0, 0.5), (0.5, 1.0)),
        (500, (0.5, 1.0), (0.99, 1.0)),
        (5000, (0.99, 1.0), (0.99, 1.0)),
    ],
)
def test_what_is_worse_is_refused_the_surer_the_more_pairs_there_are(
    pairs: int, slightly: tuple[float, float], clearly: tuple[float, float]
) -> None:
    for worse_by, (least, most) in ((SLIGHTLY, slightly), (CLEARLY, clearly)):
        assert least <= refused(pairs, worse_by) <= most
