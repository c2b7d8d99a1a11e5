import pytest

from rewardtrain.gate import accuracy_of, judge
from tests.turning import difference, judged, met, reward_report


def champion(accuracy: dict, nll: dict, probability: dict | None = None) -> dict:
    return met(judged(accuracy["n"], 0.7, 0.6, 0.8), accuracy, nll, probability)


EVEN = difference(150, 0.0, -0.05, 0.05)


def test_a_first_model_above_chance_on_a_hundred_heldout_pairs_passes() -> None:
    report = reward_report(heldout=judged(100, 0.66, 0.563, 0.745))
    verdict = judge(report, challenger=False)
    assert verdict.passed
    assert "66.0 % of 100 held-out decided pairs" in verdict.reason
    assert verdict.figures["accuracy"]["source"] == "heldout"


def test_with_fewer_heldout_pairs_cross_validation_decides_and_says_so() -> None:
    report = reward_report(
        heldout=judged(99, 0.9, 0.82, 0.95), folds=judged(400, 0.52, 0.471, 0.569)
    )
    verdict = judge(report, challenger=False)
    assert not verdict.passed
    assert "decided pairs of all labels" in verdict.reason
    assert verdict.figures["accuracy"]["source"] == "folds"


def test_an_interval_that_touches_one_half_is_not_above_chance() -> None:
    report = reward_report(heldout=judged(200, 0.57, 0.5, 0.636))
    assert not judge(report, challenger=False).passed


def test_without_any_decided_pair_nothing_passes() -> None:
    empty = judged(0, 0.0, 0.0, 0.0)
    report = reward_report(heldout=empty, folds=None)
    assert not judge(report, challenger=False).passed
    assert accuracy_of(report) is None


def test_a_challenger_that_may_be_equal_is_promoted() -> None:
    verdict = judge(reward_report(champion=champion(EVEN, EVEN)), challenger=True)
    assert verdict.passed
    assert verdict.figures["nll_difference"] == EVEN


def test_a_challenger_is_not_held_to_the_first_models_rule() -> None:
    report = reward_report(heldout=judged(150, 0.5, 0.42, 0.58), champion=champion(EVEN, EVEN))
    assert judge(report, challenger=True).passed


@pytest.mark.parametrize(
    ("accuracy", "nll", "named"),
    [
        (difference(150, -0.08, -0.13, -0.001), EVEN, "Less accurate: accuracy -8.0 points"),
        (EVEN, difference(150, 0.09, 0.001, 0.2), "Worse calibrated: NLL +0.090 nats"),
    ],
)
def test_a_challenger_is_refused_when_its_interval_is_wholly_worse(
    accuracy: dict, nll: dict, named: str
) -> None:
    verdict = judge(reward_report(champion=champion(accuracy, nll)), challenger=True)
    assert not verdict.passed
    assert named in verdict.reason


@pytest.mark.parametrize(
    ("accuracy", "nll"),
    [
        (difference(150, -0.08, -0.13, 0.0), EVEN),
        (EVEN, difference(150, 0.09, 0.0, 0.2)),
        (difference(1_999, -0.004, -0.02, 0.012), EVEN),
        (difference(2_000, -0.001, -0.0099, 0.008), EVEN),
    ],
)
def test_a_challenger_is_not_refused_on_less_than_evidence(accuracy: dict, nll: dict) -> None:
    assert judge(reward_report(champion=champion(accuracy, nll)), challenger=True).passed


def test_with_two_thousand_pairs_it_must_not_lose_a_point() -> None:
    accuracy = difference(2_000, -0.004, -0.011, 0.003)
    verdict = judge(reward_report(champion=champion(accuracy, EVEN)), challenger=True)
    assert not verdict.passed
    assert "more than a point" in verdict.reason


def test_what_accuracy_leaves_open_the_probability_of_peoples_choices_may_prove() -> None:
    accuracy = difference(2_000, -0.004, -0.02, 0.012)
    proof, none = (difference(2_000, -0.002, low, 0.005) for low in (-0.0099, -0.01))
    assert judge(reward_report(champion=champion(accuracy, EVEN, proof)), challenger=True).passed
    verdict = judge(reward_report(champion=champion(accuracy, EVEN, none)), challenger=True)
    assert not verdict.passed
    assert "probability of people's choices -0.2 points (-1.0 to +0.5)" in verdict.reason


def test_without_shared_pairs_a_challenger_is_judged_as_a_first_model() -> None:
    none = {"n": 0, "difference": None, "low": None, "high": None}
    report = reward_report(champion=champion(none, none), folds=judged(90, 0.5, 0.4, 0.6))
    assert not judge(report, challenger=True).passed
