"""Reward training as processes: several at once, paused, short of memory."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from rewardtrain.contract import MetricLine, read_rows, read_status
from tests.rewardtrain.scripts.conftest import PATIENCE, ROOT, by_launcher

SCRIPT = ("-m", "rewardtrain.scripts.train_reward")


def comparison(i: int) -> dict:
    """The tale about the lamp is preferred; prompts of every length, labelers of two weights."""
    return {
        "comparison": f"c{i}",
        "thread_root": f"root {i}",
        "split": "train",
        "messages": [{"role": "user", "content": "Tell a tale. " * (1 + i % 5)}],
        "responses": [
            [{"role": "assistant", "content": "They found a red lamp. " * (1 + i % 2)}],
            [{"role": "assistant", "content": "They lost a blue cup."}],
        ],
        "outcome": "prefer",
        "tiers": [[0], [1]],
        "weight": 1.0 + i % 2,
    }


@pytest.fixture
def config(tiny_policy) -> dict:
    return {
        "kind": "reward",
        "backbone": tiny_policy,
        "device": "cpu",
        "epochs": 2,
        "batch_size": 6,
        "folds": 0,
        "precision": "float32",
        "curve": False,
    }


def losses(directory) -> list[float]:
    return [line.values["loss"] for line in read_rows(directory / "metrics.jsonl", MetricLine)]


def test_two_processes_find_the_loss_of_one(write_run, config, launch, finish):
    rows = [comparison(i) for i in range(20)]
    one, two = (write_run(config, rows, name) for name in ("one", "two"))
    finish(launch("train_reward", one), one, "succeeded")
    finish(by_launcher(SCRIPT, two), two, "succeeded")
    assert losses(two) == pytest.approx(losses(one), abs=1e-5)
    assert len(losses(two)) == 8


def test_told_to_stop_the_processes_of_a_launcher_end_at_one_step_with_its_checkpoint(
    write_run, config, wait_until
):
    rows = [comparison(i) for i in range(20)]
    directory = write_run({**config, "epochs": 2000}, rows)
    metrics = directory / "metrics.jsonl"
    process = by_launcher(SCRIPT, directory)
    wait_until(process, lambda: metrics.is_file() and metrics.read_text().count("\n") > 2)
    # As the worker does: each of the run's processes, the launcher's own sessions included.
    launcher = psutil.Process(process.pid)
    members = [launcher, *launcher.children(recursive=True)]
    for member in members:
        member.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert len(members) == 3
    assert not any(member.is_running() for member in members[1:])
    status = read_status(directory)
    assert status.state == "cancelled"
    assert (directory / f"checkpoints/fit-1/checkpoint-{status.step}/COMPLETE").is_file()


def test_a_process_that_wakes_up_late_changes_nothing(write_run, config, launch, wait_until):
    rows = [comparison(i) for i in range(20)]
    config |= {"epochs": 2000, "checkpoint_every": 1}
    directory = write_run(config, rows)
    metrics = directory / "metrics.jsonl"
    process = launch("train_reward", directory)
    wait_until(process, lambda: metrics.is_file() and metrics.read_text().count("\n") > 2)
    process.send_signal(signal.SIGSTOP)
    write_run({**config, "attempt": 2}, rows)
    before = contents(directory)
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 75, output
    after = contents(directory)
    # It may have been in the middle of a checkpoint, or of dropping one that a newer had replaced.
    known = {name for name in before if "checkpoint-" not in name}
    assert {name: after[name] for name in known} == {name: before[name] for name in known}
    assert complete(after) <= complete(before)
    assert newest(complete(before)) in after


def complete(files: dict[str, bytes]) -> set[str]:
    return {name for name in files if name.endswith("COMPLETE")}


def newest(markers: set[str]) -> str:
    return max(markers, key=lambda name: int(name.split("checkpoint-")[1].split("/")[0]))


def contents(directory) -> dict[str, bytes]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


SHORT_OF_MEMORY = """
import resource, sys
from rewardtrain.core import packing
from rewardtrain.core.runlog import run
from rewardtrain.scripts.train_reward import train_reward
import rewardtrain.core.packed_trainer as trainer
trainer.budget_of = lambda model: packing.Budget(row=16384, tokens=16384)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 29),) * 2)
sys.exit(run("reward", train_reward, sys.argv[1:]))
"""


def test_out_of_memory_halves_the_pass_and_goes_on(write_run, config, finish):
    """The rows of the first budget want a mask of a gigabyte where half of one is left."""
    rows = [
        {**comparison(i), "messages": [{"role": "user", "content": f"Tale {i}"}]}
        for i in range(400)
    ]
    directory = write_run({**config, "batch_size": 400, "epochs": 1, "members": 0}, rows)
    process = subprocess.Popen(
        [sys.executable, "-c", SHORT_OF_MEMORY, str(directory)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = finish(process, directory, "succeeded")
    assert "out of memory; going on with 8192 tokens a pass" in output
    assert len(losses(directory)) == 1
