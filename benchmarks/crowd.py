"""Simulated labelers for the queue's benchmark: each answers every few seconds, some skip."""

import heapq
import random
import time
import uuid
from collections import defaultdict

Times = dict[str, list[float]]
"""Milliseconds of each call, by what was called."""
HOLDS = 3
"""As the label page does: the one on the screen and two more."""
SKIPS = 0.03


def work(memberships: list[int], seconds: float, pace: float, seed: int) -> Times:
    """These labelers, one call at a time, until `seconds` are over; run in a process of its own.

    Args:
        pace: seconds from one answer of a labeler to the next.
    """
    import django

    django.setup()
    from annotation.models import Membership

    members = Membership.objects.select_related("project").in_bulk(memberships)
    rng = random.Random(seed)
    began = time.perf_counter()
    turns = [(began + rng.uniform(0, pace), pk, []) for pk in memberships]
    heapq.heapify(turns)
    times: Times = defaultdict(list)
    while turns[0][0] < began + seconds:
        at, pk, held = heapq.heappop(turns)
        time.sleep(max(0.0, at - time.perf_counter()))
        held = turn(members[pk], held, times, skips=rng.random() < SKIPS)
        heapq.heappush(turns, (at + pace, pk, held))
    return dict(times)


def turn(member, held: list, times: Times, *, skips: bool = False) -> list:
    """Answer what is on the screen, ask for what comes next; returns what is held then."""
    from annotation import preferences, queue
    from annotation.forms import Answer

    if held:
        shown = held[0]
        shown.comparison.project = member.project
        began = time.perf_counter()
        if skips:
            queue.skip(shown, shown.token, reason="unclear", note="")
        else:
            preferences.submit(
                assignment=shown,
                answer=Answer(outcome="prefer", tiers=[[0], [1]], strength=1, active_ms=4000),
                idempotency_key=uuid.uuid4(),
            )
        times["skip" if skips else "submit"].append(1000 * (time.perf_counter() - began))
    began = time.perf_counter()
    held = queue.lease(member, HOLDS)
    times["lease"].append(1000 * (time.perf_counter() - began))
    return held
