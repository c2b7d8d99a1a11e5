"""The models that stay loaded: a process with torch beside a worker, spoken to in JSON lines.

Torch is barred from web and worker processes, and loading it takes seconds; so the worker of queue
`live` starts `rewardtrain.scripts.serve` with the first request and keeps it. It ends with its
worker, and one that was killed is started anew by the next request.
"""

import dataclasses
import json
import queue
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

from django.conf import settings

from rewardtrain import contract
from rewardtrain.launch import script_command, script_environment

SCRIPT = "rewardtrain.scripts.serve"
LOADING_SECONDS = 300.0
"""So long a process may take to its first word about a request: it may have to load a model."""
SILENT_SECONDS = 60.0
"""Silent for longer from there on, it is taken for lost."""
STUCK_SECONDS = 5.0
"""Silent for longer with the model in memory, it is ended when whoever waits gives up."""
LISTEN_SECONDS = 1.0


class ResidentError(Exception):
    """The request could not be done; the text says why."""


class ResidentGone(ResidentError):
    """The process ended, or fell silent, before it had answered."""


class Resident:
    """At most one process; one request at a time, whoever asks waits."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._loaded: set[str] = set()
        self._asked = 0
        self._alone = threading.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def score(self, request: contract.ScoreRequest) -> dict[str, Any]:
        """{"scores", "normalised", "spread", "remarks", "nearest"}, each a value a response.

        Raises:
            ResidentError: as reply.
        """
        *_, last = self._ask("score", request)
        return last["done"]

    def reply(self, request: contract.ReplyRequest) -> Generator[dict[str, Any], None, None]:
        """{"loaded"}, {"texts"} while it writes, and at last {"done": {"samples"}}.

        {} for every second of silence, so that whoever waits can give up by closing the iterator.

        Raises:
            ResidentError: it cannot be done; ResidentGone where another try may go well.
        """
        heard = time.monotonic()
        try:
            for said in self._ask("reply", request):
                if said:
                    heard = time.monotonic()
                    self._loaded.add(request.model)
                yield said
        except GeneratorExit:
            if request.model in self._loaded and time.monotonic() - heard > STUCK_SECONDS:
                self.stop()
            raise

    def stop(self) -> None:
        """End the process, in the middle of a request too."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _ask(self, ask: str, request: Any) -> Iterator[dict[str, Any]]:
        with self._alone:
            process = self._started()
            self._asked += 1
            line = {"id": self._asked, "ask": ask, **dataclasses.asdict(request)}
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps(line) + "\n")
                process.stdin.flush()
            except OSError:
                raise self._gone() from None
            yield from self._hear()

    def _hear(self) -> Iterator[dict[str, Any]]:
        heard, patience = time.monotonic(), LOADING_SECONDS
        said: dict[str, Any] = {}
        while "done" not in said:
            said = self._next()
            if said:
                heard, patience = time.monotonic(), SILENT_SECONDS
            if time.monotonic() - heard > patience:
                raise self._gone()
            yield said

    def _next(self) -> dict[str, Any]:
        """The next line about this request, {} when none came; those of one that was given up are
        passed by."""
        while True:
            try:
                said = self._heard.get(timeout=LISTEN_SECONDS)
            except queue.Empty:
                return {}
            if said is None:
                raise self._gone()
            if said["id"] != self._asked:
                continue
            if "error" in said:
                raise ResidentError(said["error"])
            return said

    def _gone(self) -> ResidentGone:
        self.stop()
        return ResidentGone("The process that holds the models ended before it had answered.")

    def _started(self) -> subprocess.Popen:
        if self.pid is not None:
            assert self._process is not None
            return self._process
        self._heard, self._loaded = queue.SimpleQueue(), set()
        self._process = subprocess.Popen(
            script_command(SCRIPT),
            cwd=settings.BASE_DIR,
            env=script_environment("resident", offline=False),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        threading.Thread(target=_listen, args=(self._process, self._heard), daemon=True).start()
        return self._process


def _listen(process: subprocess.Popen, heard: queue.SimpleQueue) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        heard.put(json.loads(line))
    heard.put(None)


resident = Resident()
"""This worker process's own."""
