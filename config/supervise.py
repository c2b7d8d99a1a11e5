"""Programs kept running until a signal, then stopped in order with all that they started.

A program that ends on its own is started again (honcho and its like would stop everything, and a
worker that runs out of memory must not take the site down). Whatever the programs start carries a
mark in its environment, so that nothing outlives them, not even training in its own session.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType

import psutil

MARK = "VIBECHECK_SERVER"
LONGEST_PAUSE = 30
"""Seconds before a program that keeps ending is started once more."""
LASTING = 60
"""Seconds after which a program counts as one that runs."""
LEFTOVER_GRACE = 5


@dataclass(kw_only=True)
class Program:
    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    """What it needs beyond the environment that all share."""
    grace: float
    """Seconds from SIGTERM to SIGKILL."""


class Supervisor:
    """Runs `stages` of programs: the first is up before the others start, and stops before them."""

    def __init__(self, stages: list[list[Program]], env: Mapping[str, str], mark: str) -> None:
        self.stages = stages
        self.env = {**env, MARK: mark}
        self.mark = mark
        self.processes: dict[str, subprocess.Popen] = {}
        self.started: dict[str, float] = {}
        self.pauses: dict[str, float] = {}
        self.ending = threading.Event()

    def run(self, ready: Callable[[], bool], announce: Callable[[], None]) -> int:
        """Serve until SIGINT, SIGTERM or SIGHUP; `announce` is called once the first are `ready`.

        Returns the exit status: 0 after a signal, 1 when one of the first ended while starting.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        first, rest = self.stages[0], [p for stage in self.stages[1:] for p in stage]
        for program in first:
            self._start(program)
        try:
            while not self.ending.wait(0.2) and not ready():
                if ended := [p for p in first if self.processes[p.name].poll() is not None]:
                    say(f"{ended[0].name} ended while starting, for the reason above.")
                    return 1
            if not self.ending.is_set():
                announce()
                for program in rest:
                    self._start(program)
            while not self.ending.wait(0.2):
                for program in [*first, *rest]:
                    if self.processes[program.name].poll() is not None:
                        self._start_again(program)
        finally:
            self._stop_all()
        return 0

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.ending.set()

    def _start(self, program: Program) -> None:
        process = subprocess.Popen(
            program.command,
            env={**self.env, **program.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.processes[program.name] = process
        self.started[program.name] = time.monotonic()
        threading.Thread(target=_relay, args=(program.name, process), daemon=True).start()

    def _start_again(self, program: Program) -> None:
        """After a pause that doubles while the program keeps ending at once."""
        lasted = time.monotonic() - self.started[program.name]
        pause = 1.0 if lasted > LASTING else self.pauses.get(program.name, 1.0)
        if lasted < pause:
            return
        self.pauses[program.name] = min(2 * pause, LONGEST_PAUSE)
        say(f"{program.name} ended ({_reason(self.processes[program.name])}); starting it again")
        self._start(program)

    def _stop_all(self) -> None:
        say("Stopping")
        for programs in self.stages:
            stage = [program for program in programs if program.name in self.processes]
            for program in stage:
                self.processes[program.name].terminate()
            deadline = time.monotonic() + max((program.grace for program in stage), default=0)
            for program in stage:
                process = self.processes[program.name]
                try:
                    process.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        end_leftovers(self.mark)


def end_leftovers(mark: str) -> None:
    """End every process that carries `mark`: SIGTERM, and SIGKILL after LEFTOVER_GRACE seconds."""
    left = [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(MARK) == mark and process.pid != os.getpid()
    ]
    for process in left:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(left, LEFTOVER_GRACE)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, LEFTOVER_GRACE)


def say(text: str) -> None:
    try:
        print(f"== {text}", flush=True)
    except BrokenPipeError:
        pass  # Nobody reads any more; the work goes on.


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        pass


def _reason(process: subprocess.Popen) -> str:
    status = process.returncode
    return f"signal {-status}" if status < 0 else f"status {status}"


def _relay(name: str, process: subprocess.Popen) -> None:
    """Print the program's lines under its name; they are read even when nobody reads ours."""
    assert process.stdout is not None
    for line in process.stdout:
        try:
            sys.stdout.write(f"{name:8}| {line.decode(errors='replace')}")
            sys.stdout.flush()
        except BrokenPipeError:
            pass
