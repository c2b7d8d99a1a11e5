"""Every form of an answer in Chromium: by keyboard, and by touch on a phone.

What is asked is made over HTTP; the answering is done on the page, and what arrived is read back
as the labeler's own answers.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.conftest import PASSWORDS, RESULTS, Site

READING_MS = 200
"""An answer within the first moments of a pair counts as a slip of the hand."""
RAW = "The **owl** 👩‍👩‍👧 found a *cafe\u0301* key.\n\n- It flew home.\n- It slept."
TALES = [RAW, "The fox lost it.", "The hare ran.", "The toad sang.", "The mole dug.",
         "The wren hid.", "The bee slept.", "The newt swam.", "The ox sat."]  # fmt: skip
DEVICES = {
    "keyboard": {"viewport": {"width": 1440, "height": 900}},
    "touch": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
numbers = count(1)


class Desk:
    """Maya's own projects: she sets them up over HTTP and labels in them."""

    def __init__(self, site: Site, context: BrowserContext) -> None:
        self.site, self.context = site, context
        self.call("GET", "session/")
        self.call("POST", "session/", {"username": "maya", "password": PASSWORDS["maya"]})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        cookies = {c["name"]: c["value"] for c in self.context.cookies()}
        headers = {"X-CSRFToken": cookies.get("csrftoken", ""), "Referer": self.site.address}
        answer = self.context.request.fetch(
            f"{self.site.address}/api/{path}", method=method, data=body, headers=headers
        )
        assert answer.ok, answer.text()
        return answer.json() if answer.text() else None

    def project(self, responses: int = 2, comparisons: int = 1, **settings: Any) -> str:
        number = next(numbers)
        slug = self.call("POST", "projects/", {"name": f"Forms {number}", **settings})["slug"]
        lines = [
            json.dumps({"prompt": f"Tale {number}.{n}?", "responses": TALES[:responses]})
            for n in range(comparisons)
        ]
        made = self.call("POST", f"projects/{slug}/comparisons/", {"text": "\n".join(lines)})
        assert made["created"] == comparisons, made
        self.call("POST", f"projects/{slug}/state/", {"state": "open"})
        return slug

    def answers(self, slug: str, n: int) -> list[dict[str, Any]]:
        """The first `n` answers as they are stored, oldest first."""
        deadline = time.monotonic() + 15
        while len(rows := self.call("GET", f"projects/{slug}/answers/")["results"]) < n:
            assert time.monotonic() < deadline, f"{len(rows)} of {n} answers arrived"
            time.sleep(0.05)
        return [row["answer"] for row in rows[::-1]]

    def answer(self, slug: str) -> dict[str, Any]:
        return self.answers(slug, 1)[0]


@pytest.fixture(scope="module")
def desk(site: Site, chromium: Browser) -> Iterator[Desk]:
    context = chromium.new_context()
    yield Desk(site, context)
    context.close()


@pytest.fixture
def open_on(
    site: Site, chromium: Browser, desk: Desk, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, str], Page]]:
    """open_on("touch", slug): the label page; the test fails if the page logs an error."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_page(device: str, slug: str) -> Page:
        state = desk.context.storage_state()
        context = chromium.new_context(storage_state=state, **DEVICES[device])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{site.address}/p/{slug}/label")
        expect(page.locator(".response, .write-first").first).to_be_visible(timeout=20_000)
        page.wait_for_timeout(READING_MS)
        return page

    yield open_page
    for number, context in enumerate(contexts):
        context.pages[0].screenshot(path=RESULTS / f"{request.node.name}-{number}.png")
        context.close()
    assert wrong == []


each_device = pytest.mark.parametrize("device", list(DEVICES))


def go_on(page: Page, act: Callable[[], None]) -> None:
    """Answers, and waits for what comes after."""
    shown = page.locator(".prompt-scroll").inner_text()
    act()
    expect(
        page.locator(".prompt-scroll").filter(has_not_text=shown).or_(finished(page))
    ).to_be_visible()
    page.wait_for_timeout(READING_MS)


def finished(page: Page) -> Locator:
    return page.get_by_text("All answered")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def turn_to(page: Page, letter: str) -> None:
    page.get_by_role("group", name="Responses").first.get_by_role(
        "button", name=letter, exact=True
    ).tap()
    page.wait_for_timeout(400)


def swipe(
    page: Page, start: Locator, by: tuple[int, int] = (0, 0), to: Locator | None = None
) -> None:
    """A finger put down on `start`, moved in steps, and lifted."""
    box = start.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    end = to.bounding_box() if to else {"x": x + by[0], "y": y + by[1], "width": 0, "height": 0}
    across = end["x"] + end["width"] / 2 - x, end["y"] + end["height"] / 2 - y
    finger = page.context.new_cdp_session(page)

    def touch(what: str, share: float | None) -> None:
        points = [] if share is None else [{"x": x + share * across[0], "y": y + share * across[1]}]
        finger.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": points})
        page.wait_for_timeout(20)

    touch("touchStart", 0)
    for step in range(1, 11):
        touch("touchMove", step / 10)
    page.wait_for_timeout(150)
    touch("touchEnd", None)
    page.wait_for_timeout(150)


def test_pairs_by_keyboard(desk: Desk, open_on: Callable[[str, str], Page]) -> None:
    slug = desk.project(comparisons=12, levels_per_side=4)
    page = open_on("keyboard", slug)
    names = page.get_by_role("group", name="Which is better").get_by_role("button")
    words = [
        name.split(" is ")[1] for name in names.locator(".visually-hidden").all_text_contents()
    ]
    steps = ["significantly better", "better", "slightly better", "negligibly better"]
    assert words == steps + steps[::-1]
    keys = ["1", "2", "3", "4", "5", "6", "7", "8", "t", "y", "n", "x"]
    for key in keys:
        go_on(page, lambda key=key: press(page, key))
    said = [(a["outcome"], a["tiers"][0], a["strength"]) for a in desk.answers(slug, 12)]
    left = [("prefer", [0], strength) for strength in (4, 3, 2, 1)]
    right = [("prefer", [1], strength) for strength in (1, 2, 3, 4)]
    equal = [(what, [0, 1], None) for what in ("tie", "both_good", "both_bad", "unanswerable")]
    assert said == left + right + equal


def test_pairs_by_touch(desk: Desk, open_on: Callable[[str, str], Page]) -> None:
    slug = desk.project(comparisons=6, levels_per_side=3)
    page = open_on("touch", slug)
    for name in (
        "A is much better",
        "B is slightly better",
        "both good",
        "both bad",
        "cannot judge",
    ):
        go_on(page, page.get_by_role("button", name=name).tap)
    swipe(page, page.locator(".response").first, (-250, 0))
    swipe(page, page.locator(".response").last, (0, -200))
    go_on(page, page.get_by_role("button", name="tie").tap)
    outcomes = [(a["outcome"], a["strength"]) for a in desk.answers(slug, 6)]
    assert outcomes == [
        ("prefer", 3), ("prefer", 1), ("both_good", None), ("both_bad", None),
        ("unanswerable", None), ("tie", None),
    ], "reading and swiping answered nothing"  # fmt: skip


def test_a_ranking_of_nine_by_keyboard_alone(
    desk: Desk, open_on: Callable[[str, str], Page]
) -> None:
    slug = desk.project(responses=9, response_form="ranking")
    page = open_on("keyboard", slug)
    press(page, "Enter")
    expect(page.locator(".rank-chip")).to_have_count(0)
    press(page, "3", "1", "Shift+2", "5", "4", "6", "7", "8")
    expect(page.get_by_role("listitem", name="H, place 7")).to_be_focused()
    # Six steps up: into and out of the ties with G, F and D.
    press(page, *["ArrowUp"] * 6)
    expect(page.get_by_role("listitem", name="H, place 4")).to_be_focused()
    press(page, "ArrowDown")
    expect(page.get_by_role("listitem", name="H, place 4")).to_be_focused()
    press(page, "Enter")
    expect(finished(page)).to_be_visible()
    answer = desk.answer(slug)
    assert answer["tiers"] == [[2], [0, 1], [4], [3, 7], [5], [6], [8]]


def test_a_ranking_by_touch_moves_by_its_handle_only(
    desk: Desk, open_on: Callable[[str, str], Page]
) -> None:
    slug = desk.project(responses=4, response_form="ranking")
    page = open_on("touch", slug)
    for letter in "BACD":
        page.get_by_role("button", name=f"{letter} comes next").tap()
    board = page.get_by_role("list", name="Ranking, best first")
    order = lambda: "".join(board.locator(".rank-letter").all_inner_texts())  # noqa: E731
    assert order() == "BACD"
    # A finger that scrolls, over the responses and over the ranking itself, moves nothing.
    swipe(page, page.locator(".response").first, (-200, -150))
    chip = lambda letter: board.get_by_role("listitem", name=f"{letter}, place")  # noqa: E731
    swipe(page, chip("D").locator(".rank-letter"), to=chip("B").locator(".rank-letter"))
    assert order() == "BACD"
    swipe(page, chip("D").locator(".grip"), to=chip("B").locator(".grip"))
    assert order() == "DBAC"
    page.get_by_role("button", name="C equals A").tap()
    page.get_by_role("button", name="Done").tap()
    expect(finished(page)).to_be_visible()
    assert desk.answer(slug)["tiers"] == [[3], [1], [0, 2]]


@each_device
def test_best_of_k(device: str, desk: Desk, open_on: Callable[[str, str], Page]) -> None:
    slug = desk.project(responses=4, comparisons=2, response_form="best_of_k")
    page = open_on(device, slug)
    if device == "keyboard":
        go_on(page, lambda: press(page, "3"))
        go_on(page, lambda: press(page, "n"))
    else:
        go_on(page, page.get_by_role("button", name="C is the best").tap)
        go_on(page, page.get_by_role("button", name="all bad").tap)
    said = [(a["outcome"], a["tiers"]) for a in desk.answers(slug, 2)]
    assert said == [("prefer", [[2], [0, 1, 3]]), ("all_bad", [[0, 1, 2, 3]])]


@each_device
def test_flags_and_ratings(device: str, desk: Desk, open_on: Callable[[str, str], Page]) -> None:
    slug = desk.project(flags=["harmful", "off topic"], attributes=["helpfulness", "verbosity"])
    page = open_on(device, slug)
    if device == "keyboard":
        press(page, "h", "h", "Tab", "Space", "r", *["Tab"] * 3, "Enter")
        expect(page.get_by_role("button", name="helpfulness: 3 of 4").first).to_be_focused()
        press(page, "1")
    else:
        page.get_by_role("button", name="helpfulness: 3 of 4").first.tap()
        turn_to(page, "B")
        page.get_by_role("button", name="off topic").last.tap()
        page.get_by_role("button", name="A is much better").tap()
    expect(finished(page)).to_be_visible()
    answer = desk.answer(slug)
    assert (answer["flags"], answer["ratings"]) == ({"1": ["off topic"]}, {"0": {"helpfulness": 3}})


def raw_of(page: Page, place: int) -> str:
    return next(
        t
        for t in TALES
        if t[:4] in page.locator(".response .prose").nth(place).inner_text()
        and t[-6:] in page.locator(".response .prose").nth(place).inner_text()
    )


def owl_side(page: Page) -> int:
    """Which side shows the tale with emoji, accents and Markdown."""
    return 0 if "cafe" in page.locator(".response .prose").first.inner_text() else 1


SELECT = """([response, first, last]) => {
    const prose = document.querySelectorAll('.response')[response].querySelector('.prose');
    const texts = document.createTreeWalker(prose, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
        if (node.data.includes(first)) range.setStart(node, node.data.indexOf(first));
        if (node.data.includes(last)) range.setEnd(node, node.data.indexOf(last) + last.length);
    }
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}"""


DRAWN = "[...(CSS.highlights.get('span') ?? [])].map(String)"


@each_device
def test_spans(device: str, desk: Desk, open_on: Callable[[str, str], Page]) -> None:
    slug = desk.project(span_categories=["irrelevant", "untrue"])
    page = open_on(device, slug)
    side = owl_side(page)
    bar = page.get_by_role("group", name="Mark words")
    if device == "keyboard":
        # Faster than the page is drawn: no key of a mark may answer the pair.
        press(page, *["s"] * (side + 1), "ArrowRight", "Shift+ArrowRight", "2")
        press(page, "s", *["ArrowRight"] * 3, "1")
    else:
        # The handles of a selection belong to the phone's system; the page sees what they select.
        turn_to(page, "AB"[side])
        page.evaluate(SELECT, [side, "owl", "👩‍👩‍👧"])
        bar.get_by_role("button", name="untrue").tap()
        expect(bar).to_be_hidden()
        page.evaluate(SELECT, [side, "cafe\u0301", "cafe\u0301"])
        bar.get_by_role("button", name="irrelevant").tap()
    marked = page.get_by_role("list", name="Marked in")
    expect(marked.get_by_role("listitem")).to_have_count(2)
    deadline = time.monotonic() + 15
    while (drawn := page.evaluate(DRAWN))[-1:] != ["cafe\u0301"]:
        assert time.monotonic() < deadline, drawn
    assert "".join(drawn[:2]).replace(" ", "") == "owl👩‍👩‍👧"
    page.get_by_role("button", name="tie").click()
    expect(finished(page)).to_be_visible()
    spans = desk.answer(slug)["spans"]
    assert [(s["category"], s["quote"]) for s in spans] == [
        ("untrue", "owl** 👩‍👩‍👧"), ("irrelevant", "cafe\u0301"),
    ]  # fmt: skip
    assert all(RAW[s["start"] : s["end"]] == s["quote"] for s in spans)
    assert {s["position"] for s in spans} == {side}


@each_device
def test_a_required_reason(device: str, desk: Desk, open_on: Callable[[str, str], Page]) -> None:
    slug = desk.project(rationale_required=True)
    page = open_on(device, slug)
    why = page.get_by_label("Why (required)")
    if device == "keyboard":
        press(page, "2")
        expect(why).to_be_focused()
        press(page, "Control+Enter", "Space", "Control+Enter")
        expect(why).to_be_visible()
        page.keyboard.type("It is kinder.")
        press(page, "Control+Enter")
    else:
        page.get_by_role("button", name="A is better").tap()
        expect(page.get_by_role("button", name="Done")).to_be_disabled()
        why.fill("It is kinder.")
        page.get_by_role("button", name="Done").tap()
    expect(finished(page)).to_be_visible()
    answer = desk.answer(slug)
    assert (answer["strength"], answer["rationale"].strip()) == (2, "It is kinder.")


@each_device
def test_a_rewrite(device: str, desk: Desk, open_on: Callable[[str, str], Page]) -> None:
    slug = desk.project(rewrites=True)
    page = open_on(device, slug)
    before = page.locator(".response .prose").first.inner_text()
    field = page.get_by_label("A better A")
    if device == "keyboard":
        press(page, "e")
        expect(field).to_be_focused()
        press(page, "Control+End")
        page.keyboard.type(" The end, 1 2 3 k u x.")
    else:
        page.get_by_role("button", name="Rewrite of A").tap()
        field.fill(field.input_value() + " The end, 1 2 3 k u x.")
    changes = page.get_by_role("region", name="What you changed")
    expect(changes.locator("ins")).to_have_text(" The end, 1 2 3 k u x.")
    expect(changes.locator("del")).to_have_count(0)
    if device == "keyboard":
        press(page, "Escape")
        page.reload()
        expect(page.get_by_text("rewritten")).to_be_visible()
        page.wait_for_timeout(READING_MS)
        press(page, "1")
    else:
        page.get_by_role("button", name="Back", exact=True).tap()
        page.get_by_role("button", name="A is better").tap()
    expect(finished(page)).to_be_visible()
    answer = desk.answer(slug)
    assert list(answer["rewrites"]) == ["0"]
    rewritten = answer["rewrites"]["0"]
    assert rewritten["text"].endswith(" The end, 1 2 3 k u x.")
    assert re.sub(r"\W", "", before)[:6] in re.sub(r"\W", "", rewritten["text"])
    assert rewritten["active_ms"] > 0


@each_device
def test_write_before_you_choose(
    device: str, desk: Desk, open_on: Callable[[str, str], Page]
) -> None:
    slug = desk.project(write_first_share=1)
    page = open_on(device, slug)
    field = page.get_by_label("Write your own answer first")
    assert not any(tale[-9:] in page.content() for tale in TALES[:2])
    expect(page.get_by_role("group", name="Which is better")).to_be_hidden()
    if device == "keyboard":
        expect(field).to_be_focused()
        press(page, "Control+Enter", "Space", "Control+Enter")
        expect(field).to_be_visible()
        page.keyboard.type("1 owl, kind and wise.")
        press(page, "Control+Enter")
        expect(page.get_by_role("article", name="Response A")).to_be_visible()
        page.wait_for_timeout(READING_MS)
        press(page, "2")
    else:
        store = page.get_by_role("button", name="Store it, show the responses")
        expect(store).to_be_disabled()
        field.fill("1 owl, kind and wise.")
        store.tap()
        expect(page.get_by_role("article", name="Response A")).to_be_visible()
        page.wait_for_timeout(READING_MS)
        page.get_by_role("button", name="A is better").tap()
    expect(finished(page)).to_be_visible()
    assert desk.answer(slug)["strength"] == 2
    gap = desk.call("GET", f"projects/{slug}/gap/")
    assert (gap["write"]["n"], gap["choose_after"]["n"]) == (1, 1)


def test_a_skip_by_accident_destroys_no_writing(
    desk: Desk, open_on: Callable[[str, str], Page]
) -> None:
    slug = desk.project(rewrites=True, comparisons=2)
    page = open_on("keyboard", slug)
    prompt = page.locator(".prompt-scroll").inner_text()
    press(page, "e")
    page.get_by_label("A better A").fill("An hour of writing, k k k.")
    # While somebody types, k is a letter; and a skip is two steps.
    expect(page.get_by_role("dialog")).to_be_hidden()
    press(page, "Escape", "k", "Escape")
    expect(page.get_by_text("rewritten")).to_be_visible()
    press(page, "k", "1", "Enter")
    expect(page.locator(".prompt-scroll")).not_to_have_text(prompt)
    page.wait_for_timeout(READING_MS)
    press(page, "u")
    expect(page.locator(".prompt-scroll")).to_have_text(prompt)
    press(page, "e")
    expect(page.get_by_label("A better A")).to_have_value("An hour of writing, k k k.")
    press(page, "Escape")
    page.wait_for_timeout(READING_MS)
    press(page, "1")
    assert desk.answer(slug)["rewrites"]["0"]["text"] == "An hour of writing, k k k."
