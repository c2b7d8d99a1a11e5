"""What the three commands share: a virtual environment, a built front end, then the real work.

Runs on any Python that may run Vibecheck, with nothing installed. Every step is skipped when what
it makes is up to date, and can be killed at any moment: its stamp is written last.
"""

import argparse
import errno
import fcntl
import hashlib
import ipaddress
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONT = ROOT / "frontend"
NODE = (20, 19)
"""The oldest that Vite 8 runs on."""
FREE_GB = 10
"""The Python packages take about 8 GB where torch comes with CUDA."""


def say(text: str) -> None:
    print(f"== {text}", flush=True)


def run(command: list[str], what: str, cwd: Path = ROOT) -> None:
    if subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL).returncode != 0:
        sys.exit(f"{what} failed for the reason above; when it is mended, run this command again.")


def digest(paths: Iterable[Path]) -> str:
    """One hash of files' names and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()


def up_to_date(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def refuse_small_disk() -> None:
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < FREE_GB:
        sys.exit(
            f"The disk of {ROOT} has {free:.1f} GB free, and installing needs {FREE_GB}: "
            "free some, or clone to another disk."
        )


def make_venv() -> None:
    probe = "import sys, pip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))"
    whole = PYTHON.exists() and not subprocess.call(
        [PYTHON, "-c", probe], stderr=subprocess.DEVNULL
    )
    if whole:
        return
    say("Making .venv")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True)
    if made.returncode != 0:
        sys.exit(
            "Python's venv module cannot make .venv: install it "
            f"(Debian: apt install python3-venv), or see {made.stdout.decode().strip()[-200:]!r}."
        )


def install(requirements: str) -> None:
    stamp = VENV / f"installed-{requirements}"
    value = digest(ROOT.glob("requirements*.txt"))
    if PYTHON.exists() and up_to_date(stamp, value):
        return
    refuse_small_disk()
    make_venv()
    say(f"Installing {requirements} into .venv (minutes, the first time)")
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    run([*pip, "-r", requirements], "Installing the Python packages")
    stamp.write_text(value)


def front_end_sources() -> list[Path]:
    made_by_us = {"node_modules", "dist"}
    return [
        path
        for path in FRONT.rglob("*")
        if path.is_file() and not made_by_us & set(path.relative_to(FRONT).parts)
    ]


def node_on_path() -> None:
    """Have a new enough Node first on PATH: the machine's, else a wheel's."""
    if shutil.which("node") and shutil.which("npm"):
        version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
        numbers = re.findall(r"\d+", version)
        if tuple(map(int, numbers[:2])) >= NODE:
            return
    install("requirements-node.txt")
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"


def install_node_modules() -> None:
    lock = FRONT / "package-lock.json"
    stamp, value = FRONT / "node_modules" / ".vibecheck", digest([lock])
    if up_to_date(stamp, value):
        return
    node_on_path()
    say("Installing the front end's packages")
    run(["npm", "ci", "--no-audit", "--no-fund"], "npm ci", FRONT)
    stamp.write_text(value)


def build_front_end() -> None:
    stamp, value = FRONT / "dist" / ".vibecheck", digest(front_end_sources())
    if up_to_date(stamp, value):
        return
    install_node_modules()
    node_on_path()
    say("Building the front end")
    run(["npm", "run", "build"], "Building the front end", FRONT)
    stamp.write_text(value)


def prepare(requirements: str, front_end: bool) -> None:
    """One command at a time prepares; the others wait for it."""
    var = Path(os.environ.get("VAR_DIR") or ROOT / "var")
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (var / "prepare.lock").open("a") as lock:
        started = time.monotonic()
        fcntl.flock(lock, fcntl.LOCK_EX)
        if time.monotonic() - started > 2:
            say("Waited for another command that was preparing")
        install(requirements)
        if front_end:
            build_front_end()


def loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def start_options(arguments: list[str]) -> None:
    """bin/start's options become the environment variables that config.serve reads."""
    parser = argparse.ArgumentParser(
        prog="bin/start", description="Set up what is missing, then serve Vibecheck until Ctrl-C."
    )
    parser.add_argument("--port", type=int, default=8000, help="default 8000")
    parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1: this machine only")
    parser.add_argument(
        "--no-demo", action="store_true", help="without the demo's projects and accounts"
    )
    parser.add_argument(
        "--prepare", action="store_true", help="set up without the demo, serve nothing"
    )
    options = parser.parse_args(arguments)
    if options.no_demo or options.prepare:
        os.environ["DEMO"] = "0"
    os.environ.setdefault("DEMO", "0" if os.environ.get("DATABASE_URL") else "1")
    if os.environ["DEMO"].lower() in ("1", "true", "yes", "on") and not loopback(options.host):
        sys.exit(
            f"The demo's passwords are public, so it does not serve on {options.host}: "
            "add --no-demo, or leave --host out."
        )
    os.environ.update(HOST=options.host, PORT=str(options.port))
    os.environ["PREPARE_ONLY"] = "1" if options.prepare else "0"


def become(*command: str) -> None:
    """Go on as a program of .venv that sees the house's packages, wherever it was called from."""
    paths = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.execv(PYTHON, [str(PYTHON), *command])


def main(verb: str, arguments: list[str]) -> None:
    if verb == "start":
        start_options(arguments)
        prepare("requirements.txt", front_end=True)
        become("-m", "config.serve")
    elif verb == "test":
        prepare("requirements-dev.txt", front_end=True)
        become("-m", "config.checks", *arguments)
    else:
        prepare("requirements.txt", front_end=False)
        become("-m", "config.embedded", str(PYTHON), str(ROOT / "manage.py"), *arguments)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit("Stopped; the next run goes on from here.")
    except PermissionError as error:
        sys.exit(
            f"{error.filename} cannot be written: run as its owner, or make a clone of your own."
        )
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(f"The disk of {ROOT} is full: free {FREE_GB} GB, then run this command again.")
