"""From key to next pair painted, in Chromium against the real server.

    nice .venv/bin/python benchmarks/label_latency.py [--answers 200] [--json]

Database, web server and page are those of bin/start. A labeler looks at each pair for a moment and
presses a key; the time runs from the key event's own time stamp to the frame after the one in which
the next pair is in the page, by which it has been painted.
"""

import sys
from pathlib import Path

# The folder of this file holds a queue.py, which must not stand for Python's own.
ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import shutil  # noqa: E402
import statistics  # noqa: E402
import tempfile  # noqa: E402

GOAL_P50, GOAL_P95 = 50, 100
LOOK_MS = 1000
MEASURE = """() => {
  window.times = [];
  const shown = () => document.querySelector(".response-pages");
  document.addEventListener("keydown", (event) => {
    const before = shown();
    const look = () => shown() !== null && shown() !== before
      ? requestAnimationFrame(() => window.times.push(performance.now() - event.timeStamp))
      : requestAnimationFrame(look);
    requestAnimationFrame(look);
  }, { capture: true });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    times = measured(options.answers)
    figures = {
        "answers": len(times),
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
        "longest_ms": round(max(times), 1),
    }
    if options.json:
        print(json.dumps(figures))
        return
    print("from key to next pair painted\n")
    print("| answers | p50 | p95 | longest |\n| --- | --- | --- | --- |")
    print(
        f"| {figures['answers']} | {figures['p50_ms']} ms (goal {GOAL_P50}) | "
        f"{figures['p95_ms']} ms (goal {GOAL_P95}) | {figures['longest_ms']} ms |"
    )


def measured(answers: int) -> list[float]:
    """Milliseconds of each answer."""
    from config.embedded import environment

    var = Path(tempfile.mkdtemp(prefix="vibecheck-latency-", dir="/tmp"))
    try:
        with environment(var, temporary=True) as servers:
            os.environ.update(
                servers, DEMO="0", HTTPS="0", DJANGO_SETTINGS_MODULE="config.settings"
            )
            return label_in_chromium(answers)
    finally:
        shutil.rmtree(var, ignore_errors=True)


def label_in_chromium(answers: int) -> list[float]:
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks.web import PASSWORD, server

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    slug, username = add_project(answers + 10)
    with server() as address:
        return press_keys(address, slug, username, PASSWORD, answers)


def add_project(comparisons: int) -> tuple[str, str]:
    """An open project of pairs with prose, a table and code; and its labeler."""
    from django.contrib.auth.models import User

    from annotation.asking import Question, add_comparisons, add_prompts, add_responses
    from annotation.models import Membership, Project
    from benchmarks.web import PASSWORD

    project = Project.objects.create(slug="latency", name="Latency", state="open")
    user = User.objects.create_user("lena", password=PASSWORD)
    Membership.objects.create(user=user, project=project, role="labeler")
    asked = [[{"role": "user", "content": f"Explain point {n}."}] for n in range(comparisons)]
    prompts = [prompt for prompt, _ in add_prompts(project, asked)]
    sides = [
        add_responses(
            project,
            [
                (prompt, [{"role": "assistant", "content": text(n, side)}])
                for n, prompt in enumerate(prompts)
            ],
        )
        for side in ("first", "second")
    ]
    add_comparisons(
        project,
        [
            Question(prompt=prompt, responses=[first, second])
            for prompt, (first, _), (second, _) in zip(prompts, *sides, strict=True)
        ],
    )
    return project.slug, user.username


def text(number: int, side: str) -> str:
    prose = f"This is the {side} answer to point {number}. " + "It says what it has to say. " * 30
    table = "| a | b |\n|---|--:|\n" + "\n".join(f"| {n} | {n * number} |" for n in range(8))
    code = f"```python\ndef point(n):\n    return n + {number}\n```"
    return (
        f"## Point {number}\n\n{prose}\n\n{table}\n\n- one\n- **two**\n\n{code}\n\n$x_{number}^2$"
    )


def press_keys(address: str, slug: str, username: str, password: str, answers: int) -> list[float]:
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        sys.exit("No chromium on the PATH: install Debian's package chromium, or set CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/sign-in?next=/p/{slug}/label")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(password)
        page.keyboard.press("Enter")
        page.locator("article.response").first.wait_for()
        page.evaluate(MEASURE)
        for number in range(answers):
            page.wait_for_timeout(LOOK_MS)
            page.keyboard.press(str(1 + number % 6))
            page.wait_for_function("(n) => window.times.length > n", arg=number)
        times = page.evaluate("window.times")
        browser.close()
    return times


if __name__ == "__main__":
    main()
