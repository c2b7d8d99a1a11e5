"""Postgres and Redis under var/ for whoever has configured none, shared by every command that runs.

    python -m config.embedded COMMAND…

runs COMMAND with DATABASE_URL, REDIS_URL and SECRET_KEY in its environment. Each user of the
servers holds a shared lock on var/users.lock until it ends, however it ends; the last one out
stops them.
"""

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO
from urllib.parse import quote

from config import servers
from config.env import SettingError, envbool
from config.supervise import say

BASE_DIR = Path(__file__).resolve().parent.parent
SOCKET_PATH_LIMIT = 100
"""Bytes: the kernel's limit is 108, and Postgres appends to the name for its lock."""
LOOK_EVERY = 1.0
"""Seconds between looks whether a server that is kept up still runs."""


def var_dir() -> Path:
    """Where everything that the server writes lies: made on demand, for its owner only."""
    var = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    return var


def remember_address(var: Path, site_root: str) -> None:
    """Links that bin/manage makes lead to the server that was started last."""
    (var / "address").write_text(site_root)


@contextmanager
def sole_server(var: Path) -> Iterator[bool]:
    """Whether no bin/start serves from `var`; while this lasts, none can begin to."""
    with (var / "server.lock").open("a") as lock:
        yield _locked(lock)


@contextmanager
def environment(
    var: Path, temporary: bool = False, kept_up: bool = False
) -> Iterator[dict[str, str]]:
    """The environment of a command, with both servers up while it lasts.

    `temporary` servers belong to this process alone and die with it; servers that are `kept_up`
    are started again when they die.

    Raises:
        servers.ServerError: an embedded server cannot run.
    """
    env = {**os.environ, "VAR_DIR": str(var)}
    if not env.get("SITE_ROOT") and (var / "address").is_file():
        env["SITE_ROOT"] = (var / "address").read_text()
    given = {name for name in ("DATABASE_URL", "REDIS_URL") if env.get(name)}
    if not env.get("SECRET_KEY") and ("DATABASE_URL" not in given or envbool("DEMO", False)):
        env["SECRET_KEY"] = _secret_key(var)
    if given == {"DATABASE_URL", "REDIS_URL"}:
        yield env
        return
    sockets = _socket_dir(var)
    if "DATABASE_URL" not in given:
        env["DATABASE_URL"] = f"postgresql://vibecheck@/vibecheck?host={quote(str(sockets))}"
    if "REDIS_URL" not in given:
        env["REDIS_URL"] = f"unix://{quote(str(sockets / 'redis.sock'))}?db=0"
    with _up(var, sockets, given, temporary, kept_up):
        yield env


@contextmanager
def _up(
    var: Path, sockets: Path, given: set[str], temporary: bool, kept_up: bool
) -> Iterator[None]:
    wanted = []
    if "DATABASE_URL" not in given:
        wanted.append(servers.postgres(var, sockets, temporary))
    if "REDIS_URL" not in given:
        wanted.append(servers.redis_server(var, sockets))
    with (var / "users.lock").open("a") as users:
        with _alone(var):
            first = _locked(users)
            fcntl.flock(users, fcntl.LOCK_SH)
            if "DATABASE_URL" not in given:
                servers.create_cluster(var)
            for server in wanted:
                server.directory.mkdir(mode=0o700, exist_ok=True)
                servers.start(server, first, temporary)
            if "DATABASE_URL" not in given:
                servers.create_database(sockets)
        try:
            with _kept_up(var, wanted) if kept_up else nullcontext():
                yield
        finally:
            with _alone(var):
                if _locked(users):
                    for server in reversed(wanted):
                        servers.stop(server)


@contextmanager
def _kept_up(var: Path, wanted: list[servers.Server]) -> Iterator[None]:
    """Whatever kills a server while this lasts, it is started again."""
    ending = threading.Event()

    def keep() -> None:
        while not ending.wait(LOOK_EVERY):
            for server in wanted:
                if not servers.members(server):
                    _start_again(var, server)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.join()


def _start_again(var: Path, server: servers.Server) -> None:
    say(f"{server.name} ended; starting it again")
    try:
        with _alone(var):
            servers.start(server, first=False, temporary=False)
    except servers.ServerError as error:
        say(str(error))


def _locked(file: IO) -> bool:
    """Whether nobody else held a lock on `file`; it is ours then, until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone(var: Path) -> Iterator[None]:
    """One process at a time starts or stops servers."""
    with (var / "servers.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _socket_dir(var: Path) -> Path:
    """var/run, or where its path would be too long for a socket a link to a folder under /tmp."""
    run = var / "run"
    short = len(os.fsencode(run / f"{servers.SOCKET}.lock")) <= SOCKET_PATH_LIMIT
    if short and not run.is_symlink():
        run.mkdir(mode=0o700, exist_ok=True)
        return run
    if not (run.is_dir() and run.stat().st_uid == os.geteuid()):
        run.unlink(missing_ok=True)
        run.symlink_to(tempfile.mkdtemp(prefix="vibecheck-", dir="/tmp"))
    return run.resolve()


def _secret_key(var: Path) -> str:
    """Made once, readable by its owner only."""
    path = var / "secret_key"
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


def main(command: list[str]) -> int:
    """Run `command` with the servers up, and pass on signals and its exit status."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, frame: sys.exit(128 + number))
    with environment(var_dir()) as env:
        process = subprocess.Popen(command, env=env)
        # A terminal sends Ctrl-C to the command too, which decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, lambda number, frame: process.send_signal(number))
        status = process.wait()
        return status if status >= 0 else 128 - status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (servers.ServerError, SettingError) as error:
        sys.exit(str(error))
