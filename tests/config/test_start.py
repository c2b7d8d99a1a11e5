import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config import serve
from config.supervise import MARK

ROOT = Path(__file__).resolve().parent.parent.parent


def environment(var: Path, **given: str) -> dict[str, str]:
    """That of a shell in which nothing is configured."""
    ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEMO", "HTTPS", "SITE_ROOT")
    bare = {name: value for name, value in os.environ.items() if name not in ours}
    return {**bare, "VAR_DIR": str(var), "PYTHONPATH": str(ROOT), **given}


def refusal(command: list[str], env: dict[str, str]) -> str:
    """What the command says instead of serving: one sentence, exit status 1."""
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert ran.returncode == 1, ran.stdout
    assert "Traceback" not in ran.stderr
    (sentence,) = ran.stderr.strip().splitlines()
    return sentence


SERVE = [sys.executable, "-m", "config.serve"]


def test_the_demo_refuses_to_serve_beyond_this_machine(tmp_path):
    sentence = refusal(["bin/start", "--host", "0.0.0.0"], environment(tmp_path))
    assert "--no-demo" in sentence


def test_an_unsupported_python_is_named(tmp_path):
    for name in ("python3", "python3.11", "python3.12"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    env = environment(tmp_path / "var", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert "needs Python 3.11 or 3.12" in refusal(["bin/start"], env)
    assert not (tmp_path / "var").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    # Not even root can make a folder here.
    sentence = refusal(["bin/start"], environment(Path("/sys/vibecheck")))
    assert "/sys/vibecheck cannot be written" in sentence


def test_a_taken_port_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        sentence = refusal(SERVE, environment(tmp_path, DEMO="0", PORT=port))
    assert sentence.startswith(f"Port {port} is taken")
    assert "--port" in sentence


def test_an_address_of_another_machine_is_named(tmp_path):
    env = environment(tmp_path, DEMO="0", HOST="203.0.113.7", SITE_ROOT="https://example.org")
    assert "no address of this machine" in refusal(SERVE, env)


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "FREE_GB", 1e9)
    with pytest.raises(serve.Refusal, match="GB free, and serving needs"):
        serve.refuse_full_disk(tmp_path)


def test_beyond_this_machine_an_address_and_https_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("SITE_ROOT", raising=False)
    monkeypatch.delenv("HTTPS", raising=False)
    with pytest.raises(serve.Refusal, match="needs SITE_ROOT"):
        serve.address("0.0.0.0", 8000)
    monkeypatch.setenv("SITE_ROOT", "http://example.org")
    with pytest.raises(serve.Refusal, match="over HTTPS only"):
        serve.address("0.0.0.0", 8000)
    monkeypatch.setenv("SITE_ROOT", "https://example.org")
    assert serve.address("0.0.0.0", 8000) == {"SITE_ROOT": "https://example.org", "HTTPS": "1"}


def test_on_this_machine_http_is_enough_unless_a_proxy_speaks_https(monkeypatch):
    monkeypatch.delenv("SITE_ROOT", raising=False)
    monkeypatch.delenv("HTTPS", raising=False)
    assert serve.address("127.0.0.1", 8001) == {"SITE_ROOT": "http://localhost:8001", "HTTPS": "0"}
    monkeypatch.setenv("SITE_ROOT", "https://example.org")
    assert serve.address("127.0.0.1", 8001)["HTTPS"] == "1"


@pytest.mark.parametrize(
    ("visible", "expected"), [("", []), ("-1", []), ("0", ["0"]), ("2,3", ["2", "3"])]
)
def test_each_gpu_that_may_be_used_gets_a_training_worker(monkeypatch, visible, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert serve.devices() == expected
    names = [program.name for program in serve.programs("127.0.0.1", 8000)[-1]]
    training = [f"train{device}" for device in expected] or ["train"]
    assert names == ["default", "infer", "live", *training]


def test_outside_the_demo_a_real_database_needs_a_secret_key(tmp_path):
    env = environment(
        tmp_path, DEMO="0", DATABASE_URL="postgresql://db/x", REDIS_URL="redis://queue/0"
    )
    assert "SECRET_KEY" in refusal(["bin/manage", "check"], env)


def test_a_database_that_does_not_answer_is_named(tmp_path):
    env = environment(
        tmp_path, DEMO="0", DATABASE_URL="postgresql://x@127.0.0.1:9/x",
        REDIS_URL="redis://127.0.0.1:9/0", SECRET_KEY="x" * 50, PORT="8129",
    )  # fmt: skip
    ran = subprocess.run(SERVE, env=env, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert ran.returncode == 1
    assert "DATABASE_URL" in ran.stderr
    assert "Traceback" not in ran.stderr


class Server:
    """`bin/start --no-demo` after its preparation, on a port and a var/ of its own."""

    def __init__(self, var: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.var = var
        self.log = (var.parent / "log").open("a+")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            SERVE,
            env=environment(var, DEMO="0", PORT=str(self.port)),
            cwd=var.parent,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        return Path(self.log.name).read_text()

    def wait_for(self, text: str, seconds: float = 120) -> str:
        deadline = time.monotonic() + seconds
        while text not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        return self.said()

    def get(self, path: str) -> tuple[int, bytes]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.status, answer.read()

    def family(self) -> list[psutil.Process]:
        """All that it started and that still lives, found by environment or by folder."""
        found = []
        for process in psutil.process_iter(["environ", "cwd", "status", "cmdline"]):
            marked = (process.info["environ"] or {}).get(MARK) == str(self.var)
            inside = (process.info["cwd"] or "").startswith(str(self.var))
            if (marked or inside) and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found


def wait_until_healthy(server: Server, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if server.get("/api/health/") == (200, b'{"ok": true}'):
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(server.said())


def workers_of(server: Server, seconds: float = 60) -> list[psutil.Process]:
    """The training worker and its pool; they start once the web server answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := [p for p in server.family() if "train@" in " ".join(p.info["cmdline"] or [])]:
            return found
        time.sleep(0.1)
    raise AssertionError(server.said())


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "var"
    yield folder
    for process in psutil.process_iter(["environ", "cwd"]):
        given = (process.info["environ"] or {}).get("VAR_DIR") == str(folder)
        if given or (process.info["cwd"] or "").startswith(str(folder)):
            process.kill()


@pytest.mark.slow
def test_a_server_serves_mends_itself_stops_in_order_and_starts_again_after_kill_9(var):
    server = Server(var)
    said = server.wait_for("Vibecheck serves at")
    assert f"http://localhost:{server.port}" in said
    assert "create_manager" in said
    assert server.get("/api/health/") == (200, b'{"ok": true}')
    assert b"<script" in server.get("/sign-in")[1]
    assert stat.S_IMODE(var.stat().st_mode) == 0o700

    another = subprocess.run(
        SERVE, env=environment(var, DEMO="0", PORT="1"), capture_output=True, text=True
    )
    assert another.returncode == 1
    assert "already serves from this folder" in another.stderr

    oldest = min(workers_of(server), key=lambda process: process.create_time())
    oldest.kill()
    server.wait_for("train ended (signal 9); starting it again")
    for name in ("postgres", "redis-server"):
        for process in server.family():
            if process.name() == name:
                process.kill()
        server.wait_for(f"{name} ended; starting it again")
        wait_until_healthy(server)
    orphan = subprocess.Popen(
        ["sleep", "600"], env={MARK: str(var)}, start_new_session=True
    )  # as training would be

    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(60) == 0
    assert server.family() == []
    assert orphan.wait(1) == -signal.SIGTERM
    with socket.create_server(("127.0.0.1", server.port)):
        pass

    again = Server(var)
    again.wait_for(f"http://localhost:{again.port}")
    seconds = int(re.findall(r"ready in (\d+) s", again.said())[-1])
    assert seconds < 15
    again.process.kill()
    again.process.wait()
    assert again.family() != []

    last = Server(var)
    last.wait_for(f"http://localhost:{last.port}")
    last.process.terminate()
    assert last.process.wait(60) == 0
    assert last.family() == []
