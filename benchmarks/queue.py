"""How long a lease and a submission take, with 10,000 to 1,000,000 comparisons open.

    .venv/bin/python benchmarks/queue.py [--sizes 10000 100000] [--seconds 60] [--json]
    .venv/bin/python benchmarks/queue.py --peer URL --peer-token TOKEN

Starts a Postgres and a Redis of its own under --var and writes the rows there. Each comparison
wants two labels; one labeler has already answered 10,000 that are still open. Times are of whole
calls, Python and commit included: "database" calls the product's functions, "http" asks the web
server as bin/start runs it. With --peer the same work is done in a running Label Studio.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # This file's own folder would hide Python's queue.

import argparse  # noqa: E402
import json  # noqa: E402
import multiprocessing  # noqa: E402
import shutil  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import defaultdict  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from concurrent.futures import ProcessPoolExecutor  # noqa: E402
from statistics import quantiles  # noqa: E402
from typing import Any  # noqa: E402

from benchmarks import crowd  # noqa: E402
from config.embedded import environment  # noqa: E402

LABELERS, PACE, PROCESSES = 200, 4.0, 4
ANSWERED = 10_000
ALONE, ONE_CLIENT = 200, 200
"""Turns of the labeler who works alone, and of the one client over HTTP."""


def main() -> None:
    options = parse()
    var = Path(options.var or tempfile.mkdtemp(prefix="vibecheck-queue-"))
    with environment(var) as env:  # not a temporary one: every commit is on the disk
        os.environ.update(env, DEMO="0", HTTPS="0", LOG_LEVEL="ERROR")
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        results = []
        for size in options.sizes:
            for measured in measure(size, options):
                say(line(measured))
                results.append(measured)
    if not options.var:
        shutil.rmtree(var, ignore_errors=True)
    if options.peer:
        from benchmarks import label_studio

        times = label_studio.measure(options.peer, options.peer_token, ONE_CLIENT)
        results += rows(label_studio.TASKS, "http, Label Studio", times)
    print(json.dumps(results, indent=1) if options.json else table(results))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=60, help="how long 200 labelers work")
    parser.add_argument("--var", help="a folder for the servers; default: a new one, removed after")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peer", metavar="URL", help="a running Label Studio")
    parser.add_argument("--peer-token", metavar="TOKEN", help="a legacy access token of its user")
    options = parser.parse_args()
    if options.peer and not options.peer_token:
        parser.error("--peer needs --peer-token: Label Studio shows it on its account page.")
    return options


def measure(size: int, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from benchmarks.queue_rows import build

    say(f"Writing {size:,} open comparisons")
    project, members = build(size + ANSWERED, LABELERS, ANSWERED)
    fast, others = members[0], members[1:]
    say(f"One labeler alone, who has answered {ANSWERED:,} of the {asked(project):,} that are open")
    times: crowd.Times = defaultdict(list)
    say(explain(fast, "its first look, past all that it has answered"))
    held = crowd.turn(fast, [], times)
    first_look = times["lease"].pop()
    say(explain(fast, "every look after that"))
    for _ in range(ALONE):
        held = crowd.turn(fast, held, times)
    yield from rows(size, "database, 10,000 answered", times)
    yield row(size, "database, 10,000 answered", "first look", [first_look])

    say(f"{LABELERS} labelers, each answers every {PACE:g} s, for {options.seconds:g} s")
    yield from rows(size, "database, 200 labelers", together(others, options.seconds))

    say("One client over HTTP")
    from benchmarks import web

    with web.server() as base:
        for who, member in (("http, 10,000 answered", fast), ("http, one client", others[0])):
            yield from rows(size, who, web.label(base, member, ONE_CLIENT))
    close(project)


def together(members: list, seconds: float) -> crowd.Times:
    """Labelers in several processes at once, as web workers would serve them."""
    keys = [member.pk for member in members]
    shares = [keys[n::PROCESSES] for n in range(PROCESSES)]
    times: crowd.Times = defaultdict(list)
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(
            crowd.work, shares, [seconds] * PROCESSES, [PACE] * PROCESSES, range(PROCESSES)
        ):
            for name, values in part.items():
                times[name] += values
    return times


def explain(member, when: str) -> str:
    """What Postgres does for a claim of this labeler; nothing of it stays."""
    from django.db import connection, transaction
    from django.utils import timezone

    from annotation import claims

    member.refresh_from_db()
    values = claims.claim_values(member, claims.Lane.MAIN, 1, timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {claims.CLAIM}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)
    return f"EXPLAIN of a claim, {when}:\n{plan}"


def asked(project) -> int:
    return project.comparisons.filter(state="open").count()


def close(project) -> None:
    project.state = "closed"
    project.save(update_fields=["state"])


def rows(size: int, where: str, times: crowd.Times) -> Iterator[dict[str, Any]]:
    return (
        row(size, where, call, times[call]) for call in ("lease", "submit", "skip") if times[call]
    )


def row(size: int, where: str, call: str, times: list[float]) -> dict[str, Any]:
    """Milliseconds: the median and the 95th percentile."""
    cuts = quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 19
    return {
        "open": size,
        "where": where,
        "call": call,
        "calls": len(times),
        "p50": round(cuts[9], 2),
        "p95": round(cuts[18], 2),
    }


def table(results: list[dict[str, Any]]) -> str:
    lines = [f"{'open':>9}  {'where':28}{'call':12}{'calls':>7}{'p50 ms':>9}{'p95 ms':>9}"]
    return "\n".join([*lines, *map(line, results)])


def line(result: dict[str, Any]) -> str:
    return (
        f"{result['open']:>9,}  {result['where']:28}{result['call']:12}{result['calls']:>7}"
        f"{result['p50']:>9}{result['p95']:>9}"
    )


def say(text: str) -> None:
    load = os.getloadavg()[0]
    print(f"== {text} (load {load:.1f}, {time.strftime('%H:%M:%S')})", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
