import pytest
from django.core.management.base import CommandError

from rewardtrain.management.commands.overoptimise import seeds_of
from rewardtrain.overoptimise.results import figures_of, table, together


def arm(truth: dict[int, float], stop: dict | None = None, kept: int = 44) -> dict:
    return {
        "truth": {str(step): {"mean": mean} for step, mean in truth.items()},
        "guard": {"standing": "quiet", "kept": kept, "stop": stop},
        "seconds": 60.0,
    }


def result(**changes: dict) -> dict:
    arms = {
        "unguarded": arm({0: -1.0, 10: 1.0, 20: 0.5, 44: -1.5}),
        "guarded": arm({0: -1.0, 8: 0.9}, {"step": 14, "signals": ["entropy"]}, kept=8),
        "kl": arm({0: -1.0, 44: 0.0}),
        "true": arm({0: -1.0, 10: 2.0, 20: 3.0, 44: 2.8}),
    }
    return {"setting": "happy", "seed": 5, "arms": {**arms, **changes}}


def test_shares_are_of_the_best_gain_of_any_unguarded_checkpoint():
    figures = figures_of(result())
    assert (figures["best_gain"], figures["best_step"]) == (2.0, 10)
    assert figures["guarded"] == pytest.approx(0.95)
    assert figures["kl"] == pytest.approx(0.5)
    assert figures["unguarded"] == pytest.approx(-0.25)
    assert figures["true_before_stop"] == 1.0
    assert (figures["stopped_at"], figures["kept"], figures["why"]) == (14, 8, ["entropy"])


def test_a_guard_that_would_stop_the_true_score_too_early_is_told():
    true = arm({0: -1.0, 10: 2.0, 20: 3.0, 44: 2.8}, {"step": 12, "signals": ["kl"]})
    assert figures_of(result(true=true))["true_before_stop"] == pytest.approx(0.75)


def test_a_policy_that_went_back_to_its_start_kept_nothing():
    guarded = arm({0: -1.0}, {"step": 3, "signals": ["kl"]}, kept=0)
    assert figures_of(result(guarded=guarded))["guarded"] == 0.0


def test_the_goals_are_met_only_by_median_worst_and_the_true_score_alike():
    good = figures_of(result())
    assert together([good, good])["meets"]
    assert not together([good, good, {**good, "guarded": 0.84}])["meets"]
    assert not together([good, {**good, "true_before_stop": 0.9}])["meets"]
    assert together([good, {**good, "guarded": 0.9}])["guarded"] == {
        "median": pytest.approx(0.925),
        "worst": 0.9,
    }
    assert len(table([good, good])) == 3


def test_seeds_are_a_number_or_a_range():
    assert seeds_of("5-7") == [5, 6, 7]
    assert seeds_of("3") == [3]
    for wrong in ("7-5", "five", ""):
        with pytest.raises(CommandError, match="must be a number or a range"):
            seeds_of(wrong)
