"""The one writer of a run directory, and how a script starts, beats, stops and fails.

A script is a story `tell(log)`; `run` takes the directory's lock, beats its heart while the story
is told, and turns every way it can end into a status and an exit code.
"""

import dataclasses
import fcntl
import json
import math
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from rewardtrain.contract import (
    CANCEL,
    CHECKPOINTS,
    COMPLETE,
    CONFIG,
    DATA,
    LOCK,
    METRICS,
    MODEL,
    REPORT,
    SAMPLES,
    SCORES,
    STATUS,
    SUSPECTS,
    ContractError,
    MetricLine,
    Status,
    encode,
    read_config,
    read_rows,
    read_status,
    write_json,
)

HEARTBEAT_SECONDS = 2.0
BUSY = 75
"""EX_TEMPFAIL: another process or attempt owns the directory; nothing of it was touched."""


class Cancelled(Exception):
    """Somebody asked the run to stop, and what it had is kept."""


class Superseded(Exception):
    """A later attempt owns the directory; this process must not write another line."""


class RunLog:
    """What a script writes while it runs. Use it through `run`.

    Of the processes of a launcher only the first leads; what the others say is left unwritten.
    """

    def __init__(self, directory: Path, config: Any, *, leads: bool = True) -> None:
        self.directory = directory
        self.config = config
        self.leads = leads
        self.started = time.time()
        self._status = Status(attempt=config.attempt, state="running", pid=os.getpid())
        self._writing = threading.RLock()
        self._ended = threading.Event()
        self._asked_to_stop = False
        self._pace: deque[tuple[float, int]] = deque(maxlen=21)

    # -- what the story reads ---------------------------------------------------------------

    @property
    def model_dir(self) -> Path:
        return self.directory / MODEL

    @property
    def checkpoints_dir(self) -> Path:
        return self.directory / CHECKPOINTS

    @property
    def seconds(self) -> float:
        """Since this attempt started."""
        return time.time() - self.started

    def rows(self, cls: type) -> list[Any]:
        """The rows of data.jsonl.

        Raises:
            ContractError: the file is absent or empty, or a row does not fit.
        """
        path = self.directory / DATA
        if not path.is_file():
            raise ContractError(f"{path} does not exist; the run needs its rows.")
        rows = read_rows(path, cls)
        if not rows:
            raise ContractError(f"{path} is empty; the run needs at least one row.")
        return rows

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the run to stop, by SIGTERM or by the file."""
        return self._asked_to_stop or (self.directory / CANCEL).exists()

    def check(self) -> None:
        """Stop here when asked to, or when a later attempt has taken over.

        Raises:
            Cancelled: what was checkpointed is kept.
            Superseded: leave without a word.
        """
        self.check_fence()
        if self.cancelled:
            raise Cancelled

    def check_fence(self) -> None:
        """Leave when a later attempt has taken over.

        Raises:
            Superseded: it has.
        """
        values = json.loads((self.directory / CONFIG).read_text(encoding="utf-8"))
        if values.get("attempt", 1) > self.config.attempt:
            raise Superseded

    def check_room(self, needed: int) -> None:
        """See that the directory's disk has room for `needed` bytes before hours are spent.

        Raises:
            ContractError: it has not.
        """
        free = shutil.disk_usage(self.directory).free
        if free < needed:
            raise ContractError(
                f"The disk of {self.directory} has {free / 1e9:.1f} GB free, and the run needs "
                f"about {needed / 1e9:.1f} GB for its checkpoints and its model; free some "
                "(bin/manage prune_runs shows what may go), or move STORE_DIR to a larger disk."
            )

    # -- what the story writes --------------------------------------------------------------

    def stage(self, words: str, steps: int | None = None, device: str | None = None) -> None:
        """Say what it is doing, and once known how many steps there are and on which device."""
        changes: dict[str, Any] = {"stage": words}
        if steps is not None:
            changes["steps"] = steps
        if device is not None:
            changes["device"] = device
        self._set(**changes)
        self.say(f"{words}{f' on {device}' if device else ''}")

    def say(self, words: str) -> None:
        """A line for log.txt, for the person who reads it later."""
        if self.leads:
            _say(f"[{self.seconds:7.1f} s] {words}")

    def metrics(self, step: int, **values: float | None) -> None:
        """Append one line of metrics and move the status to `step`; None values are left out.

        Raises:
            FloatingPointError: a value is not a finite number.
            Superseded: a later attempt has taken over.
        """
        self.check_fence()
        known = {name: float(value) for name, value in values.items() if value is not None}
        for name, value in known.items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"The {name} became {value} at step {step}; lower learning_rate and try again."
                )
        line = MetricLine(
            attempt=self.config.attempt, step=step, time=round(time.time(), 3), values=known
        )
        self._append(METRICS, [line])
        self._pace.append((time.monotonic(), step))
        self._set(step=step, seconds_left=self._seconds_left(step))
        shown = "  ".join(
            f"{name} {value:.4g}" for name, value in known.items() if not name.endswith("_smooth")
        )
        self.say(f"step {step} of {self._status.steps}  {shown}")

    def progress(self, step: int) -> None:
        """Move the status to `step` where there is nothing to measure."""
        self.check_fence()
        self._pace.append((time.monotonic(), step))
        self._set(step=step, seconds_left=self._seconds_left(step))

    def samples(self, rows: Iterable[Any]) -> None:
        """Append SampleRows."""
        self._append(SAMPLES, rows)

    def suspects(self, rows: Iterable[Any]) -> None:
        """Append SuspectRows."""
        self._append(SUSPECTS, rows)

    def scores(self, rows: Iterable[Any]) -> None:
        """Append ScoreRows."""
        self._append(SCORES, rows)

    def report(self, figures: dict[str, Any]) -> None:
        """Replace report.json."""
        self.check_fence()
        if self.leads:
            write_json(self.directory / REPORT, figures)

    # -- inside -----------------------------------------------------------------------------

    def _append(self, name: str, rows: Iterable[Any]) -> None:
        if not self.leads:
            return
        with (self.directory / name).open("a", encoding="utf-8") as file:
            file.write("".join(encode(row) + "\n" for row in rows))

    def _set(self, **changes: Any) -> None:
        with self._writing:
            self._status = dataclasses.replace(self._status, updated=time.time(), **changes)
            if self.leads:
                write_json(self.directory / STATUS, self._status)

    def _seconds_left(self, step: int) -> float | None:
        (earlier, first), (now, last) = self._pace[0], self._pace[-1]
        if last == first:
            return None
        return round((now - earlier) / (last - first) * (self._status.steps - step), 1)

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                self.check_fence()
            except Superseded:
                return
            with self._writing:
                if not self._ended.is_set():
                    self._set()

    def _ask_to_stop(self, *_: Any) -> None:
        self._asked_to_stop = True


def run(kind: str, tell: Callable[[RunLog], None], arguments: list[str]) -> int:
    """Tell a script's story in the run directory that `arguments` names; its exit code.

    0: succeeded or cancelled (status.json says which); 1: failed, and status.error says why in one
    sentence, log.txt in full; 75: another process or a later attempt owns the directory; 2: usage.
    """
    if len(arguments) != 1:
        _say("Give one run directory, such as runs/17.", sys.stderr)
        return 2
    directory = Path(arguments[0])
    if not directory.is_dir():
        _say(f"{directory} is not a directory; give a run directory.", sys.stderr)
        return 2
    if int(os.environ.get("RANK", "0")):
        return _follow(directory, tell)
    with (directory / LOCK).open("a") as lock:
        before = read_status(directory)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = f" (pid {before.pid})" if before else ""
            _say(f"Another process{owner} is at work in {directory}.", sys.stderr)
            return BUSY
        return _tell(directory, kind, tell, before)


def _tell(directory: Path, kind: str, tell: Callable[[RunLog], None], before: Status | None) -> int:
    try:
        config = read_config(directory)
        if config.kind != kind:
            raise ContractError(f"{directory / CONFIG}: kind = {config.kind!r} must be {kind!r}.")
    except ContractError as error:
        _say(error, sys.stderr)
        attempt = before.attempt if before else 1
        broken = Status(attempt=attempt, state="failed", pid=os.getpid(), error=str(error))
        write_json(directory / STATUS, dataclasses.replace(broken, updated=time.time()))
        return 1
    if before and before.attempt > config.attempt:
        _say(f"Attempt {before.attempt} of {directory} came after this one.", sys.stderr)
        return BUSY
    log = RunLog(directory, config)
    if before and before.state == "succeeded" and (directory / REPORT).is_file():
        # Training a finished run on would change its weights under its report.
        log._status = dataclasses.replace(before, attempt=config.attempt, pid=os.getpid())
        log._set()
        _say(f"{directory} is finished; nothing to do.")
        return 0
    for name in (METRICS, SAMPLES, SUSPECTS, SCORES):
        _cut_torn_line(directory / name)
    signal.signal(signal.SIGTERM, log._ask_to_stop)
    log._set(stage="starting")
    heart = threading.Thread(target=log._beat, daemon=True)
    heart.start()
    outcome: dict[str, Any]
    try:
        tell(log)
        outcome = {"state": "succeeded", "stage": "finished", "seconds_left": 0.0}
        code = 0
    except (Cancelled, KeyboardInterrupt):
        outcome, code = {"state": "cancelled", "stage": "cancelled", "seconds_left": None}, 0
    except Superseded:
        _say("A later attempt owns this directory; leaving it.", sys.stderr)
        return BUSY
    except BaseException as error:
        traceback.print_exc()
        outcome = {"state": "failed", "error": _sentence(error), "seconds_left": None}
        code = 1
    finally:
        log._ended.set()
    heart.join()
    log._set(**outcome)
    _say(f"[{log.seconds:7.1f} s] {outcome['state']} {outcome.get('error', '')}")
    return code


def _follow(directory: Path, tell: Callable[[RunLog], None]) -> int:
    """The story in a process beside the one that leads, which holds the lock and writes."""
    log = RunLog(directory, read_config(directory), leads=False)
    signal.signal(signal.SIGTERM, log._ask_to_stop)
    try:
        tell(log)
    except Cancelled:
        return 0
    except Superseded:
        return BUSY
    return 0


def _say(words: object, stream: TextIO = sys.stdout) -> None:
    stream.write(f"{words}\n")
    stream.flush()


def _sentence(error: BaseException) -> str:
    if isinstance(error, ContractError | FloatingPointError):
        return str(error)
    if type(error).__name__ == "OutOfMemoryError":
        return "The device ran out of memory; use a smaller batch_size or max_length."
    reason = (str(error).strip() or "no more is known").splitlines()[0]
    return f"{type(error).__name__}: {reason} (the log has the whole story)."


def _cut_torn_line(path: Path) -> None:
    """Drop the half line that a killed process left; no reader has taken it."""
    if path.is_file():
        whole = path.read_bytes()
        if not whole.endswith(b"\n"):
            with path.open("r+b") as file:
                file.truncate(whole.rfind(b"\n") + 1)


def complete_checkpoints(folder: Path) -> dict[int, Path]:
    """The folder's complete checkpoints by step."""
    return {
        int(path.parent.name.rpartition("-")[2]): path.parent
        for path in folder.glob(f"checkpoint-*/{COMPLETE}")
    }


def newest_checkpoint(folder: Path) -> tuple[Path | None, int]:
    """The folder's complete checkpoint of the highest step, and its step; (None, 0) without one."""
    steps = complete_checkpoints(folder)
    return (steps[max(steps)], max(steps)) if steps else (None, 0)


def complete_checkpoint(path: Path) -> None:
    """Mark a checkpoint as whole; before this it does not count."""
    write_json(path / COMPLETE, {"time": time.time()})
