"""What is asked next, and of whom: lease, renew, release, skip.

A lease is a slot of a comparison held for one labeler. `Comparison.leased` and `done` count slots
held and answered, and a constraint keeps their sum within `wanted`, so no interleaving can ask one
person too many. Rows are locked in one order everywhere: membership, comparison, assignment.

A labeler's place in a lane is the first comparison that they may be asked: all before it were
full, or theirs already, so looking past them again would only cost. It holds until comparisons
are added (`Project.additions`); what became free before it is marked `returned` by a trigger, and
comes first.
"""

import json
import random
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from annotation.models import Assignment, Comparison, Membership, Project

UNSHOWN_SECONDS = 15
"""How old a prefetched lease must be, its comparison never shown, before others may take it."""
START, END = [-40_000, -1.0, 0], [40_000, 0.0, 0]
"""Places before and after every comparison: negated priority, shuffle, id."""

State = Assignment.State
Lane = Comparison.Lane


class LeaseLost(Exception):
    """The slot is no longer held under this token; an answer is still kept."""


@dataclass(frozen=True)
class Finished:
    """Why there is nothing to answer now, and what happens next."""

    reason: str
    next: str


ORDER = "0 - c.priority, c.shuffle, c.id"
ASKABLE = """
    c.project_id = %(project)s AND c.lane = %(lane)s
    AND c.state = 'open' AND c.done < c.wanted - c.leased
    AND (c.reserved_for_id IS NULL OR c.reserved_for_id = %(labeler)s)
    AND NOT EXISTS (
        SELECT FROM annotation_assignment a
        WHERE a.comparison_id = c.id AND a.labeler_id = %(labeler)s
          AND a.state NOT IN ('released', 'expired'))
"""
PLACE = "(%(rank)s, %(shuffle)s::float8, %(id)s)"
CLAIM = f"""
WITH ahead AS MATERIALIZED (
    SELECT 0 - c.priority AS rank, c.shuffle, c.id FROM annotation_comparison c
    WHERE {ASKABLE} AND ({ORDER}) >= {PLACE}
    ORDER BY {ORDER} LIMIT 1
), behind AS (
    SELECT c.id FROM annotation_comparison c
    WHERE {ASKABLE} AND c.returned AND ({ORDER}) < {PLACE}
    ORDER BY {ORDER} LIMIT %(wanted)s
    FOR NO KEY UPDATE OF c SKIP LOCKED
), onward AS (
    SELECT c.id FROM annotation_comparison c
    WHERE {ASKABLE} AND ({ORDER}) >=
        ((SELECT rank FROM ahead), (SELECT shuffle FROM ahead), (SELECT id FROM ahead))
    ORDER BY {ORDER} LIMIT %(wanted)s - (SELECT count(*) FROM behind)
    FOR NO KEY UPDATE OF c SKIP LOCKED
), held AS (
    UPDATE annotation_comparison c SET leased = c.leased + 1
    FROM (SELECT id FROM behind UNION ALL SELECT id FROM onward) picked
    WHERE c.id = picked.id
    RETURNING c.id
), given AS (
    INSERT INTO annotation_assignment
        (key, comparison_id, labeler_id, state, "order", token, expires_at, skip_reason,
         skip_note, created_at, updated_at)
    SELECT translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', '-_'), held.id,
           %(labeler)s, 'leased',
           (SELECT array_agg(r.place ORDER BY random())
            FROM annotation_comparisonresponse r WHERE r.comparison_id = held.id),
           gen_random_uuid(), %(expires)s, '', '', %(now)s, %(now)s
    FROM held
    ON CONFLICT (comparison_id, labeler_id) DO UPDATE
        SET state = 'leased', token = gen_random_uuid(), expires_at = EXCLUDED.expires_at,
            shown_at = NULL, updated_at = EXCLUDED.updated_at
    RETURNING id
), moved AS (
    UPDATE annotation_membership
    SET places = %(places)s::jsonb || jsonb_build_object(%(lane)s, coalesce(
        (SELECT jsonb_build_array(rank, shuffle, id) FROM ahead), %(end)s::jsonb))
    WHERE id = %(membership)s
    RETURNING places
)
SELECT (SELECT count(*) FROM given), EXISTS (SELECT FROM ahead), places FROM moved
"""  # noqa: S608 (put together from the constants above)

EXTEND = """
UPDATE annotation_assignment a SET expires_at = %(expires)s
FROM annotation_comparison c
WHERE c.id = a.comparison_id AND c.project_id = %(project)s
  AND a.labeler_id = %(labeler)s AND a.state = 'leased'
"""

RECLAIM = """
WITH freed AS (
    SELECT a.id, a.comparison_id
    FROM annotation_assignment a
    JOIN annotation_comparison c ON c.id = a.comparison_id
    WHERE a.state = 'leased' AND c.project_id = %(project)s AND a.labeler_id <> %(labeler)s
      AND (a.expires_at < %(now)s OR (a.shown_at IS NULL AND a.updated_at < %(unshown)s))
    ORDER BY a.expires_at
    LIMIT 100
    FOR NO KEY UPDATE OF c, a SKIP LOCKED
), gone AS (
    UPDATE annotation_assignment a
    SET state = 'expired', token = gen_random_uuid(), updated_at = %(now)s
    FROM freed WHERE a.id = freed.id
    RETURNING a.comparison_id
)
UPDATE annotation_comparison c SET leased = c.leased - gone.slots
FROM (SELECT comparison_id, count(*) AS slots FROM gone GROUP BY comparison_id) gone
WHERE c.id = gone.comparison_id
"""


@transaction.atomic
def lease(membership: Membership, want: int) -> list[Assignment]:
    """Up to `want` assignments that this labeler holds, in the order to answer them.

    Those already held come first, their leases extended; then new ones are claimed. When none is
    free, leases that others let expire, or never showed, are taken back first.
    """
    now = timezone.now()
    membership = (
        Membership.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project")
        .get(pk=membership.pk)
    )
    held = _extend(membership, now)
    if held < want and not _claim(membership, want - held, now) and not held:
        reclaim(membership.project, now, besides=membership.user_id)
        _claim(membership, want, now)
    return list(_held(membership)[:want])


@transaction.atomic
def renew(assignment: Assignment, token: uuid.UUID, *, shown: bool) -> Assignment:
    """Hold the slot for another lease; `shown` says that the labeler sees the comparison now.

    Raises:
        LeaseLost: another token holds it, or it was answered, skipped or reclaimed.
    """
    assignment = _held_under(assignment, token)
    now = timezone.now()
    assignment.expires_at = lease_end(now)
    if shown and assignment.shown_at is None:
        assignment.shown_at = now
    assignment.save(update_fields=["expires_at", "shown_at"])
    return assignment


@transaction.atomic
def release(assignment: Assignment, token: uuid.UUID) -> None:
    """Give the slot back; the same labeler may be asked again. Once more changes nothing."""
    try:
        assignment = _held_under(assignment, token)
    except LeaseLost:
        return
    Comparison.objects.filter(pk=assignment.comparison_id).update(leased=F("leased") - 1)
    _end(assignment, State.RELEASED)


@transaction.atomic
def skip(assignment: Assignment, token: uuid.UUID, *, reason: str, note: str) -> None:
    """Give the slot back for good: this labeler is not asked again. The draft is kept.

    It holds too when the slot was reclaimed in the meantime; once more changes nothing.

    Raises:
        LeaseLost: it was answered, or is leased anew under another token.
    """
    _, assignment = lock_assignment(assignment)
    if assignment.state == State.SKIPPED:
        return
    held = assignment.state == State.LEASED
    if assignment.state == State.ANSWERED or (held and assignment.token != token):
        raise LeaseLost
    assignment.skip_reason, assignment.skip_note = reason, note
    if held:
        Comparison.objects.filter(pk=assignment.comparison_id).update(leased=F("leased") - 1)
    _end(assignment, State.SKIPPED)


@transaction.atomic
def reclaim(project: Project, now: datetime, *, besides: int = 0) -> int:
    """Free the slots of leases that expired or were never shown; returns how many comparisons."""
    with connection.cursor() as cursor:
        cursor.execute(
            RECLAIM,
            {
                "project": project.pk,
                "labeler": besides,
                "now": now,
                "unshown": now - timedelta(seconds=UNSHOWN_SECONDS),
            },
        )
        return cursor.rowcount


def finished(project: Project, fresh: int) -> Finished:
    """Why a lease came back empty, said for the labeler."""
    if project.state == Project.State.PAUSED:
        return Finished("paused", "The project is paused. Your answers are kept; come back later.")
    if project.state == Project.State.CLOSED:
        return Finished("closed", "The project is closed. Thank you: every answer was kept.")
    if project.state == Project.State.DRAFT:
        return Finished("draft", "The project is not open yet. A manager opens it.")
    if _others_hold_some(project.membership):
        return Finished(
            "nothing_left",
            "Others are answering the last comparisons now. What they give back comes to you.",
        )
    missing = project.freeze_after - fresh
    if missing <= 0:
        return Finished(
            "nothing_left",
            "All are answered. The reward model is learning from them now; "
            "new comparisons come when the policy has written again.",
        )
    return Finished(
        "nothing_left",
        f"All are answered for now. {missing} more labels are wanted before the next reward "
        "model; new comparisons appear here as soon as there are any.",
    )


def lock_assignment(assignment: Assignment) -> tuple[Membership, Assignment]:
    """The rows as they are now, locked in the one order that cannot deadlock."""
    membership = get_object_or_404(
        Membership.objects.select_for_update(of=("self",), no_key=True).select_related("project"),
        user_id=assignment.labeler_id,
        project_id=assignment.comparison.project_id,
    )
    locked = (
        Assignment.objects.select_for_update(of=("comparison", "self"), no_key=True)
        .select_related("comparison")
        .get(pk=assignment.pk)
    )
    locked.comparison.project = membership.project
    return membership, locked


def _extend(membership: Membership, now: datetime) -> int:
    """Hold on to what this labeler has; returns how many that is."""
    with connection.cursor() as cursor:
        cursor.execute(
            EXTEND,
            {
                "project": membership.project_id,
                "labeler": membership.user_id,
                "expires": lease_end(now),
            },
        )
        return cursor.rowcount


def _claim(membership: Membership, wanted: int, now: datetime) -> int:
    """Golds and anchors by their shares, the rest by priority; returns how many.

    No gold or anchor comes once nothing else is left: alone it would show what it is.
    """
    if membership.places.get("additions") != membership.project.additions:
        membership.places = {"additions": membership.project.additions}
    mixed = _draw(membership.project, wanted)
    taken, more = _claim_from(Lane.MAIN, membership, wanted - mixed.total(), now)
    if mixed and more:
        taken += sum(_claim_from(lane, membership, n, now)[0] for lane, n in mixed.items())
    if mixed and taken < wanted:
        taken += _claim_from(Lane.MAIN, membership, wanted - taken, now)[0]
    return taken


def _draw(project: Project, wanted: int) -> Counter[Lane]:
    """How many of the next slots fall to golds and to anchors; nobody can foresee which."""
    shares = {Lane.GOLD: project.gold_share, Lane.ANCHOR: project.anchor_share}
    if not any(shares.values()):
        return Counter()
    weights = [max(0.0, 1 - sum(shares.values())), *shares.values()]
    drawn = Counter(random.choices([Lane.MAIN, *shares], weights, k=wanted))
    del drawn[Lane.MAIN]
    return drawn


def _claim_from(lane: Lane, membership: Membership, wanted: int, now: datetime) -> tuple[int, bool]:
    """Lease `wanted` of a lane; returns how many, and whether there was one at all to be asked."""
    rank, shuffle, comparison = membership.places.get(lane, START)
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "project": membership.project_id,
                "labeler": membership.user_id,
                "membership": membership.pk,
                "lane": lane.value,
                "places": json.dumps(membership.places),
                "rank": rank,
                "shuffle": shuffle,
                "id": comparison,
                "end": json.dumps(END),
                "wanted": wanted,
                "now": now,
                "expires": lease_end(now),
            },
        )
        taken, more, places = cursor.fetchone()
    membership.places = json.loads(places)
    return taken, more


def _held(membership: Membership) -> QuerySet[Assignment]:
    """In the order to answer them: what is on the screen first, then by nothing but chance."""
    return (
        Assignment.objects.filter(
            labeler_id=membership.user_id,
            comparison__project_id=membership.project_id,
            state=State.LEASED,
        )
        .order_by(F("shown_at").asc(nulls_last=True), "comparison__shuffle", "pk")
        .select_related("comparison__prompt")
    )


def _others_hold_some(membership: Membership) -> bool:
    """Whether others hold comparisons that this labeler could be asked."""
    theirs = Assignment.objects.filter(
        labeler_id=membership.user_id, comparison=OuterRef("comparison")
    ).exclude(state__in=[State.RELEASED, State.EXPIRED])
    return (
        Assignment.objects.filter(comparison__project_id=membership.project_id, state=State.LEASED)
        .exclude(labeler_id=membership.user_id)
        .exclude(Exists(theirs))
        .exists()
    )


def _held_under(assignment: Assignment, token: uuid.UUID) -> Assignment:
    _, assignment = lock_assignment(assignment)
    if assignment.state != State.LEASED or assignment.token != token:
        raise LeaseLost
    return assignment


def _end(assignment: Assignment, state: str) -> None:
    assignment.state, assignment.token = state, uuid.uuid4()
    assignment.save()


def lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_SECONDS)
