"""The circle turns: a person labels by keyboard, a model learns, a policy is tuned and judged."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from rewardtrain.demo.taste import quality

LABELS = 40
STEPS = 8
READING_MS = 400


def taste(page: Page, side: str) -> float:
    """How much the demo's people like one side of what the page shows."""
    prompt = page.get_by_label("Prompt", exact=True).locator(".prose").first.inner_text()
    response = page.get_by_role("article", name=f"Response {side}").locator(".prose")
    return quality(prompt, response.inner_text())


def label(page: Page, most: int) -> int:
    """Answer by keyboard until `most` are answered or the queue is empty; how many there were."""
    answered = 0
    finished = page.get_by_text("All answered")
    shown = page.get_by_role("article", name="Response A")
    while answered < most:
        expect(finished.or_(shown).first).to_be_visible(timeout=30_000)
        if finished.is_visible():
            break
        before = page.locator(".responses").all_inner_texts()
        difference = taste(page, "A") - taste(page, "B")
        key = "t" if abs(difference) < 0.25 else "1" if difference > 0 else "6"
        # An answer within the first moments of a pair counts as a slip of the hand.
        page.wait_for_timeout(READING_MS)
        page.keyboard.press(key)
        answered += 1
        # The next pair replaces this one; equal texts never follow one another.
        deadline = time.monotonic() + 10
        while page.locator(".responses").all_inner_texts() == before:
            assert time.monotonic() < deadline, "the next comparison did not come"
            page.wait_for_timeout(20)
    return answered


def test_a_person_turns_the_circle(open_as: Callable[[str, str], Page]) -> None:
    lena = open_as("lena", "/p/tiny-tales/label")
    expect(lena.get_by_role("article", name="Response A")).to_be_visible(timeout=180_000)
    lena.get_by_role("button", name="I have read this").click()
    assert label(lena, LABELS) == LABELS

    maya = open_as("maya", "/p/tiny-tales/circle")
    expect(maya.get_by_text(re.compile(r"reward model 1", re.I)).first).to_be_visible(
        timeout=180_000
    )
    expect(maya.get_by_text(re.compile(r"provisional|promoted", re.I)).first).to_be_visible(
        timeout=30_000
    )

    maya.get_by_role("button", name="Fine-tune the policy").click()
    maya.get_by_label("Steps").fill(str(STEPS))
    maya.get_by_role("dialog").get_by_role("button", name=re.compile("Fine-tune|Start")).click()
    expect(maya.get_by_text(re.compile(r"policy 1", re.I)).first).to_be_visible(timeout=240_000)

    maya.goto(maya.url.replace("/circle", "/arena"))
    expect(maya.get_by_text("comparisons are still open")).to_be_visible(timeout=180_000)
    lena.goto(lena.url)
    assert label(lena, 200) > 0

    maya.reload()
    rate = maya.get_by_text(re.compile(r"\d+\s%\s*\(\d+.\d+, n\s\d+\)")).first
    expect(rate).to_be_visible(timeout=60_000)
