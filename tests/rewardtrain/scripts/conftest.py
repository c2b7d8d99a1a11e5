"""Launching the real scripts, and killing them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from rewardtrain.contract import read_status

ROOT = Path(__file__).parents[3]
PATIENCE = 120
"""Seconds until a script that neither moves nor ends fails its test, on a crowded machine."""


@pytest.fixture
def launch() -> Iterator[Callable[[str, Path], subprocess.Popen]]:
    """Start a script on a run directory as a process of its own, as the web side does."""
    started: list[subprocess.Popen] = []

    def start(script: str, directory: Path) -> subprocess.Popen:
        command = [sys.executable, "-m", f"rewardtrain.scripts.{script}", str(directory)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=directory,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def wait_until() -> Callable[[subprocess.Popen, Callable[[], bool]], None]:
    """Wait for a condition; the process must not end before it holds."""

    def wait(process: subprocess.Popen, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert process.poll() is None, f"it ended by itself: {process.stdout.read()}"
            assert time.monotonic() < end, "nothing happened"
            time.sleep(0.01)

    return wait


@pytest.fixture
def kill_when(wait_until) -> Callable[[subprocess.Popen, Callable[[], bool]], None]:
    """Kill a process with SIGKILL as soon as a condition holds."""

    def kill(process: subprocess.Popen, condition: Callable[[], bool]) -> None:
        wait_until(process, condition)
        process.kill()
        process.wait()

    return kill


@pytest.fixture
def finish() -> Callable[..., str]:
    """Wait for a process; its output. It must exit with `code` and leave `state`."""

    def wait(process: subprocess.Popen, directory: Path, state: str, code: int = 0) -> str:
        output, _ = process.communicate(timeout=PATIENCE)
        status = read_status(directory)
        assert (process.returncode, status.state) == (code, state), output
        return output

    return wait


def by_launcher(script: Sequence[str], directory: Path, processes: int = 2) -> subprocess.Popen:
    """A script under accelerate's launcher, as `TRAIN_LAUNCHER` starts it on several GPUs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    command += ["--num_processes", str(processes), "--num_machines", "1", "--mixed_precision", "no"]
    command += ["--dynamo_backend", "no", "--main_process_port", str(port)]
    return subprocess.Popen(
        [*command, *script, str(directory)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
