import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config import servers

ROOT = Path(__file__).resolve().parent.parent.parent
REMEMBER = """
import os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
redis.Redis.from_url(os.environ["REDIS_URL"]).set("kept", 7)
"""
RECALL = """
import os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    (number,) = connection.execute("SELECT number FROM kept").fetchone()
print(number, int(redis.Redis.from_url(os.environ["REDIS_URL"]).get("kept")))
"""
HOLD = "import time; print('up', flush=True); time.sleep(600)"


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "var"
    yield folder
    for process in servers_of(folder):
        kill(process)


def environment(var: Path) -> dict[str, str]:
    embedded = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    return {
        **{name: value for name, value in os.environ.items() if name not in embedded},
        "VAR_DIR": str(var),
        "PYTHONPATH": str(ROOT),
    }


def run(var: Path, program: str) -> str:
    command = [sys.executable, "-m", "config.embedded", sys.executable, "-c", program]
    ran = subprocess.run(command, env=environment(var), stdout=subprocess.PIPE, text=True)
    assert ran.returncode == 0
    return ran.stdout


@pytest.fixture
def hold(var: Path) -> Iterator[Callable[[], subprocess.Popen]]:
    """Start a command that keeps the servers up until it is ended."""
    processes = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.embedded", sys.executable, "-c", HOLD],
            env=environment(var),
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        return process

    yield start
    for process in processes:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def servers_of(var: Path) -> list[psutil.Process]:
    """The main processes of the servers that work in `var`."""
    found = []
    for process in psutil.process_iter(["cwd", "name", "ppid"]):
        inside = (process.info["cwd"] or "").startswith(str(var.resolve()))
        if inside and process.info["name"] in ("postgres", "redis-server"):
            found.append(process)
    pids = {process.pid for process in found}
    return [process for process in found if process.info["ppid"] not in pids]


def kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        pass


def pids(var: Path) -> set[int]:
    return {process.pid for process in servers_of(var)}


def test_the_servers_run_as_long_as_the_command_and_keep_what_they_were_told(var):
    run(var, REMEMBER)
    assert pids(var) == set()
    assert run(var, RECALL) == "7 7\n"
    assert pids(var) == set()


def test_after_kill_9_of_everything_the_next_start_finds_all_that_was_acknowledged(var, hold):
    holder = hold()
    run(var, REMEMBER)
    time.sleep(1.1)  # Redis syncs its log once a second.
    os.killpg(holder.pid, signal.SIGKILL)
    for process in servers_of(var):
        for member in [process, *process.children()]:
            kill(member)
    assert run(var, RECALL) == "7 7\n"
    assert pids(var) == set()


def test_servers_whose_command_was_killed_are_adopted_and_then_stopped(var, hold):
    holder = hold()
    orphans = pids(var)
    os.killpg(holder.pid, signal.SIGKILL)
    holder.wait()
    assert pids(var) == orphans
    other = hold()
    assert pids(var) == orphans
    other.terminate()
    other.wait()
    assert pids(var) == set()


def test_an_orphan_that_does_not_answer_is_replaced(var, hold):
    holder = hold()
    os.killpg(holder.pid, signal.SIGKILL)
    (stuck,) = (p for p in servers_of(var) if p.name() == "redis-server")
    stuck.suspend()
    hold()
    assert stuck.pid not in pids(var)
    assert len(pids(var)) == 2


def test_commands_share_the_servers_and_the_last_one_out_stops_them(var, hold):
    first, second = hold(), hold()
    shared = pids(var)
    assert len(shared) == 2
    first.terminate()
    assert first.wait() == 128 + signal.SIGTERM
    assert pids(var) == shared
    second.terminate()
    second.wait()
    assert pids(var) == set()


def test_a_deep_folder_gets_its_sockets_elsewhere(tmp_path):
    var = tmp_path / ("deep" * 20) / ("folder" * 20) / "var"
    run(var, REMEMBER)
    assert run(var, RECALL) == "7 7\n"
    assert (var / "run").is_symlink()
    assert stat.S_IMODE((var / "run").stat().st_mode) == 0o700
    (var / "run").resolve().rmdir()  # as a machine that empties /tmp would
    assert run(var, RECALL) == "7 7\n"
    (var / "run").resolve().rmdir()


def test_half_a_cluster_from_a_killed_start_is_made_anew(var):
    (var / "postgres.new" / "base").mkdir(parents=True)
    run(var, REMEMBER)
    assert run(var, RECALL) == "7 7\n"


def test_what_lies_in_var_is_for_its_owner_only(var):
    secret = "import os; print(os.environ['SECRET_KEY'])"
    key = run(var, secret)
    assert run(var, secret) == key
    assert len(key) > 50
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
    assert stat.S_IMODE((var / "secret_key").stat().st_mode) == 0o600


def test_configured_servers_are_used_and_nothing_is_embedded(var):
    given = {"DATABASE_URL": "postgresql://db/one", "REDIS_URL": "redis://queue/0"}
    command = [sys.executable, "-m", "config.embedded", "env"]
    ran = subprocess.run(
        command, env={**environment(var), **given}, check=True, capture_output=True, text=True
    )
    assert "DATABASE_URL=postgresql://db/one" in ran.stdout
    assert "SECRET_KEY=" not in ran.stdout
    assert list(var.iterdir()) == []


def test_one_server_may_be_configured_and_the_other_embedded(var):
    given = {"REDIS_URL": "redis://queue/0"}
    command = [sys.executable, "-m", "config.embedded", "env"]
    ran = subprocess.run(
        command, env={**environment(var), **given}, check=True, capture_output=True, text=True
    )
    assert "REDIS_URL=redis://queue/0" in ran.stdout
    assert f"host={var}" in ran.stdout
    assert not (var / "redis").exists()


def test_a_command_passes_on_its_exit_status(var):
    command = [sys.executable, "-m", "config.embedded", "sh", "-c", "exit 3"]
    assert subprocess.run(command, env=environment(var)).returncode == 3


def test_a_platform_without_redis_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(servers.ServerError, match="install redis-server"):
        servers.redis_server(tmp_path, tmp_path)


def test_a_server_that_cannot_start_says_why(var):
    run(var, "")
    (var / "postgres" / "PG_VERSION").write_text("12\n")
    command = [sys.executable, "-m", "config.embedded", "true"]
    ran = subprocess.run(command, env=environment(var), capture_output=True, text=True)
    assert ran.returncode == 1
    assert "postgres did not start" in ran.stderr
    assert "not compatible" in ran.stderr
    assert "Traceback" not in ran.stderr
