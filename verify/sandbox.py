"""Run Python that nobody trusts: jail.py from outside."""

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

JAIL = Path(__file__).with_name("jail.py")
CPU_SECONDS = 2
START_SECONDS = 60
"""Until it is believed that a jail cannot be made: a machine under load is slow."""


class Unavailable(RuntimeError):
    """This machine has no sandbox; the text says why and what to do."""


def start(program: str, *arguments: str, **streams: Any) -> subprocess.Popen:
    """A Python program, given as its text, shut in; killed, it leaves nothing.

    `streams` are Popen's: what they open is all that the program can reach.
    """
    python = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    command = [sys.executable, "-I", "-S", str(JAIL), python, str(CPU_SECONDS), program]
    return subprocess.Popen(
        [*command, *arguments], env={}, cwd="/", start_new_session=True, **streams
    )


def end(processes: Sequence[subprocess.Popen]) -> None:
    for process in processes:
        process.kill()
        process.wait()


@cache
def unavailable() -> str | None:
    """Why nothing can be run here, or None where it can."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        process = start("print('shut in')", **pipes)
        said, problem = process.communicate(timeout=START_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        said, problem = b"", str(error).encode()
    if said == b"shut in\n":
        return None
    return (
        "Checks of the kind python run code that a model wrote, and this machine does not let them "
        f"be shut in ({problem.decode(errors='replace').strip() or 'no reason given'}). They need "
        "Linux 5.12 or later where this user may make namespaces (unshare -Urmpn true must "
        "succeed); in a container, allow that, or train on another machine."
    )


def require() -> None:
    """Raises Unavailable where nothing can be shut in."""
    if reason := unavailable():
        raise Unavailable(reason)
