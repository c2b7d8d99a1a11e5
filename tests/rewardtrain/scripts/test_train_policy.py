import json
import os
import signal
import time
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from rewardtrain.contract import (
    MetricLine,
    PolicyConfig,
    SampleRow,
    SuspectRow,
    read_rows,
    read_status,
)
from rewardtrain.core.fine_tuning import start_over
from rewardtrain.core.policy import load_policy
from rewardtrain.core.pretrained import sha256
from rewardtrain.core.reward_model import load_reward_model, start_reward_model
from rewardtrain.core.runlog import run
from rewardtrain.scripts import train_policy as script
from rewardtrain.scripts.train_policy import train_policy

QUESTIONS = ["The fox?", "The bear?", "The lamp?", "They sang by the river. And then?"]
PROMPTS = [
    {"prompt": i, "messages": [{"role": "user", "content": text}]}
    for i, text in enumerate(QUESTIONS)
]


@pytest.fixture(autouse=True)
def few_judged(monkeypatch):
    monkeypatch.setattr(script, "JUDGED", 16)


@pytest.fixture
def config(tiny_policy, tiny_reward_model) -> dict:
    return {
        "kind": "policy",
        "policy": tiny_policy,
        "reference": tiny_policy,
        "reward_model": tiny_reward_model,
        "steps": 4,
        "samples_per_step": 8,
        "batch_size": 8,
        "max_new_tokens": 8,
        "learning_rate": 5e-3,
        "checkpoint_every": 2,
        "sample_every": 2,
        "guard": "watch",
    }


def trained(directory: Path) -> dict:
    assert run("policy", train_policy, [str(directory)]) == 0
    assert read_status(directory).state == "succeeded", read_status(directory)
    return json.loads((directory / "report.json").read_text())


def metrics_of(directory: Path) -> list[MetricLine]:
    return read_rows(directory / "metrics.jsonl", MetricLine)


def test_the_proxy_reward_rises_and_everything_is_told(write_run, config, tiny_reward_model):
    config |= {"steps": 25, "samples_per_prompt": 8, "samples_per_step": 32, "batch_size": 32}
    config |= {"max_new_tokens": 2, "learning_rate": 2e-2, "beta": 0.01}
    directory = write_run(config, PROMPTS)
    report = trained(directory)
    assert report["after"]["reward"]["low"] > report["before"]["reward"]["high"]
    assert report["before"]["kl"]["mean"] == 0.0
    assert report["after"]["kl"]["mean"] > 0.1
    assert report["after"]["reward"]["n"] == 16
    assert (report["prompts"], report["left_out"]) == (4, 0)
    assert report["hashes"]["weights"] == sha256(directory / "model/model.safetensors")
    assert {p.suffix for p in (directory / "model").iterdir()} == {
        ".json",
        ".safetensors",
        ".jinja",
    }
    lines = metrics_of(directory)
    assert [line.step for line in lines] == list(range(1, 26))
    assert lines[0].values["kl"] == 0.0 < lines[-1].values["kl"]
    watched = {"kl", "surprise", "entropy", "length", "truncated", "repetition", "distinct", "flat"}
    smooth = {f"{name}_smooth" for name in ("reward", *watched)}
    trainers = {"loss", "grad_norm", "learning_rate", "seconds"}
    assert lines[0].values.keys() == {"reward"} | watched | smooth | trainers
    samples = read_rows(directory / "samples.jsonl", SampleRow)
    assert {s.step for s in samples} == {1, *range(2, 26, 2)}
    assert {s.prompt for s in samples if s.step == 1} == {0, 1, 2, 3}
    reward = load_reward_model(tiny_reward_model, "reward_model", torch.device("cpu"))
    shown = samples[-1]
    messages = PROMPTS[shown.prompt]["messages"]
    ids, _ = reward.encode(messages, [{"role": "assistant", "content": shown.text}])
    # 0 and 1 are the mean and spread of the reference's samples.
    mean, spread = json.loads((directory / "guard.json").read_text())["scales"]["model"]
    assert (reward.scores([ids])[0] - mean) / spread == pytest.approx(shown.reward, abs=1e-4)
    loaded = AutoModelForCausalLM.from_pretrained(directory / "model")
    assert loaded.config.vocab_size == len(AutoTokenizer.from_pretrained(directory / "model"))


def test_killed_and_started_again_it_ends_with_the_same_weights(
    write_run, config, launch, kill_when, finish
):
    config |= {"steps": 9, "checkpoint_every": 3}
    whole = trained(write_run(config, PROMPTS, "whole"))
    directory = write_run(config, PROMPTS, "killed")
    metrics = directory / "metrics.jsonl"
    kill_when(
        launch("train_policy", directory),
        lambda: metrics.is_file() and metrics.read_text().count("\n") >= 4,
    )
    killed_at = len(metrics_of(directory))
    write_run({**config, "attempt": 2}, PROMPTS, "killed")
    finish(launch("train_policy", directory), directory, "succeeded")
    again = [line for line in metrics_of(directory) if line.attempt == 2]
    assert 4 <= again[0].step <= killed_at + 1
    assert [line.step for line in again] == list(range(again[0].step, 10))
    report = json.loads((directory / "report.json").read_text())
    assert report["hashes"]["weights"] == whole["hashes"]["weights"]
    # A run whose last step is checkpointed takes no step more.
    (directory / "report.json").unlink()
    assert trained(directory)["hashes"]["weights"] == whole["hashes"]["weights"]
    assert metrics_of(directory)[-1].step == 9


def test_asked_to_stop_it_stops_within_ten_seconds_and_goes_on_later(
    write_run, config, launch, wait_until, finish
):
    directory = write_run({**config, "steps": 400, "checkpoint_every": 1000}, PROMPTS)
    process = launch("train_policy", directory)
    metrics = directory / "metrics.jsonl"
    wait_until(process, lambda: metrics.is_file() and metrics.read_text().count("\n") >= 2)
    asked = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    finish(process, directory, "cancelled")
    assert time.monotonic() - asked < 10
    step = read_status(directory).step
    assert (directory / f"checkpoints/checkpoint-{step}/COMPLETE").is_file()
    write_run({**config, "steps": step + 1, "attempt": 2}, PROMPTS)
    trained(directory)
    assert [line.step for line in metrics_of(directory) if line.attempt == 2] == [step + 1]


def test_accumulated_gradients_give_the_same_prompts_and_steps(write_run, config):
    directory = write_run({**config, "batch_size": 4}, PROMPTS, "parts")
    trained(directory)
    assert [line.step for line in metrics_of(directory)] == [1, 2, 3, 4]


def test_the_reference_is_the_one_that_was_named(write_run, config, make_policy):
    """Penalised by its distance to the reference alone, the policy must move towards it."""
    reference = make_policy(5)
    config |= {"reference": reference, "beta": 100.0, "steps": 20, "samples_per_step": 16}
    report = trained(write_run(config, PROMPTS))
    assert report["before"]["kl"]["mean"] > 5
    assert report["after"]["kl"]["high"] < report["before"]["kl"]["low"]


def test_without_a_penalty_the_kl_is_still_measured(write_run, config):
    directory = write_run({**config, "beta": 0.0}, PROMPTS)
    trained(directory)
    kl = [line.values["kl"] for line in metrics_of(directory)]
    assert kl[0] == 0.0
    assert kl[-1] > 0.0


def test_lora_trains_adapters_and_saves_a_whole_model(write_run, config, make_policy):
    config |= {"lora": True, "reference": make_policy(5), "learning_rate": 1e-2}
    directory = write_run(config, PROMPTS)
    report = trained(directory)
    assert report["before"]["kl"]["mean"] > 5
    assert (directory / "checkpoints/checkpoint-4/adapter_model.safetensors").is_file()
    model = AutoModelForCausalLM.from_pretrained(directory / "model")
    before = AutoModelForCausalLM.from_pretrained(config["policy"])
    names = [name for name, _ in model.named_parameters()]
    assert names == [name for name, _ in before.named_parameters()]
    moved = [
        name
        for (name, ours), theirs in zip(model.named_parameters(), before.parameters(), strict=True)
        if not torch.equal(ours, theirs)
    ]
    assert moved
    assert all("proj" in name for name in moved)


def test_a_run_that_goes_wild_is_stopped_and_rolled_back(write_run, config, tiny_policy):
    """Driven far too fast, the policy leaves its language; what is left is a clean checkpoint."""
    config |= {"guard": "stop", "steps": 40, "checkpoint_every": 1, "learning_rate": 3e-2}
    config |= {"samples_per_step": 16, "batch_size": 16, "beta": 0.0}
    directory = write_run(config, PROMPTS)
    report = trained(directory)
    guard = json.loads((directory / "guard.json").read_text())
    stop = guard["stop"]
    assert guard["standing"] == "stopped"
    assert report["guard"] == {name: guard[name] for name in ("standing", "kept", "stop")}
    assert metrics_of(directory)[-1].step == stop["step"] < 40
    assert stop["sentence"].startswith(f"Stopped at step {stop['step']}")
    assert guard["kept"] + 1 < stop["since"] <= stop["step"]
    assert len(stop["samples"]) == 3
    kept = directory / f"checkpoints/checkpoint-{guard['kept']}" if guard["kept"] else tiny_policy
    left = AutoModelForCausalLM.from_pretrained(directory / "model").state_dict()
    clean = AutoModelForCausalLM.from_pretrained(kept).state_dict()
    assert all(torch.equal(left[name], clean[name]) for name in left)
    suspects = read_rows(directory / "suspects.jsonl", SuspectRow)
    assert suspects
    assert {s.step for s in suspects} == {stop["step"]}
    assert {s.why for s in suspects} <= {"repetition", "kl", "length"}
    assert len({(s.prompt, s.text) for s in suspects}) == len(suspects)


def test_a_guard_that_only_watches_says_where_it_would_have_stopped(write_run, config):
    config |= {"steps": 30, "learning_rate": 3e-2, "beta": 0.0}
    config |= {"samples_per_step": 16, "batch_size": 16}
    directory = write_run(config, PROMPTS)
    report = trained(directory)
    assert report["guard"]["standing"] == "stopped"
    assert report["guard"]["kept"] == 30
    assert metrics_of(directory)[-1].step == 30 > report["guard"]["stop"]["step"]


def test_killed_and_started_again_the_guard_stops_where_it_would_have(
    write_run, config, launch, kill_when, finish
):
    config |= {"guard": "stop", "steps": 40, "checkpoint_every": 2, "learning_rate": 3e-2}
    config |= {"samples_per_step": 16, "batch_size": 16, "beta": 0.0}
    whole = write_run(config, PROMPTS, "whole")
    report = trained(whole)
    directory = write_run(config, PROMPTS, "killed")
    metrics = directory / "metrics.jsonl"
    kill_when(
        launch("train_policy", directory),
        lambda: metrics.is_file() and metrics.read_text().count("\n") >= 3,
    )
    write_run({**config, "attempt": 2}, PROMPTS, "killed")
    finish(launch("train_policy", directory), directory, "succeeded")
    again = json.loads((directory / "report.json").read_text())
    assert again["guard"] == report["guard"]
    assert again["hashes"]["weights"] == report["hashes"]["weights"]
    # After a stop whose checkpoint is there, nothing is trained any more.
    (directory / "report.json").unlink()
    assert trained(directory)["guard"] == report["guard"]


def test_a_second_opinion_is_watched_and_never_optimised(write_run, config, tiny_policy, tmp_path):
    torch.manual_seed(4)
    other = start_reward_model(tiny_policy, 100, torch.device("cpu"))
    torch.nn.init.normal_(other.model.score.weight, std=1.0)
    other.save(tmp_path / "second", other.settings)
    alone, watched = (
        write_run({**config, **more}, PROMPTS, name)
        for name, more in [("alone", {}), ("watched", {"second_opinion": str(tmp_path / "second")})]
    )
    weights = [trained(directory)["hashes"]["weights"] for directory in (alone, watched)]
    assert weights[0] == weights[1]
    last = metrics_of(watched)[-1].values
    assert last["gap"] == pytest.approx(last["reward"] - last["second"])
    levels = json.loads((watched / "guard.json").read_text())["levels"]
    assert "gap" in levels


def test_an_ensembles_spread_is_watched_and_its_bounds_may_pay(
    write_run, config, tiny_policy, tmp_path
):
    torch.manual_seed(3)
    reward = start_reward_model(tiny_policy, 100, torch.device("cpu"))
    reward.add_heads(["member 1", "member 2"])
    torch.nn.init.normal_(reward.heads.linear.weight, std=1.0)
    reward.save(tmp_path / "ensemble", reward.settings)
    config |= {"reward_model": str(tmp_path / "ensemble"), "steps": 1}
    bold = write_run(config, PROMPTS, "bold")
    parts = [{"kind": "lower", "spreads": 2.0}, {"kind": "minimum", "weight": 0.5}]
    wary = write_run({**config, "rewards": parts}, PROMPTS, "wary")
    for directory in (bold, wary):
        trained(directory)
    boldly, warily = (metrics_of(directory)[0].values for directory in (bold, wary))
    assert boldly["spread"] == warily["spread"] > 0
    assert "part_model" not in boldly
    both = warily["part_lower"] + 0.5 * warily["part_minimum"]
    assert warily["reward"] == pytest.approx(both)
    known, wary_known = (
        json.loads((directory / "guard.json").read_text())["scales"] for directory in (bold, wary)
    )
    assert wary_known["lower"][0] < known["model"][0] and wary_known.keys() == {"lower", "minimum"}


def test_without_a_reward_model_checks_alone_may_pay(write_run, config):
    checked = [
        {**prompt, "checks": [{"kind": "regex", "pattern": "[aeiou]"}]} for prompt in PROMPTS[:3]
    ]
    rows = [*checked, PROMPTS[3]]
    short = {"kind": "length", "weight": 0.1}
    config |= {"rewards": [{"kind": "checks"}, short], "reward_model": None, "steps": 2}
    directory = write_run(config, rows)
    report = trained(directory)
    # Of 16 answers that are compared, every fourth is to the prompt without checks.
    assert report["after"]["passed"]["n"] == 12
    for line in metrics_of(directory):
        values = line.values
        paid = values["part_checks"] + 0.1 * values["part_length"]
        assert values["reward"] == pytest.approx(paid)
        assert 0 < values["passed"] <= 1 and -1 <= values["part_length"] < 0
    # What nobody pays for is shown all the same, for a run beside it to be compared.
    watching = write_run({**config, "rewards": [short]}, rows, "watching")
    trained(watching)
    assert metrics_of(watching)[0].values["passed"] == metrics_of(directory)[0].values["passed"]


def test_stopped_before_its_first_checkpoint_it_keeps_the_start(write_run, config):
    config |= {"guard": "stop", "steps": 40, "checkpoint_every": 100, "learning_rate": 3e-2}
    config |= {"samples_per_step": 16, "batch_size": 16, "beta": 0.0}
    report = trained(write_run(config, PROMPTS))
    assert report["guard"]["kept"] == 0
    assert report["after"]["reward"] == report["before"]["reward"]
    assert report["after"]["kl"]["mean"] == 0.0


def test_adapters_are_forgotten_like_whole_weights(tiny_policy):
    policy, _ = load_policy(tiny_policy, "policy", torch.device("cpu"))
    start = policy(torch.tensor([[1, 2, 3]])).logits
    adapted = get_peft_model(policy, LoraConfig(target_modules="all-linear"))
    for name, weights in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights)
    assert not torch.allclose(policy(torch.tensor([[1, 2, 3]])).logits, start)
    start_over(policy, PolicyConfig(policy=tiny_policy, reference="", reward_model="", lora=True))
    assert torch.equal(policy(torch.tensor([[1, 2, 3]])).logits, start)


@pytest.mark.parametrize(
    ("change", "rows", "sentence"),
    [
        ({"samples_per_prompt": 3}, PROMPTS, "must be a multiple of samples_per_prompt = 3"),
        ({"batch_size": 5}, PROMPTS, "must be a multiple of batch_size = 5"),
        ({"guard": "sleep"}, PROMPTS, "guard = 'sleep' of PolicyConfig must be one of stop, watch"),
        ({"second_opinion": "/nowhere"}, PROMPTS, "second_opinion = '/nowhere' is not a directory"),
        ({"samples_per_prompt": 1}, PROMPTS, "samples_per_prompt = 1 must be 2 or more"),
        ({"policy": "/nowhere"}, PROMPTS, "policy = '/nowhere' is not a directory"),
        ({"reference": "/nowhere"}, PROMPTS, "reference = '/nowhere' is not a directory"),
        ({"reward_model": "/nowhere"}, PROMPTS, "reward_model = '/nowhere' is not a directory"),
        ({"reward_model": None}, PROMPTS, "rewards: model is what a reward model says; name one"),
        ({"rewards": []}, PROMPTS, "rewards is empty; name what an answer is worth"),
        ({"rewards": [{"kind": "checks"}]}, PROMPTS, "No prompt of data.jsonl has checks to pass"),
        ({"rewards": [{"kind": "lower"}]}, PROMPTS, "reads an ensemble, and the reward model has"),
        (
            {"rewards": [{"kind": "flag", "name": "made up"}]},
            PROMPTS,
            "name = 'made up': the reward model has learnt no flag",
        ),
        ({"max_new_tokens": 126}, PROMPTS, "none of the 4 prompts leaves room"),
        ({}, [], "data.jsonl is empty"),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_sentence(write_run, config, change, rows, sentence):
    directory = write_run({**config, **change}, rows)
    assert run("policy", train_policy, [str(directory)]) == 1
    status = read_status(directory)
    assert status.state == "failed"
    assert sentence in status.error


def test_a_learning_rate_that_explodes_fails_and_names_the_step(write_run, config):
    directory = write_run({**config, "learning_rate": 1e30}, PROMPTS)
    assert run("policy", train_policy, [str(directory)]) == 1
    assert "at step 2" in read_status(directory).error
