"""Which comparisons judge a reward model, and which only teach it."""

from dataclasses import replace

import pytest

from rewardtrain.contract import ComparisonRow, RewardConfig
from rewardtrain.scripts.train_reward import plan_fits
from tests.rewardtrain.scripts.fitting import comparison, trained


@pytest.fixture
def config(tiny_policy) -> dict:
    return {
        "kind": "reward",
        "backbone": tiny_policy,
        "epochs": 4,
        "batch_size": 4,
        "learning_rate": 5e-3,
        "folds": 2,
    }


def test_it_is_judged_on_golds_and_learns_nothing_from_them(write_run, config):
    rows = [comparison(i) for i in range(20)]
    gold = {**rows[2], "kind": "gold", "tiers": [[1], [0]]}
    golds = [
        {**gold, "comparison": "gold 1", "thread_root": "of a gold"},
        {**gold, "comparison": "gold 2"},
    ]
    without = trained(write_run(config, rows, "without"))
    report = trained(write_run(config, [*rows, *golds], "with"))
    assert report["hashes"]["weights"] == without["hashes"]["weights"]
    assert report["counts"] == without["counts"]
    (found,) = [row for row in report["knowledge"]["kinds"] if row["name"] == "gold"]
    # The other's thread has taught it; this one's answer is the wrong one.
    assert (found["n"], found["accuracy"]) == (1, 0.0)
    assert [r for r in report["knowledge"]["kinds"] if r != found] == without["knowledge"]["kinds"]


def test_labelers_that_a_fit_left_out_say_how_it_does_on_people_it_does_not_know(write_run, config):
    rows = [
        comparison(
            i,
            labeler=f"labeler {i % 5}",
            thread_root=f"root {i}",
            split="train" if i % 7 else "heldout",
        )
        for i in range(60)
    ]
    parsed = [ComparisonRow(**row) for row in rows]
    (fit,) = [f for f in plan_fits(parsed, RewardConfig(**config)) if f.role == "labelers"]
    known = {rows[i]["labeler"] for i in fit.train}
    roots = {rows[i]["thread_root"] for i in fit.train}
    assert 3 <= len(known) <= 4
    strangers = [rows[i] for i in fit.judged if rows[i]["labeler"] not in known]
    assert strangers
    assert not roots & {row["thread_root"] for row in strangers}
    report = trained(write_run(config, rows))
    assert [(row["name"], row["n"]) for row in report["knowledge"]["labelers"]] == [
        ("seen", len(fit.judged) - len(strangers)),
        ("unseen", len(strangers)),
    ]
    few = [replace(row, labeler=f"labeler {i % 4}") for i, row in enumerate(parsed)]
    assert all(f.role != "labelers" for f in plan_fits(few, RewardConfig(**config)))


def test_what_a_strategy_steered_teaches_and_judges_nothing(write_run, config):
    rows = [comparison(i) for i in range(40)]
    # The steered ones say the opposite: they would ruin every figure that rests on them.
    steered = [
        comparison(i, comparison=f"s{i}", stream="d_optimal", tiers=[[1], [0]]) for i in range(40)
    ]
    alone = trained(write_run(config, rows, "alone"))
    report = trained(write_run(config, [*rows, *steered], "both"))
    assert report["counts"]["steered"] == 40
    for where in ("heldout", "folds"):
        assert report[where]["n"] == alone[where]["n"]
    assert report["longer"] == alone["longer"]
    assert report["knowledge"]["calibration"]["pairs"] == 40
    # Parts of 64 labels that teach, each judged on the random ones alone.
    assert [(point["labels"], point["n"]) for point in report["curve"]["points"]] == [
        (32, 24),
        (40, 40),
        (64, 8),
    ]
    # They taught all the same: half of the labels against the other half leave a coin.
    assert alone["heldout"]["accuracy"] == 1.0
    assert report["heldout"]["nll"] > alone["heldout"]["nll"] + 0.1
