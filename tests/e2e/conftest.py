"""The whole of Vibecheck as bin/start serves it, and Chromium to look at it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rewardtrain.demo.accounts import DEMO_ACCOUNTS

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RESULTS = ROOT / "test-results"
PASSWORDS = {username: password for username, password, _ in DEMO_ACCOUNTS}


@dataclass(frozen=True)
class Site:
    address: str
    var: Path
    log: Path


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """bin/start with its demo in a directory of its own; stopped as Ctrl-C stops it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    var = Path(tempfile.mkdtemp(prefix="vibecheck-e2e-", dir="/tmp"))
    log = var / "start.log"
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    environment = {k: v for k, v in os.environ.items() if k in kept or k.startswith("PIP_")}
    with log.open("w") as output:
        process = subprocess.Popen(
            [ROOT / "bin" / "start", "--port", str(port)],
            env={**environment, "VAR_DIR": str(var / "var")},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 240
        while "serves at" not in log.read_text():
            assert process.poll() is None, f"bin/start ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"bin/start took over 240 s:\n{log.read_text()}"
            time.sleep(0.2)
        yield Site(f"http://localhost:{port}", var / "var", log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        shutil.rmtree(var, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "No chromium on the PATH: install Debian's package chromium, or set CHROMIUM."
    # A running event loop would keep Django's database calls out of this thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def open_as(
    site: Site, chromium: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, str], Page]]:
    """open_as("lena", "/p/tiny-tales/label"): a page of a browser in which lena has signed in.

    The test fails if the page logs an error, or asks another host for anything. What each page
    showed last is left in test-results/.
    """
    contexts = []
    wrong: list[str] = []

    def open_page(username: str, path: str) -> Page:
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((site.address, "data:"))
                else wrong.append(request.url)
            ),
        )
        page.goto(f"{site.address}/sign-in?next={path}")
        page.get_by_label("Name").fill(username)
        page.get_by_label("Password").first.fill(PASSWORDS[username])
        page.keyboard.press("Enter")
        expect(page).to_have_url(site.address + path, timeout=15_000)
        return page

    yield open_page
    for number, context in enumerate(contexts):
        context.pages[0].screenshot(path=RESULTS / f"{request.node.name}-{number}.png")
        context.close()
    assert wrong == []
