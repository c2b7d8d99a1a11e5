"""Fine-tuning as several processes."""

import json
import signal
from pathlib import Path

import psutil
import pytest

from rewardtrain.contract import MetricLine, read_rows, read_status
from rewardtrain.core.runlog import complete_checkpoints, run
from rewardtrain.scripts import train_policy as script
from tests.rewardtrain.conftest import said
from tests.rewardtrain.scripts.conftest import PATIENCE, by_launcher

PROMPTS = [
    {"prompt": i, "messages": said(text)} for i, text in enumerate(["The fox?", "Well?", "And?"])
]
WITNESS = """
import json, os, sys
from rewardtrain.core.guard import Guard
from rewardtrain.core.runlog import run
from rewardtrain.scripts import train_policy as script

observe = Guard.observe

def witnessed(guard, step, values):
    smooth = observe(guard, step, values)
    with open(f"{sys.argv[1]}/process-{os.environ['RANK']}.jsonl", "a") as file:
        file.write(json.dumps([step, guard.state()]) + "\\n")
    return smooth

Guard.observe = witnessed
script.JUDGED = 8
sys.exit(run("policy", script.train_policy, sys.argv[1:]))
"""


@pytest.fixture
def config(tiny_policy, tiny_reward_model) -> dict:
    return {
        "kind": "policy",
        "policy": tiny_policy,
        "reference": tiny_policy,
        "reward_model": tiny_reward_model,
        "device": "cpu",
        "samples_per_step": 16,
        "batch_size": 16,
        "max_new_tokens": 8,
        "checkpoint_every": 1,
    }


def test_two_processes_decide_as_one_and_roll_back(write_run, config, finish, tmp_path):
    """Driven far too fast; each process sees half of a step's samples."""
    config |= {"steps": 40, "learning_rate": 3e-2, "beta": 0.01, "target_kl": 5.0}
    directory = write_run(config, PROMPTS)
    witness = tmp_path / "witness.py"
    witness.write_text(WITNESS)
    finish(by_launcher([str(witness)], directory), directory, "succeeded")
    first, second = (seen_by(directory, rank) for rank in (0, 1))
    assert first == second
    guard = json.loads((directory / "guard.json").read_text())
    assert first[-1][1]["stop"]["step"] == first[-1][0] == guard["stop"]["step"] < 40
    lines = read_rows(directory / "metrics.jsonl", MetricLine)
    assert [line.step for line in lines] == list(range(1, guard["stop"]["step"] + 1))
    assert (directory / "model/model.safetensors").is_file()


def seen_by(directory: Path, rank: int) -> list:
    lines = (directory / f"process-{rank}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_told_to_stop_two_processes_end_at_one_step_with_its_checkpoint(
    write_run, config, wait_until
):
    config |= {"steps": 2000, "guard": "watch", "checkpoint_every": 1000}
    directory = write_run(config, PROMPTS)
    metrics = directory / "metrics.jsonl"
    process = by_launcher(["-m", "rewardtrain.scripts.train_policy"], directory)
    wait_until(process, lambda: metrics.is_file() and metrics.read_text().count("\n") > 2)
    launcher = psutil.Process(process.pid)
    members = [launcher, *launcher.children(recursive=True)]
    for member in members:
        member.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    status = read_status(directory)
    assert status.state == "cancelled"
    assert status.step in complete_checkpoints(directory / "checkpoints")


def test_processes_that_cannot_share_a_step_evenly_are_refused(write_run, config, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    directory = write_run({**config, "samples_per_step": 12, "batch_size": 4}, PROMPTS)
    assert run("policy", script.train_policy, [str(directory)]) == 1
    assert "batch_size = 4 times the 2 processes" in read_status(directory).error


def test_a_launcher_that_shards_the_weights_is_refused(write_run, config, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    directory = write_run(config, PROMPTS)
    assert run("policy", script.train_policy, [str(directory)]) == 1
    assert "does not shard a model" in read_status(directory).error
