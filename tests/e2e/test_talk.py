"""A labeler talks with the demo's policy in Chromium, by keyboard and by touch."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.e2e.projects import Client
from tests.e2e.test_looks import violations

READING_MS = 300
PLAIN = {"span_categories": [], "rewrites": False}
HELLO = "Tell a tale about Pip the owl and a lost key."


@pytest.fixture
def talk(site: Site, open_as: Callable[[str, str], Page]) -> Iterator[Page]:
    """The talk page of lena, in a project in which maya has turned talks on."""
    maya = open_as("maya", "/p/tiny-tales/settings")
    maya.get_by_label("Talks with the policy").select_option("2")
    maya.get_by_role("button", name="Save").first.click()
    expect(maya.get_by_text("Saved").first).to_be_visible()
    manager = Client(site.address, "maya")
    manager.call("PATCH", "projects/tiny-tales/", span_categories=["untrue"], rewrites=True)
    read = Client(site.address, "lena")
    read.call("POST", "projects/tiny-tales/guidelines/acknowledge/", version=1)
    lena = open_as("lena", "/p/tiny-tales/talk")
    expect(lena.get_by_label("Your message")).to_be_visible(timeout=30_000)
    yield lena
    manager.call("PATCH", "projects/tiny-tales/", **PLAIN)


def replies(page: Page) -> list[str]:
    """Both replies, complete and to be compared."""
    expect(page.get_by_role("group", name="Which is better")).to_be_visible(timeout=90_000)
    page.wait_for_timeout(READING_MS)
    return [page.get_by_role("article", name=f"Response {x}").inner_text() for x in "AB"]


def test_a_talk_by_keyboard_and_by_touch(talk: Page, site: Site) -> None:
    message = talk.get_by_label("Your message")
    assert violations(talk) == [], "before the first word"
    message.fill(HELLO)
    talk.keyboard.press("Enter")
    left, _ = replies(talk)
    assert violations(talk) == [], "with replies to compare"
    # A word of the first reply is marked, and the reply rewritten.
    for key in ("s", "1", "e"):
        talk.keyboard.press(key)
    talk.keyboard.press("Control+End")
    talk.keyboard.type(" The end, 1 2 3.")
    talk.keyboard.press("Escape")
    talk.keyboard.press("1")
    said = talk.get_by_role("region", name="What was said")
    expect(said).to_contain_text(left.removeprefix("A").strip()[:40])

    # What is typed outlives a reload, and a server that cannot be reached.
    expect(message).to_be_focused()
    talk.keyboard.type("And then?")
    talk.reload()
    expect(message).to_have_value("And then?")
    expect(said).to_contain_text(HELLO)
    talk.context.set_offline(True)
    talk.get_by_role("button", name="Send").click()
    expect(talk.get_by_text(re.compile("cannot be reached"))).to_be_visible()
    expect(message).to_have_value("And then?")
    talk.context.set_offline(False)
    talk.get_by_role("button", name="Send").click()
    replies(talk)
    answered = Client(site.address, "lena").call("GET", "projects/tiny-tales/answers/")
    answer = answered["results"][0]["answer"]
    assert [span["category"] for span in answer["spans"]] == ["untrue"]
    assert answer["rewrites"]["0"]["text"].endswith(" The end, 1 2 3.")

    # Two bad replies: others to the same words.
    talk.keyboard.press("n")
    talk.get_by_role("button", name="Other replies").click()
    replies(talk)

    talk.set_viewport_size({"width": 390, "height": 844})
    tabs = talk.get_by_role("group", name="Responses").first
    tabs.get_by_role("button", name="B", exact=True).click()
    talk.get_by_role("button", name="B is much better").click()
    expect(message).to_be_visible()
    talk.get_by_role("button", name="undo").click()
    replies(talk)
    talk.get_by_role("button", name="A is much better").click()
    message.fill("The end?")
    talk.get_by_role("button", name="Send").click()
    replies(talk)
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not talk.evaluate(wide)
