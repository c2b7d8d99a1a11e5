"""200 hostile responses in Chromium: nothing runs, nothing is fetched, the page stays usable."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.e2e.hostile import FIVE_MEGABYTES, corpus
from tests.e2e.projects import open_project

EACH = 8
"""Responses shown at once: best of eight."""
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
WHAT_IS_WRONG = """() => {
  const wrong = [];
  if (window.ran) wrong.push("a script ran");
  const articles = [...document.querySelectorAll("article.response")];
  const widths = new Set(articles.map(a => Math.round(a.getBoundingClientRect().width)));
  if (widths.size !== 1) wrong.push(`widths ${[...widths]}`);
  const scroll = document.querySelector(".responses-scroll");
  if (scroll.scrollWidth > scroll.clientWidth + 1) wrong.push("the page scrolls sideways");
  const out = articles.flatMap(article => {
    const box = article.getBoundingClientRect();
    return [...article.querySelectorAll(".prose")].filter(prose => {
      const { left, right } = prose.getBoundingClientRect();
      return left < box.left - 1 || right > box.right + 1;
    });
  });
  if (out.length) wrong.push("a text leaves its side");
  const forbidden = ".prose :is(script, style, link, meta, base, img, video, audio, iframe," +
    " object, embed, form, input, button, svg, dialog, details, [style], [id], [name], [src])";
  if (document.querySelector(forbidden)) wrong.push("an element that has no place there");
  for (const button of document.querySelectorAll(".action-bar .step")) {
    const { left, top, width, height } = button.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    if (!button.contains(hit)) wrong.push("something lies over the action bar");
  }
  return wrong;
}"""


@pytest.fixture(scope="module")
def hostile(site: Site) -> str:
    """A project whose comparisons hold the whole corpus, eight at a time, two as one pair."""
    *texts, word, huge = [*corpus()[:-1], "A short and harmless tale.", FIVE_MEGABYTES]
    groups = [texts[n : n + EACH] for n in range(0, len(texts), EACH)]
    asked = [(f"Group {n}", group) for n, group in enumerate(groups)]
    return open_project(
        site.address, "Hostile", [*asked, ("5 MB", [huge, word])], response_form="best_of_k"
    )


def test_hostile_responses_do_nothing(hostile: str, open_as: Callable[[str, str], Page]) -> None:
    """`open_as` fails the test at any request to another host, and at any error of the page."""
    lena = open_as("lena", f"/p/{hostile}/label")
    dialogs: list[str] = []
    lena.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    finished = lena.get_by_text("All answered")
    shown = lena.locator("article.response").first
    seen, slowest, address = 0, 0.0, lena.url
    while True:
        expect(finished.or_(shown).first).to_be_visible(timeout=30_000)
        if finished.is_visible():
            break
        what = lena.locator(".prompt .prose").inner_text()
        assert lena.evaluate(WHAT_IS_WRONG) == [], what
        seen += lena.locator("article.response").count()
        lena.wait_for_timeout(160)
        began = time.monotonic()
        lena.keyboard.press("1")
        lena.evaluate(PAINTED)
        slowest = max(slowest, time.monotonic() - began)
        expect(lena.locator(".prompt .prose").get_by_text(what, exact=True)).to_have_count(0)
    assert seen == 201
    assert dialogs == []
    assert (lena.url, lena.title()) == (address, "Label · Hostile · Vibecheck")
    # What nobody's text should cost, on a busy machine too.
    assert slowest < 5, f"a pair took {slowest:.1f} s to be painted"
