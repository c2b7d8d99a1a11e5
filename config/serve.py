"""bin/start's real work, inside the virtual environment: prepare the data, then serve.

Reads HOST, PORT, DEMO and PREPARE_ONLY from the environment, where bin/start wrote its options.
"""

import errno
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from config import embedded
from config.env import SettingError, envbool, envint, envstr
from config.servers import ServerError
from config.supervise import Program, Supervisor, end_leftovers, say

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104
FREE_GB = 0.5
PYTHON = sys.executable


class Refusal(Exception):
    """Serving cannot begin; the text says what to do."""


def main() -> int:
    began = time.monotonic()
    var = embedded.var_dir()
    host, port = envstr("HOST", "127.0.0.1"), envint("PORT", 8000)
    prepare_only = envbool("PREPARE_ONLY", False)
    with embedded.sole_server(var) as alone:
        if not alone:
            raise Refusal(
                "Vibecheck already serves from this folder: stop that one first (Ctrl-C where it "
                "runs), or set VAR_DIR to another folder."
            )
        end_leftovers(str(var))
        refuse_full_disk(var)
        if not prepare_only:
            refuse_taken_port(host, port)
            os.environ.update(address(host, port))
            embedded.remember_address(var, os.environ["SITE_ROOT"])
        os.environ["DEBUG"] = "0"
        say("Starting the database and the queue")
        with embedded.environment(var, kept_up=True) as env:
            # Without a pool, a database that cannot be reached says at once why.
            ready_env = {**env, "DB_POOL": "0"}
            if subprocess.run([PYTHON, "-m", "config.ready"], env=ready_env).returncode != 0:
                return 1
            if prepare_only:
                say("Prepared; bin/start serves.")
                return 0
            say("Starting the web server, then the workers")
            return Supervisor(programs(host, port), env, str(var)).run(
                ready=lambda: healthy(host, port),
                announce=lambda: say(welcome(time.monotonic() - began)),
            )


def refuse_full_disk(var: Path) -> None:
    free = shutil.disk_usage(var).free / 1e9
    if free < FREE_GB:
        raise Refusal(
            f"The disk of {var} has {free:.2f} GB free, and serving needs {FREE_GB}: free some."
        )


def refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:
        raise Refusal(why_not_bound(host, port, getattr(error, "errno", None))) from None


def why_not_bound(host: str, port: int, number: int | None) -> str:
    if number == errno.EADDRINUSE:
        return f"Port {port} is taken: stop what listens there, or choose another with --port."
    if number == errno.EACCES:
        return f"Port {port} is for root only: choose one above 1023 with --port."
    return f"{host}:{port} is no address of this machine: choose another with --host and --port."


def address(host: str, port: int) -> dict[str, str]:
    """SITE_ROOT and HTTPS where they are not given.

    Plain HTTP is for this machine only: sessions that cross a network need a TLS proxy in front.
    """
    local = host in LOOPBACK
    site = os.environ.get("SITE_ROOT") or (f"http://localhost:{port}" if local else "")
    if not site:
        raise Refusal(
            f"--host {host} needs SITE_ROOT, the address that people open: "
            "SITE_ROOT=https://vibecheck.example.org with a TLS proxy in front."
        )
    https = os.environ.get("HTTPS") or ("1" if site.startswith("https://") else "")
    if not https and not local:
        raise Refusal(
            "Beyond this machine people sign in over HTTPS only: put a TLS proxy in front and "
            "write its https:// address in SITE_ROOT, or set HTTPS=0 on a network that you trust."
        )
    return {"SITE_ROOT": site, "HTTPS": https or "0"}


def programs(host: str, port: int) -> list[list[Program]]:
    """In the order in which they start and stop: nothing new comes in, then the workers end."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # fmt: off
    web = Program(name="web", grace=8, command=[
        PYTHON, "-m", "gunicorn", "config.wsgi", "--bind", bind, "--worker-class", "gthread",
        "--workers", "2", "--threads", "4", "--graceful-timeout", "5", "--log-level", "warning",
        "--no-control-socket", "--preload",
    ])
    beat = Program(name="beat", grace=8, command=[
        PYTHON, "-m", "celery", "--quiet", "-A", "config", "beat", "--loglevel", "WARNING",
        "--pidfile=",
    ])
    # fmt: on
    workers = [worker(name, name) for name in ("default", "infer", "live")]
    for device in devices():
        workers.append(worker(f"train{device}", "train", {"CUDA_VISIBLE_DEVICES": device}))
    if not devices():
        workers.append(worker("train", "train"))
    return [[web], [beat], workers]


def worker(name: str, queue: str, env: dict[str, str] | None = None) -> Program:
    """One process that takes one task at a time.

    On a shared machine one torch thread a process is faster than two.
    """
    # fmt: off
    command = [
        PYTHON, "-m", "celery", "--quiet", "-A", "config", "worker", "--queues", queue,
        "--hostname", f"{name}@%h", "--concurrency", "1", "-O", "fair",
        "--without-gossip", "--without-mingle", "--loglevel", "WARNING",
    ]
    # fmt: on
    return Program(name=name, command=command, env={"OMP_NUM_THREADS": "1", **(env or {})}, grace=5)


def devices() -> list[str]:
    """The GPUs that this server may use, by the names CUDA gives them; none on a CPU machine."""
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [device for device in chosen.split(",") if device not in ("", "-1")]
    return [str(number) for number, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]


def healthy(host: str, port: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/api/health/", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def welcome(seconds: float) -> str:
    from rewardtrain.demo.accounts import DEMO_ACCOUNTS

    lines = [f"Vibecheck serves at {os.environ['SITE_ROOT']} (ready in {seconds:.0f} s)"]
    if envbool("DEMO", False):
        lines.append("   The demo's accounts:")
        lines += [
            f"   {username:8}{role:10}password: {password}"
            for username, password, role in DEMO_ACCOUNTS
        ]
    return "\n".join([*lines, "   Ctrl-C stops everything."])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Refusal, ServerError, SettingError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
