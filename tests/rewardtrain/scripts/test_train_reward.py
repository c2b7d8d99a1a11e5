import json
import math
import shutil
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from rewardtrain.contract import (
    ComparisonRow,
    MetricLine,
    RewardConfig,
    read_rows,
    read_status,
)
from rewardtrain.core.pretrained import sha256
from rewardtrain.core.reward_model import load_reward_model
from rewardtrain.core.runlog import run
from rewardtrain.scripts.train_reward import plan_fits, split_by_root, train_reward
from tests.rewardtrain.scripts.fitting import comparison, report_of, say, trained


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


@pytest.fixture
def rows() -> list[dict]:
    return [
        *(comparison(i) for i in range(20)),
        comparison(20, outcome="tie", tiers=[[0, 1]]),
        comparison(22, outcome="both_bad", tiers=[[0, 1]]),
        comparison(24, outcome="unanswerable", tiers=[]),
        comparison(26, strength=3, levels=3, weight=0.5),
        comparison(
            28,
            responses=[say("A red lamp."), say("A cup."), say("A lamp, red.")],
            tiers=[[2], [0], [1]],
        ),
    ]


def test_it_learns_reports_and_saves(write_run, config, rows):
    directory = write_run(config, rows)
    report = trained(directory)
    assert report["counts"] == {
        "preferences": 25,
        "train": 20,
        "heldout": 5,
        "steered": 0,
        "decided": 22,
        "tie": 1,
        "both_bad": 1,
        "unanswerable": 1,
        "responses": 51,
        "shortened": 0,
    }
    assert report["heldout"]["n"] == 4
    assert report["heldout"]["accuracy"] == 1.0
    assert report["heldout"]["low"] < 1.0
    assert report["heldout"]["high"] == pytest.approx(1.0)
    assert report["heldout"]["nll"] < math.log(2)
    assert report["folds"]["n"] == 22 == sum(f["n"] for f in report["folds"]["by_fold"])
    assert report["folds"]["accuracy"] > 0.8
    assert report["longer"]["heldout"]["accuracy"] == 1.0
    assert report["champion"] is None
    assert report["normalisation"]["spread"] > 0
    assert report["hashes"]["data"] == sha256(directory / "data.jsonl")
    model = directory / "model"
    assert report["hashes"]["weights"] == sha256(
        model / "heads.safetensors", model / "model.safetensors"
    )
    settings = json.loads((directory / "model/reward.json").read_text())
    assert settings["mean"] == report["normalisation"]["mean"]
    lines = read_rows(directory / "metrics.jsonl", MetricLine)
    status = read_status(directory)
    assert [line.step for line in lines] == list(range(1, status.steps + 1))
    assert {"loss", "accuracy", "learning_rate"} <= lines[-1].values.keys()
    assert status.device == "CPU, 1 thread"
    assert not (directory / "checkpoints").exists()


def test_it_says_what_it_knows_and_what_more_labels_would_bring(write_run, config):
    rows = [
        comparison(
            i,
            strength=1 + i % 3,
            levels=3,
            labeler=f"labeler {i % 2}",
            sources=["policy 0", f"policy {i % 2}"],
            flags=[["dull"] if i % 2 else [], []],
        )
        for i in range(60)
    ]
    report = trained(write_run({**config, "epochs": 2}, rows))
    known = report["knowledge"]
    # 12 held-out comparisons are few: the two folds speak, over all 60.
    assert known["source"] == "folds"
    assert [row["n"] for row in known["strength"]["rows"]] == [20, 20, 20]
    assert known["calibration"]["pairs"] == 60
    assert sum(part["n"] for part in known["length"]) == 60
    assert [(row["name"], row["n"]) for row in known["sources"]] == [
        ("policy 0", 30),
        ("policy 0, policy 1", 30),
    ]
    assert [row["name"] for row in known["labelers"]] == ["seen"]
    # A half of 48 and the folds' 30 lie below the final fit's 48; an eighth is too few to fit.
    assert [point["labels"] for point in report["curve"]["points"]] == [24, 30, 48]
    assert report["curve"]["expected"]["more"] == 50
    assert [member["n"] for member in report["heads"]["members"]] == [12] * 4
    assert report["heads"]["spread"] > 0
    assert report["heads"]["flags"]["dull"]["n"] == 24
    assert report["labelers"] is None
    alone = trained(write_run({**config, "folds": 0, "curve": False}, rows, "alone"))
    assert alone["knowledge"]["source"] == "heldout"
    assert alone["curve"] is None


def test_it_learns_whom_to_believe_where_several_answered(write_run, config):
    honest = [comparison(i, labeler="ann") for i in range(12)]
    more = [comparison(i, labeler="bob") for i in range(12)]
    opposite = [comparison(i, labeler="eve", tiers=[[1], [0]]) for i in range(12)]
    config |= {"folds": 0, "curve": False, "labelers": "dawid_skene", "epochs": 8}
    report = trained(write_run(config, [*honest, *more, *opposite]))
    assert report["labelers"]["ann"] > 0.9 > 0.6 > report["labelers"]["eve"]
    assert report["heldout"]["accuracy"] > 0.6


def test_a_second_opinion_learns_from_the_other_half_and_its_cost_is_said(
    write_run, config, rows, tiny_policy
):
    directory = write_run({**config, "second_opinion": True}, rows)
    report = trained(directory)
    halves = report["halves"]
    # 20 of the train split, one of them unanswerable, in threads of one or two.
    assert halves["labels"]["whole"] == 19
    assert halves["labels"]["final"] + halves["labels"]["second"] == 19
    assert min(halves["labels"].values()) >= 8
    assert halves["second"]["n"] == halves["whole"]["n"] == report["heldout"]["n"]
    cost = halves["cost"]
    assert cost["n"] == report["heldout"]["n"]
    assert cost["low"] < cost["difference"] < cost["high"]
    assert cost["difference"] == report["heldout"]["accuracy"] - halves["whole"]["accuracy"]
    # What watches is another model than what is optimised, and both load.
    ours, second = (
        load_reward_model(str(directory / path), "model", torch.device("cpu"))
        for path in ("model", "model/second")
    )
    text = [ours.encode(say("A tale?", "user"), say("They found a red lamp."))[0]]
    assert ours.scores(text) != second.scores(text)
    assert second.settings.spread > 0
    alone = trained(write_run({**config, "folds": 0}, rows, "alone"))
    assert alone["halves"] is None


def test_no_thread_teaches_both_a_model_and_its_second_opinion(config, rows):
    parsed = [ComparisonRow(**row) for row in rows]
    fits = {
        fit.name: fit
        for fit in plan_fits(parsed, RewardConfig(**{**config, "second_opinion": True}))
    }
    second = {parsed[i].thread_root for i in fits["second opinion"].train}
    for name in ("final fit", "fold 1 of 2", "fold 2 of 2"):
        assert fits[name].train
        assert not second & {parsed[i].thread_root for i in fits[name].train}
    assert {i for fit in fits.values() if fit.role == "fold" for i in fit.judged} == {
        i for i in range(25) if parsed[i].outcome == "prefer"
    }


def test_a_warm_start_begins_with_the_champions_weights(write_run, config, rows):
    config |= {"folds": 0, "curve": False}
    champion = write_run(config, rows, "champion")
    trained(champion)
    still = {**config, "champion": str(champion / "model"), "learning_rate": 1e-12}
    cold = trained(write_run(still, rows, "cold"))
    warm = trained(write_run({**still, "warm_start": True}, rows, "warm"))
    assert warm["champion"]["nll_difference"]["difference"] == pytest.approx(0.0, abs=1e-3)
    assert cold["champion"]["nll_difference"]["difference"] > 0.01


def test_a_disk_without_room_is_said_before_anything_is_trained(
    write_run, config, rows, monkeypatch
):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    directory = write_run(config, rows)
    assert run("reward", train_reward, [str(directory)]) == 1
    status = read_status(directory)
    assert (status.state, status.step) == ("failed", 0)
    assert "has 0.0 GB free, and the run needs about" in status.error
    assert not (directory / "metrics.jsonl").exists()
    assert not list(directory.glob("checkpoints/*/checkpoint-*"))


def test_the_same_seed_gives_the_same_weights_and_figures(write_run, config, rows):
    reports = [trained(write_run(config, rows, name)) for name in ("one", "two")]
    assert reports[0]["hashes"]["weights"] == reports[1]["hashes"]["weights"]
    for figure in ("heldout", "folds", "normalisation"):
        assert reports[0][figure] == reports[1][figure]
    other = trained(write_run({**config, "seed": 1}, rows, "three"))
    assert other["hashes"]["weights"] != reports[0]["hashes"]["weights"]


def test_killed_and_started_again_it_ends_with_the_same_weights(
    write_run, config, rows, launch, kill_when, finish
):
    config |= {"checkpoint_every": 3, "epochs": 12}
    whole = trained(write_run(config, rows, "whole"))
    directory = write_run(config, rows, "killed")
    metrics = directory / "metrics.jsonl"
    kill_when(
        launch("train_reward", directory),
        lambda: metrics.is_file() and metrics.read_text().count("\n") >= 50,
    )
    assert not (directory / "report.json").exists()
    write_run({**config, "attempt": 2}, rows, "killed")
    finish(launch("train_reward", directory), directory, "succeeded")
    report = report_of(directory)
    assert report["hashes"]["weights"] == whole["hashes"]["weights"]
    assert report["folds"] == whole["folds"]
    again = [line for line in read_rows(metrics, MetricLine) if line.attempt == 2]
    # It went on from its last checkpoint: not from the beginning, and with no step left out.
    assert again[0].step > 40
    assert again[0].step % 3 == 1
    assert [line.step for line in again] == list(range(again[0].step, again[-1].step + 1))


def test_cancelled_it_keeps_a_checkpoint_at_its_step_and_goes_on(write_run, config, rows):
    whole = trained(write_run(config, rows, "whole"))
    directory = write_run(config, rows, "cancelled")
    (directory / "cancel").touch()
    assert run("reward", train_reward, [str(directory)]) == 0
    assert read_status(directory).state == "cancelled"
    assert (directory / "checkpoints/fit-1/checkpoint-1/COMPLETE").is_file()
    (directory / "cancel").unlink()
    assert trained(directory)["hashes"]["weights"] == whole["hashes"]["weights"]


def test_the_champion_meets_it_on_the_same_pairs(write_run, config, rows):
    champion = write_run(config, rows, "champion")
    trained(champion)
    flipped = [{**row, "tiers": row["tiers"][::-1]} for row in rows]
    worse = trained(
        write_run({**config, "folds": 0, "champion": str(champion / "model")}, flipped, "worse")
    )
    assert worse["folds"] is None
    assert worse["champion"]["n"] == worse["heldout"]["n"]
    assert worse["champion"]["accuracy"] == 0.0
    assert worse["champion"]["accuracy_difference"]["low"] > 0
    same = trained(
        write_run({**config, "folds": 0, "champion": str(champion / "model")}, rows, "same")
    )
    assert same["champion"]["accuracy_difference"]["difference"] == 0.0
    assert abs(same["champion"]["nll_difference"]["difference"]) < 1e-6


def test_what_is_too_long_is_shortened_and_counted(write_run, config, rows):
    rows[1] = comparison(1, messages=say("Tell me a long tale. " * 60, "user"))
    report = trained(write_run({**config, "folds": 0, "max_length": 64}, rows))
    assert report["counts"]["shortened"] >= 2
    assert report["counts"]["responses"] == 51


def test_without_a_held_out_split_there_is_nothing_to_judge(write_run, config):
    rows = [comparison(i, split="train") for i in range(6)]
    report = trained(write_run({**config, "folds": 0, "epochs": 1}, rows))
    assert report["heldout"] == {"n": 0, "accuracy": None, "low": None, "high": None, "nll": None}


@pytest.mark.parametrize(
    ("change", "rows", "sentence"),
    [
        ({}, [], "data.jsonl is empty"),
        ({}, [comparison(2, outcome="tie", tiers=[[0, 1]])], "none of the 1 preferences"),
        ({}, [comparison(2, tiers=[[0], [5]])], "comparison c2: tiers"),
        ({"backbone": "/nowhere"}, [comparison(2)], "backbone = '/nowhere' is not a directory"),
        ({"second_opinion": True}, [comparison(2)], "needs two halves"),
        ({"champion": "/gone", "folds": 0}, [comparison(2)], "champion = '/gone'"),
        ({"device": "abacus"}, [comparison(2)], "device = 'abacus'"),
    ],
)
def test_what_cannot_be_learnt_from_is_said_in_a_sentence(
    write_run, config, change, rows, sentence
):
    directory = write_run({**config, **change}, rows)
    assert run("reward", train_reward, [str(directory)]) == 1
    status = read_status(directory)
    assert status.state == "failed"
    assert sentence in status.error


def test_a_learning_rate_that_explodes_fails_and_names_the_step(write_run, config, rows):
    directory = write_run({**config, "learning_rate": 1e20, "folds": 0}, rows)
    assert run("reward", train_reward, [str(directory)]) == 1
    error = read_status(directory).error
    assert "became nan at step" in error
    assert "made by the comparisons c" in error


def test_thread_roots_stay_on_one_side(rows, config):
    parsed = [type("Row", (), {"thread_root": row["thread_root"]}) for row in rows]
    folds = split_by_root(parsed, 3, seed=0)
    assert sorted(i for fold in folds for i in fold) == list(range(25))
    roots = [{parsed[i].thread_root for i in fold} for fold in folds]
    assert not (roots[0] & roots[1] or roots[1] & roots[2] or roots[0] & roots[2])
    assert max(map(len, folds)) - min(map(len, folds)) <= 2
    assert split_by_root(parsed, 3, seed=1) != folds
    assert split_by_root(parsed[:2], 5, seed=0) == []


def test_only_weights_that_cannot_run_code_are_saved(write_run, config):
    directory = write_run({**config, "folds": 0, "epochs": 1}, [comparison(i) for i in range(4)])
    trained(directory)
    names = {path.suffix for path in (directory / "model").iterdir()}
    assert names == {".json", ".safetensors", ".jinja"}
    assert load_file(directory / "model/model.safetensors")["score.weight"].shape == (1, 32)
