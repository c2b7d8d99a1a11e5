"""Every page, light and dark, under axe-core: no violation of accessibility that it can see."""

import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.e2e.projects import Client, open_project, pairs

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
FOUND = """async () => (await axe.run(document)).violations.flatMap(({ id, nodes }) =>
  nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`))"""
PAGES = {
    "projects": "/",
    "new": "/new",
    "account": "/account",
    "label": "/p/{slug}/label",
    "settings": "/p/{slug}/settings",
    "circle": "/p/tiny-tales/circle",
    "runs": "/p/tiny-tales/runs",
    "run": "/runs/{run}",
    "models": "/p/tiny-tales/models",
    "model": "/models/{model}",
    "arena": "/p/tiny-tales/arena",
    "missing": "/nowhere",
}


def violations(page: Page) -> list[str]:
    """By every rule, in light and in dark."""
    page.evaluate(AXE.read_text())
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {each}" for each in page.evaluate(FOUND)]
    return found


@pytest.fixture(scope="module")
def slug(site: Site) -> str:
    settings = {
        "flags": ["false"],
        "attributes": ["helpful"],
        "guidelines": "# Choose\n\nthe better.",
    }
    return open_project(site.address, "Looks", pairs(4), **settings)


@pytest.fixture(scope="module")
def rows(site: Site, slug: str) -> dict[str, str]:
    """Ids of what the demo's own circle made; its first run writes the first tales."""
    maya = Client(site.address, "maya")
    runs = maya.call("GET", "projects/tiny-tales/runs/")["results"]
    models = maya.call("GET", "projects/tiny-tales/models/")["results"]
    return {"slug": slug, "run": runs[0]["id"], "model": models[0]["id"]}


def settled(page: Page) -> None:
    """What was loading is there, and nothing moves any more."""
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=30_000)
    page.wait_for_timeout(500)


def test_a_managers_pages_pass_axe(
    site: Site, rows: dict[str, str], open_as: Callable[[str, str], Page]
) -> None:
    page = open_as("maya", "/")
    found = {}
    for name, path in PAGES.items():
        page.goto(site.address + path.format(**rows))
        settled(page)
        found[name] = violations(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_states_of_the_label_page_pass_axe(
    slug: str, open_as: Callable[[str, str], Page]
) -> None:
    page = open_as("lena", f"/p/{slug}/label")
    expect(page.get_by_role("article", name="Response A")).to_be_visible()
    settled(page)
    assert violations(page) == [], "with the guidelines open"
    page.get_by_role("button", name="I have read this").click()
    page.keyboard.press("d")
    assert violations(page) == [], "with the differences marked"
    page.keyboard.press("d")
    page.keyboard.press("?")
    assert violations(page) == [], "with the keys shown"
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    assert violations(page) == [], "with the skip dialog open"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Your day").click()
    assert violations(page) == [], "with the day shown"
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("An earlier answer of yours")).to_be_visible()
    assert violations(page) == [], "with an earlier answer open"
    page.keyboard.press("Escape")
    for _ in range(3):
        page.wait_for_timeout(200)
        page.keyboard.press("t")
    expect(page.get_by_text("All answered")).to_be_visible()
    assert violations(page) == [], "finished"


@pytest.mark.parametrize("way", ["label", "talk"])
def test_loading_offline_and_signed_out_pass_axe(
    way: str, site: Site, open_as: Callable[[str, str], Page]
) -> None:
    page = open_as("luis", "/")
    asked = re.compile(r"/api/projects/tiny-tales/(assignments|talks)/$")
    page.route(asked, lambda route: None)
    page.goto(f"{site.address}/p/tiny-tales/{way}")
    expect(page.get_by_text("Loading")).to_be_visible()
    assert violations(page) == [], "loading"
    page.unroute(asked)
    page.route(asked, lambda route: route.abort())
    page.reload()
    expect(page.get_by_text(re.compile("cannot be reached|No connection")).first).to_be_visible()
    assert violations(page) == [], "offline"
    page.unroute(asked)
    page.context.clear_cookies(name="sessionid")
    page.reload()
    expect(page.get_by_label("Password").first).to_be_visible()
    assert violations(page) == [], "signed out"


def test_the_label_page_on_a_phone_passes_axe(
    site: Site, open_as: Callable[[str, str], Page]
) -> None:
    slug = open_project(site.address, "Looks on a phone", pairs(2))
    page = open_as("luis", f"/p/{slug}/label")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("article", name="Response A")).to_be_visible()
    settled(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_pages_for_anybody_pass_axe(
    site: Site, slug: str, open_as: Callable[[str, str], Page]
) -> None:
    maya = Client(site.address, "maya")
    offer = {"role": "labeler", "seats": 1, "days": 1}
    link = maya.call("POST", f"projects/{slug}/invitations/", **offer)["link"]
    page = open_as("lena", "/account")
    page.context.clear_cookies()
    for address in (f"{site.address}/sign-in", link, f"{site.address}/join/gone"):
        page.goto(address)
        settled(page)
        assert violations(page) == [], address


def test_a_batch_passes_axe(site: Site, open_as: Callable[[str, str], Page]) -> None:
    page = open_as("maya", f"/batches/{a_batch(site)}")
    settled(page)
    assert violations(page) == []


def a_batch(site: Site) -> int:
    """The newest batch of the demo; where there is none yet, one that is frozen now."""
    maya = Client(site.address, "maya")
    deadline = time.monotonic() + 120
    while True:
        runs = maya.call("GET", "projects/tiny-tales/runs/")["results"]
        if batches := [run["batch"]["id"] for run in runs if run["batch"]]:
            return batches[0]
        assert time.monotonic() < deadline, "no batch was frozen within two minutes"
        answer_all(Client(site.address, "luis"))
        time.sleep(3)


def answer_all(labeler: Client) -> None:
    while True:
        served = labeler.call("POST", "projects/tiny-tales/assignments/", want=3)
        if not served["assignments"]:
            return
        for shown in served["assignments"]:
            answer = {"outcome": "prefer", "tiers": [[0], [1]], "strength": 1, "active_ms": 900}
            labeler.call(
                "POST",
                f"assignments/{shown['key']}/preference/",
                token=shown["token"],
                idempotency_key=str(uuid.uuid4()),
                **answer,
            )
