"""Each way of fine-tuning learns what it should, and goes on where it was killed."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch

from rewardtrain.contract import MetricLine, PolicyConfig, SampleRow, read_rows, read_status
from rewardtrain.core.kl_coefficient import adapted
from rewardtrain.core.methods import writer
from rewardtrain.core.rollout_trainer import best_of_each
from rewardtrain.core.runlog import run
from rewardtrain.scripts import train_policy as script
from tests.rewardtrain.conftest import said

QUESTIONS = ["The fox?", "The bear?", "The lamp?", "They sang by the river. And then?"]
LIKED, DISLIKED = "The small fox.", "The moon rose, and all was well."
PROMPTS = [{"prompt": i, "messages": said(text)} for i, text in enumerate(QUESTIONS)]
DEMONSTRATIONS = [{"messages": said(text), "text": LIKED} for text in QUESTIONS]


def comparison(place: int, **changes) -> dict:
    answers = [[{"role": "assistant", "content": text}] for text in (LIKED, DISLIKED)]
    return {
        "comparison": f"c{place}",
        "thread_root": f"root {place}",
        "split": "train",
        "messages": said(QUESTIONS[place % len(QUESTIONS)]),
        "responses": answers,
        "outcome": "prefer",
        "tiers": [[0], [1]],
        **changes,
    }


UNDECIDED = {"outcome": "tie", "tiers": [[0, 1]]}
COMPARISONS = [*map(comparison, range(8)), comparison(8, **UNDECIDED)]
ROWS = {"dpo": COMPARISONS, "sft": DEMONSTRATIONS}


@pytest.fixture(autouse=True)
def few_judged(monkeypatch):
    monkeypatch.setattr(script, "JUDGED", 16)


@pytest.fixture
def tune(write_run, tiny_policy, tiny_reward_model):
    """Run the script by a method; its directory."""

    def start(method: str, name: str = "run", rows: list | None = None, **changes) -> Path:
        config = {"kind": "policy", "method": method, "reward_model": tiny_reward_model}
        config |= {"policy": tiny_policy, "reference": tiny_policy, "steps": 6, "beta": 0.1}
        config |= {"samples_per_step": 8, "batch_size": 8, "max_new_tokens": 8}
        config |= {"learning_rate": 5e-3, "checkpoint_every": 2, "sample_every": 2}
        config |= {"guard": "watch", **changes}
        directory = write_run(config, rows or ROWS.get(method, PROMPTS), name)
        run("policy", script.train_policy, [str(directory)])
        return directory

    return start


def report_of(directory: Path) -> dict:
    assert read_status(directory).state == "succeeded", read_status(directory)
    return json.loads((directory / "report.json").read_text())


def values_of(directory: Path, name: str) -> list[float]:
    lines = read_rows(directory / "metrics.jsonl", MetricLine)
    return [line.values[name] for line in lines if name in line.values]


@pytest.mark.parametrize("method", ["grpo", "rejection_sampling"])
def test_what_the_policy_writes_earns_more(tune, method):
    directory = tune(
        method,
        steps=25,
        samples_per_prompt=8,
        samples_per_step=32,
        batch_size=16,
        max_new_tokens=2,
        learning_rate=2e-2,
        beta=0.01,
    )
    report = report_of(directory)
    assert report["after"]["reward"]["low"] > report["before"]["reward"]["high"]
    kl = values_of(directory, "kl")
    assert len(kl) == 25
    assert kl[0] == 0.0 < kl[-1]


def test_rejection_sampling_learns_each_prompts_best_sample(tune):
    """Its first loss, over two passes, is what the best of the samples shown were worth."""
    directory = tune("rejection_sampling", steps=1, batch_size=4)
    shown = read_rows(directory / "samples.jsonl", SampleRow)
    assert len(shown) == 8
    asked = {s.prompt for s in shown}
    best = [max((s for s in shown if s.prompt == p), key=lambda s: s.reward) for p in asked]
    expected = sum(-s.logprob / s.tokens for s in best) / len(best)
    assert values_of(directory, "loss") == [pytest.approx(expected, rel=1e-4)]


def test_only_each_prompts_best_sample_is_kept():
    rewards = torch.tensor([[1.0, 3.0, 2.0], [5.0, 5.0, 5.0], [0.0, -1.0, 0.0]])
    kept = best_of_each(rewards)
    assert kept.tolist() == [[0.0, 4.5, 0.0], [0.0] * 3, [4.5, 0.0, 0.0]]
    assert best_of_each(torch.ones(2, 3)).sum() == 0


def test_dpo_learns_what_people_preferred(tune):
    directory = tune("dpo", steps=30, max_new_tokens=20)
    report = report_of(directory)
    loss = values_of(directory, "loss")
    assert loss[0] == pytest.approx(math.log(2), abs=1e-4)
    assert loss[-1] < 0.1
    assert report["after"]["kl"]["mean"] > report["before"]["kl"]["mean"] == 0.0
    # Its own samples are looked at before the first of every two steps.
    lines = read_rows(directory / "metrics.jsonl", MetricLine)
    looked = [line.step for line in lines if "kl" in line.values]
    assert looked == list(range(1, 31, 2))
    assert {s.step for s in read_rows(directory / "samples.jsonl", SampleRow)} == set(looked)


def test_sft_learns_what_people_wrote(tune):
    directory = tune("sft", steps=40, max_new_tokens=20, learning_rate=2e-2)
    report_of(directory)
    loss = values_of(directory, "loss")
    assert loss[-1] < 0.01 < 1 < loss[0]
    written = [s for s in read_rows(directory / "samples.jsonl", SampleRow) if s.step == 39]
    assert sum(s.text == LIKED and not s.truncated for s in written) >= len(written) - 1


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("rloo", {"target_kl": 0.5}),
        ("grpo", {}),
        ("rejection_sampling", {}),
        ("dpo", {}),
        ("sft", {"lora": True}),
    ],
)
def test_from_a_checkpoint_it_ends_with_the_same_weights(tune, method, changes):
    """What is left of a run that was killed after its second step is taken away from a whole one;
    test_train_policy.py really kills."""
    whole = tune(method, **changes)
    hashes = report_of(whole)["hashes"]
    lines = (whole / "metrics.jsonl").read_text().splitlines(keepends=True)
    (whole / "metrics.jsonl").write_text("".join(lines[:3]))
    (whole / "report.json").unlink()
    for step in (4, 6):
        shutil.rmtree(whole / f"checkpoints/checkpoint-{step}")
    again = tune(method, attempt=2, **changes)
    assert report_of(again)["hashes"]["weights"] == hashes["weights"]
    after = [json.loads(line) for line in (again / "metrics.jsonl").read_text().splitlines()]
    first = [{**json.loads(line)["values"], "seconds": 0} for line in lines]
    assert [{**line["values"], "seconds": 0} for line in after[3:]] == first[2:]


def test_the_coefficient_follows_its_target(tune):
    directory = tune("rloo", target_kl=0.05, steps=8)
    report_of(directory)
    beta, kl = values_of(directory, "beta"), values_of(directory, "kl")
    assert beta[0] == 0.1
    for before, seen, after in zip(beta, kl, beta[1:], strict=False):
        assert after == adapted(before, seen, 0.05)
    assert beta[1] < beta[0]
    assert beta[-1] > min(beta)
    kept = json.loads((directory / "checkpoints/checkpoint-8/guard.json").read_text())
    assert kept["beta"] == adapted(beta[-1], kl[-1], 0.05)


def test_a_step_of_the_coefficient_is_the_papers():
    assert adapted(0.2, 6.0, 6.0) == 0.2
    assert adapted(0.2, 6.6, 6.0) == pytest.approx(0.2 * 1.01)
    assert adapted(0.2, 60.0, 6.0) == pytest.approx(0.2 * 1.02)
    assert adapted(0.2, 0.0, 6.0) == pytest.approx(0.2 * 0.98)


def test_a_guard_that_looks_now_and_then_rolls_back_by_its_looks(tune):
    """Driven far too fast; each look is two steps from the next."""
    directory = tune(
        "dpo",
        guard="stop",
        steps=40,
        learning_rate=5e-2,
        beta=0.01,
        samples_per_step=16,
        batch_size=16,
    )
    guard = report_of(directory)["guard"]
    assert guard["standing"] == "stopped"
    assert guard["stop"]["step"] % 2 == 1
    assert guard["stop"]["since"] <= guard["stop"]["step"] - 4
    assert guard["kept"] + 1 < max(2, guard["stop"]["since"])


def test_vllm_writes_where_it_is_installed_beside_a_gpu(monkeypatch):
    usual = PolicyConfig(policy="", reference="", reward_model="").rollouts
    assert writer(usual, on_gpu=True) == "transformers"
    monkeypatch.setattr("rewardtrain.core.methods.is_vllm_available", lambda: True)
    assert writer(usual, on_gpu=True) == "vllm"
    assert writer(usual, on_gpu=False) == "transformers"
    assert writer("transformers", on_gpu=True) == "transformers"


@pytest.mark.parametrize(
    ("method", "changes", "sentence"),
    [
        ("ppo", {}, "must be one of rloo, grpo, rejection_sampling, dpo, sft"),
        ("dpo", {"beta": 0.0}, "beta = 0 leaves DPO nothing to learn"),
        ("dpo", {"rows": [comparison(0, **UNDECIDED)]}, "none of the 1 rows is a decided"),
        ("dpo", {"rows": [comparison(0, split="heldout")]}, "none of the 1 rows is a decided"),
        ("sft", {"rows": PROMPTS}, "prompt is not a field of DemonstrationRow"),
        ("sft", {"target_kl": 3.0}, "target_kl = 3 is of no use to sft"),
        ("rloo", {"target_kl": 3.0, "beta": 0.0}, "beta = 0 stays 0 whatever target_kl is"),
        ("rloo", {"target_kl": -1}, "target_kl = -1 must be a number of nats above 0"),
    ],
)
def test_what_a_method_cannot_work_with_is_said_in_a_sentence(tune, method, changes, sentence):
    status = read_status(tune(method, **changes))
    assert status.state == "failed"
    assert sentence in status.error
