"""The label page in the hands of people: offline, on a shared computer, by keys of their own."""

import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import Site
from tests.e2e.projects import PASSWORDS, Client, open_project, pairs

READ_MS = 200
"""A key pressed within the first moments of a pair counts as a slip of the hand."""


def shown(page: Page) -> str:
    return page.locator(".prompt .prose").inner_text()


def press(page: Page, key: str, times: int = 1) -> None:
    """Answer what is shown, and see the next; after the last, that nothing is shown."""
    for _ in range(times):
        before = shown(page)
        page.wait_for_timeout(READ_MS)
        page.keyboard.press(key)
        expect(page.locator(".prompt .prose").get_by_text(before, exact=True)).to_have_count(0)


def ready(page: Page) -> None:
    expect(page.get_by_role("article", name="Response A")).to_be_visible(timeout=20_000)


def answered(site: Site, slug: str, username: str) -> int:
    return Client(site.address, username).call("GET", f"projects/{slug}/progress/")["mine"]


def eventually_answered(site: Site, slug: str, username: str, number: int) -> None:
    deadline = time.monotonic() + 20
    while answered(site, slug, username) != number:
        assert time.monotonic() < deadline, f"{username} has {answered(site, slug, username)}"
        time.sleep(0.3)


def sign_in(context: BrowserContext, site: Site, username: str, path: str) -> Page:
    page = context.new_page()
    page.goto(f"{site.address}/sign-in?next={path}")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").first.fill(PASSWORDS[username])
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.address + path)
    return page


def test_answers_given_offline_survive_the_closed_tab(
    site: Site, open_as: Callable[[str, str], Page]
) -> None:
    slug = open_project(site.address, "Offline", pairs(4))
    page = open_as("lena", f"/p/{slug}/label")
    ready(page)
    page.wait_for_load_state("networkidle")
    context = page.context
    context.set_offline(True)
    press(page, "1", times=3)
    expect(page.get_by_text("3 waiting")).to_be_visible()
    expect(page.get_by_text("No connection")).to_be_visible()
    assert answered(site, slug, "lena") == 0
    page.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(f"{site.address}/p/{slug}/label")
    eventually_answered(site, slug, "lena", 3)
    ready(page)
    expect(page.get_by_text("waiting")).to_have_count(0)


def test_on_a_shared_computer_nobody_sends_or_sees_anothers(
    site: Site, open_as: Callable[[str, str], Page]
) -> None:
    slug = open_project(site.address, "Shared computer", pairs(6), overlap=2)
    path = f"/p/{slug}/label"
    page = open_as("lena", path)
    ready(page)
    context = page.context
    page.keyboard.press("i")
    page.keyboard.type("only Lena may read this")
    page.keyboard.press("Escape")
    context.set_offline(True)
    press(page, "1", times=2)
    expect(page.get_by_text("2 waiting")).to_be_visible()
    # A tab is offline only while it lives; what it sends as it closes must find nobody signed in.
    context.clear_cookies()
    page.close()
    context.set_offline(False)

    luis = sign_in(context, site, "luis", path)
    ready(luis)
    expect(luis.get_by_text("waiting")).to_have_count(0)
    expect(luis.get_by_text("only Lena may read this")).to_have_count(0)
    press(luis, "2")
    eventually_answered(site, slug, "luis", 1)
    assert answered(site, slug, "lena") == 0
    luis.close()
    context.clear_cookies()

    sign_in(context, site, "lena", path)
    eventually_answered(site, slug, "lena", 2)
    assert answered(site, slug, "luis") == 1


def test_a_tab_of_somebody_who_was_replaced_waits_for_them(
    site: Site, open_as: Callable[[str, str], Page]
) -> None:
    """Luis signs in beside Lena's open tab: her answer is neither sent as his nor thrown away."""
    slug = open_project(site.address, "Two tabs", pairs(4), overlap=2)
    path = f"/p/{slug}/label"
    page = open_as("lena", path)
    ready(page)
    page.route("**/preference/", lambda route: route.abort())
    page.wait_for_timeout(READ_MS)
    page.keyboard.press("1")
    expect(page.get_by_text("1 waiting")).to_be_visible()
    page.context.clear_cookies()
    luis = sign_in(page.context, site, "luis", path)
    ready(luis)
    page.unroute("**/preference/")
    page.wait_for_timeout(3_000)
    expect(page.get_by_text("One answer was not taken")).to_have_count(0)
    assert answered(site, slug, "luis") == answered(site, slug, "lena") == 0
    page.context.clear_cookies()
    sign_in(page.context, site, "lena", path)
    eventually_answered(site, slug, "lena", 1)


def test_keys_are_changed_and_nothing_fires_while_typing(
    site: Site, open_as: Callable[[str, str], Page]
) -> None:
    slug = open_project(site.address, "Keys", pairs(5))
    page = open_as("lena", f"/p/{slug}/label")
    ready(page)
    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key of “tie”").click()
    page.keyboard.press("k")
    expect(page.get_by_text("k already means “skip”")).to_be_visible()
    page.keyboard.press("7")
    expect(page.get_by_text("7 is kept for the answers")).to_be_visible()
    page.keyboard.press("q")
    expect(page.get_by_role("button", name="Change the key of “tie”, now q")).to_be_visible()
    page.keyboard.press("Escape")

    before = shown(page)
    page.wait_for_timeout(READ_MS)
    page.keyboard.press("t")
    page.keyboard.press("i")
    page.keyboard.type("q12 kut")
    assert shown(page) == before
    page.keyboard.press("Escape")
    # What the page gives back as it closes comes before it asks again.
    page.goto("about:blank")
    page.wait_for_timeout(1_000)
    page.goto(f"{site.address}/p/{slug}/label")
    ready(page)
    expect(page.get_by_label("Note")).to_have_value("q12 kut")
    press(page, "q")
    eventually_answered(site, slug, "lena", 1)
    lena = Client(site.address, "lena")
    mine = lena.call("GET", f"projects/{slug}/answers/")["results"]
    assert (mine[0]["answer"]["outcome"], mine[0]["answer"]["rationale"]) == ("tie", "q12 kut")
    # They belong to her account, which every test shares.
    lena.call("PUT", "session/keys/", keys={})


def test_a_slip_is_taken_back_and_an_earlier_answer_changed(
    site: Site, open_as: Callable[[str, str], Page]
) -> None:
    slug = open_project(site.address, "Slips", pairs(5))
    page = open_as("lena", f"/p/{slug}/label")
    ready(page)
    first = shown(page)
    press(page, "1")
    page.keyboard.press("u")
    expect(page.locator(".prompt .prose")).to_have_text(first)
    expect(page.get_by_text("Taken back")).to_be_visible()
    press(page, "6")
    second = shown(page)
    press(page, "t")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".prompt .prose")).to_have_text(second)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".prompt .prose")).to_have_text(first)
    press(page, "y")
    eventually_answered(site, slug, "lena", 2)
    deadline = time.monotonic() + 10
    said = {}
    while said != {first: "both_good", second: "tie"}:
        assert time.monotonic() < deadline, said
        mine = Client(site.address, "lena").call("GET", f"projects/{slug}/answers/")["results"]
        said = {row["prompt_excerpt"]: row["answer"]["outcome"] for row in mine}


def test_what_changed_in_the_guidelines_is_shown_until_it_is_read(
    site: Site, open_as: Callable[[str, str], Page]
) -> None:
    slug = open_project(site.address, "Changing", pairs(3), guidelines="Prefer the kinder tale.")
    page = open_as("lena", f"/p/{slug}/label")
    page.get_by_role("button", name="I have read this").click()
    maya = Client(site.address, "maya")
    maya.call("POST", f"projects/{slug}/guidelines/", text="Prefer the livelier tale.")
    page.reload()
    expect(page.get_by_text("What changed since version 1")).to_be_visible()
    expect(page.locator(".guidelines ins")).to_have_text("livelier")
    expect(page.locator(".guidelines del")).to_have_text("kinder")
    page.get_by_role("button", name="I have read this").click()
    page.reload()
    ready(page)
    expect(page.locator(".guidelines")).to_have_count(0)


def test_long_responses_are_read_side_by_side_and_compared(
    site: Site, open_as: Callable[[str, str], Page]
) -> None:
    long = [
        f"{who} said: " + "\n\n".join(f"Verse {n}." for n in range(80)) for who in ("Pip", "Fox")
    ]
    slug = open_project(site.address, "Long", [("Sing.", long)])
    page = open_as("lena", f"/p/{slug}/label")
    ready(page)
    page.keyboard.press("d")
    expect(page.locator("article mark")).to_have_count(2)
    page.keyboard.press("d")
    page.keyboard.press("End")
    for side in ("A", "B"):
        article = page.get_by_role("article", name=f"Response {side}")
        expect(article.get_by_text("Verse 79.")).to_be_in_viewport()
        expect(article.get_by_role("heading", name=side, exact=True)).to_be_in_viewport()
