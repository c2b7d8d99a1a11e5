"""The server's own programs, on a free port of this machine, for as long as a simulation lasts."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from config.serve import healthy, programs
from config.supervise import MARK, Program, end_leftovers

HOST = "127.0.0.1"
READY_SECONDS = 60
THREADS = {"train": str(min(2, os.cpu_count() or 1))}
"""Of torch, where not one: the simulation waits while something is trained, so that training has
two cores to itself. Two threads were seen to give the weights of one, bit for bit."""


class ServersEnded(Exception):
    """A program ended while it was needed."""


@dataclass(frozen=True)
class Servers:
    port: int
    processes: dict[str, subprocess.Popen]

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items()}

    def check(self) -> None:
        """Raises ServersEnded when one of them is gone."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise ServersEnded(f"{name} ended with status {process.returncode}.")


@contextmanager
def running() -> Iterator[Servers]:
    """Web server, beat and a worker a queue; nothing of them stays behind."""
    port = free_port()
    mark = f"circle {os.getpid()}"
    stages = programs(HOST, port)
    started: dict[str, subprocess.Popen] = {}
    try:
        for program in (program for stage in stages for program in stage):
            started[program.name] = start(program, mark)
        servers = Servers(port, started)
        wait_until_healthy(servers)
        yield servers
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            end(process)
        end_leftovers(mark)


def start(program: Program, mark: str) -> subprocess.Popen:
    """Loopback needs no certificate, whatever the site asks for. It ends when this process does."""
    bound = ["setpriv", "--pdeathsig=SIGTERM", "--"] if shutil.which("setpriv") else []
    local = {"HTTPS": "0", "ALLOWED_HOSTS": f"localhost,{HOST}", MARK: mark}
    threads = {"OMP_NUM_THREADS": THREADS.get(program.name, "1")}
    return subprocess.Popen(
        [*bound, *program.command],
        env={**os.environ, **program.env, **local, **threads},
        stdin=subprocess.DEVNULL,
        stdout=2,
        stderr=2,
        start_new_session=True,
    )


def end(process: subprocess.Popen) -> None:
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_healthy(servers: Servers) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not healthy(HOST, servers.port):
        servers.check()
        if time.monotonic() > deadline:
            raise ServersEnded(f"The web server did not answer in {READY_SECONDS} s.")
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
