"""Every check of the house, in turn, with its time; bin/test's real work.

With arguments only pytest runs, and gets them.
"""

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from config.embedded import BASE_DIR, environment
from config.servers import ServerError

PYTHON = sys.executable
FRONT = BASE_DIR / "frontend"
SCHEMA_TYPES = FRONT / "src" / "api" / "schema.d.ts"
BESIDE = ("tests/e2e", "tests/chaos")
"""Tests that wait for other processes more than they compute; they run beside the rest."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(arguments: list[str]) -> int:
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser:
        os.environ["CHROMIUM"] = browser
    # tests/conftest.py names the settings itself, once its servers are up.
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    if arguments:
        return run(PYTHON, "-m", "pytest", *arguments)
    if browser is None:
        sys.exit(
            "The browser tests need Chromium, and none is on PATH: install it "
            "(Debian: apt install chromium), or set CHROMIUM to one's path."
        )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vibecheck-test-")))
        for given in ("DATABASE_URL", "REDIS_URL", "DEMO", "HTTPS", "SITE_ROOT"):
            os.environ.pop(given, None)
        env = stack.enter_context(environment(folder, temporary=True))
        results = [(name, *timed(name, check)) for name, check in checks(env, folder).items()]
    return report(results)


def checks(env: Mapping[str, str], folder: Path) -> dict[str, Callable[[], int]]:
    """By name, cheapest first; each returns its exit status."""

    def manage(*command: str) -> int:
        return run(PYTHON, "manage.py", *command, env=env)

    def npm(script: str) -> int:
        return run("npm", "run", "--silent", script, cwd=FRONT)

    return {
        "ruff check": lambda: run("ruff", "check", "."),
        "ruff format": lambda: run("ruff", "format", "--check", "."),
        "import-linter": lambda: run("lint-imports"),
        "migrations": lambda: manage("makemigrations", "--check", "--dry-run"),
        "deployment": lambda: manage("check", "--deploy", "--fail-level", "WARNING"),
        "schema drift": lambda: schema_drift(env, folder),
        "mypy": lambda: run("mypy", env=env),
        "front end: lint": lambda: npm("lint"),
        "front end: types": lambda: npm("typecheck"),
        "front end: Vitest": lambda: npm("test"),
        "pytest": every_test,
    }


def every_test() -> int:
    """In two processes; what the shorter one says comes after the other's end."""
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(
            [PYTHON, "-m", "pytest", *BESIDE], cwd=BASE_DIR, stdout=said, stderr=said
        ) as beside:
            status = run(PYTHON, "-m", "pytest", *(f"--ignore={folder}" for folder in BESIDE))
        said.seek(0)
        print(said.read(), flush=True)
    return status or beside.returncode


def schema_drift(env: Mapping[str, str], folder: Path) -> int:
    """The front end's types are those that the API's schema gives today."""
    schema, types = folder / "schema.yaml", folder / "schema.d.ts"
    command = ["manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", str(schema)]
    if status := run(PYTHON, *command, env=env):
        return status
    if status := run("npx", "openapi-typescript", str(schema), "--output", str(types), cwd=FRONT):
        return status
    if SCHEMA_TYPES.exists() and filecmp.cmp(types, SCHEMA_TYPES, shallow=False):
        return 0
    print(f"{SCHEMA_TYPES.relative_to(BASE_DIR)} is not what the API says: npm run schema.")
    return 1


def run(*command: str, env: Mapping[str, str] | None = None, cwd: Path = BASE_DIR) -> int:
    return subprocess.run(command, env=env, cwd=cwd).returncode


def timed(name: str, check: Callable[[], int]) -> tuple[int, float]:
    print(f"== {name}", flush=True)
    began = time.monotonic()
    return check(), time.monotonic() - began


def report(results: list[tuple[str, int, float]]) -> int:
    print("== Summary")
    for name, status, seconds in results:
        verdict = "passed" if status == 0 else "FAILED"
        killed = f", killed by signal {-status}" if status < 0 else ""
        print(f"   {verdict:8}{name:20}{seconds:7.1f} s{killed}")
    return int(any(status for _, status, _ in results))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ServerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
