"""Real servers for every test: a Postgres and a Redis of the test run's own, gone when it ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

from config.embedded import environment  # noqa: E402

# Servers that are configured are never used: a test empties what it finds.
_VAR = Path(tempfile.mkdtemp(prefix="vibecheck-tests-", dir="/tmp"))
_SERVERS = ExitStack()
for _name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STORE_DIR", "SITE_ROOT"):
    os.environ.pop(_name, None)
os.environ.update(_SERVERS.enter_context(environment(_VAR, temporary=True)))
os.environ.update(DEMO="0", HTTPS="0", OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

pytest_plugins = ["tests.cast"]


def pytest_unconfigure() -> None:
    _SERVERS.close()
    shutil.rmtree(_VAR, ignore_errors=True)


@pytest.fixture
def worker_env(transactional_db: None) -> Iterator[dict[str, str]]:
    """The environment of another process on the test database; its queue starts and ends empty."""
    import redis
    from django.conf import settings
    from django.db import connection

    queue = redis.Redis.from_url(settings.REDIS_URL)
    queue.flushdb()
    name = connection.settings_dict["NAME"]
    yield {
        **os.environ,
        "DATABASE_URL": os.environ["DATABASE_URL"].replace("/vibecheck?", f"/{name}?"),
    }
    queue.flushdb()
    queue.close()


@pytest.fixture
def worker(worker_env: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen]]:
    """worker("train") starts a Celery worker process of that queue and returns once it is ready.

    Ends each with all that it started, training included, as a stopping server would.
    """
    from config.celery import app
    from config.supervise import MARK, end_leftovers

    processes: list[subprocess.Popen] = []

    def start(*queues: str) -> subprocess.Popen:
        name = f"test{len(processes)}@localhost"
        # fmt: off
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", ",".join(queues),
             "-n", name, "-c", "1", "-O", "fair", "--without-gossip", "--without-mingle",
             "--loglevel", "INFO"],
            cwd=ROOT, env={**worker_env, MARK: str(_VAR)}, start_new_session=True,
        )
        # fmt: on
        processes.append(process)
        deadline = time.monotonic() + 60
        while not app.control.ping(destination=[name], timeout=0.5):
            assert process.poll() is None, "the worker ended while starting"
            assert time.monotonic() < deadline, "the worker did not start in 60 s"
        return process

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    end_leftovers(str(_VAR))
