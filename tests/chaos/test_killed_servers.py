"""SIGKILL, from outside, of the web server, Postgres and Redis while twenty people submit."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from config import servers
from config.embedded import environment
from config.serve import healthy, programs

ROOT = Path(__file__).resolve().parents[2]
SUBMISSIONS, CLIENTS = 2000, 20
KILL_WEB_AT, KILL_POSTGRES_AT, KILL_REDIS_AT, WITHOUT_REDIS = 400, 900, 1400, 150
PATIENCE = 0.8
"""The share of unanswered submissions that are sent again, until they are acknowledged."""


@dataclass
class House:
    """Servers of the test's own, and the web server as bin/start runs it."""

    var: Path
    env: dict[str, str]
    port: int
    web: subprocess.Popen | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def serve(self) -> None:
        program = programs("127.0.0.1", self.port)[0][0]
        with (self.var / "web.log").open("ab") as log:
            self.web = subprocess.Popen(
                program.command, cwd=ROOT, env=self.env, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while not healthy("127.0.0.1", self.port):
            assert self.web.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def kill_web(self) -> None:
        assert self.web is not None
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()

    def kill(self, server: servers.Server) -> None:
        """Its main process; what Postgres leaves behind must not be in the way."""
        process = servers.members(server)[0]
        process.kill()
        process.wait(10)

    def start_again(self, server: servers.Server) -> None:
        servers.start(server, first=True, temporary=False)

    @property
    def postgres(self) -> servers.Server:
        return servers.postgres(self.var, (self.var / "run").resolve(), temporary=False)

    @property
    def redis(self) -> servers.Server:
        return servers.redis_server(self.var, (self.var / "run").resolve())

    def ask(self, command: str, given: dict[str, Any]) -> dict[str, Any]:
        ran = subprocess.run(
            [sys.executable, "-m", "tests.chaos.other_side", command],
            cwd=ROOT, env=self.env, input=json.dumps(given), capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr[-3000:]
        return json.loads(ran.stdout)

    def log(self) -> str:
        return (self.var / "web.log").read_text()[-3000:]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    with (
        tempfile.TemporaryDirectory(prefix="vibecheck-chaos-", dir="/tmp") as folder,
        socket.create_server(("127.0.0.1", 0)) as free,
        environment(Path(folder)) as env,
    ):
        port = free.getsockname()[1]
        free.close()
        house = House(Path(folder), env, port)
        try:
            yield house
        finally:
            if house.web and house.web.poll() is None:
                house.kill_web()
            for server in (house.postgres, house.redis):
                servers.stop(server)


@dataclass
class Ledger:
    """What was sent, and which of it was acknowledged."""

    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    abandoned: set[str] = field(default_factory=set)
    sent_again: set[str] = field(default_factory=set)
    pen: threading.Lock = field(default_factory=threading.Lock)

    @property
    def sent(self) -> int:
        return len(self.acknowledged) + len(self.abandoned)


class Client:
    """A labeler whose outbox sends every answer with a key of its own."""

    def __init__(self, house: House, slug: str, token: str, ledger: Ledger, seed: int) -> None:
        self.base, self.slug, self.ledger = house.base, slug, ledger
        self.rng = random.Random(seed)
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Token {token}"

    def work(self, submissions: int) -> None:
        held: list[dict[str, Any]] = []
        for _ in range(submissions):
            while not held:
                served = self.insist(f"projects/{self.slug}/assignments/", {"want": 3})
                held = served["assignments"]
            self.submit(held.pop(0))

    def submit(self, shown: dict[str, Any]) -> None:
        key = str(uuid.uuid4())
        said = {
            "outcome": "prefer", "tiers": self.rng.choice([[[0], [1]], [[1], [0]]]),
            "strength": self.rng.randint(1, 3),
        }  # fmt: skip
        body = {"token": shown["token"], "idempotency_key": key, **said}
        path = f"assignments/{shown['key']}/preference/"
        receipt = self.post(path, body)
        if receipt is None and self.rng.random() < PATIENCE:
            self.ledger.sent_again.add(key)
            receipt = self.insist(path, body)
        with self.ledger.pen:
            if receipt is None:
                self.ledger.abandoned.add(key)
            else:
                self.ledger.acknowledged[key] = {"key": key, "assignment": shown["key"], **said}

    def insist(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Again and again, with longer and longer pauses, until it is acknowledged."""
        pause = 0.05
        while (receipt := self.post(path, body)) is None:
            time.sleep(pause)
            pause = min(1.0, 2 * pause)
        return receipt

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The answer, or None where there was none that says anything."""
        try:
            answer = self.http.post(f"{self.base}/{path}", json=body, timeout=20)
        except requests.RequestException:
            return None
        if answer.status_code >= 500:
            return None
        assert answer.status_code in (200, 201), answer.text
        return answer.json()


def test_every_acknowledged_answer_is_there_once_whatever_was_killed(house: House) -> None:
    made = house.ask("prepare", {"comparisons": SUBMISSIONS * 6 // 10, "labelers": CLIENTS})
    house.serve()
    ledger = Ledger()
    clients = [
        Client(house, made["slug"], token, ledger, seed)
        for seed, token in enumerate(made["tokens"])
    ]
    with ThreadPoolExecutor(CLIENTS) as pool:
        working = [pool.submit(client.work, SUBMISSIONS // CLIENTS) for client in clients]
        reached = lambda number: wait_until(lambda: ledger.sent >= number, working)  # noqa: E731

        reached(KILL_WEB_AT)
        house.kill_web()
        house.serve()

        reached(KILL_POSTGRES_AT)
        house.kill(house.postgres)
        house.start_again(house.postgres)

        reached(KILL_REDIS_AT)
        house.kill(house.redis)
        reached(KILL_REDIS_AT + WITHOUT_REDIS)  # people go on while there is no queue
        house.start_again(house.redis)

        for client in working:
            client.result()

    assert ledger.sent == SUBMISSIONS
    assert ledger.sent_again & ledger.acknowledged.keys(), "no submission was hit by a kill"
    given = {"slug": made["slug"], "acknowledged": list(ledger.acknowledged.values())}
    stored = house.ask("verify", given)["stored"]
    assert len(stored) == len(set(stored))
    assert (
        ledger.acknowledged.keys() <= set(stored) <= ledger.acknowledged.keys() | ledger.abandoned
    )


def wait_until(condition: Callable[[], bool], working: list) -> None:
    deadline = time.monotonic() + 200
    while not condition():
        for client in working:
            if client.done():
                client.result()
        assert time.monotonic() < deadline, "people do not get on"
        time.sleep(0.01)
