"""What is asked next, and of whom: lease, renew, release, skip.

A lease is a slot of a comparison held for one labeler. `Comparison.leased` and `done` count slots
held and answered, and a constraint keeps their sum within `wanted`, so no interleaving can ask one
person too many. Rows are locked in one order everywhere: membership, comparison, assignment.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from annotation.models import Assignment, Comparison, Membership, Project

UNSHOWN_SECONDS = 15
"""How old a prefetched lease must be, its comparison never shown, before others may take it."""

State = Assignment.State


class LeaseLost(Exception):
    """The slot is no longer held under this token; an answer is still kept."""


@dataclass(frozen=True)
class Finished:
    """Why there is nothing to answer now, and what happens next."""

    reason: str
    next: str


CLAIM = """
WITH picked AS (
    SELECT c.id
    FROM annotation_comparison c
    WHERE c.project_id = %(project)s
      AND c.state = 'open'
      AND c.done < c.wanted - c.leased
      AND (c.reserved_for_id IS NULL OR c.reserved_for_id = %(labeler)s)
      AND NOT EXISTS (
          SELECT 1 FROM annotation_assignment a
          WHERE a.comparison_id = c.id AND a.labeler_id = %(labeler)s
            AND a.state NOT IN ('released', 'expired'))
    ORDER BY c.priority DESC, c.shuffle, c.id
    LIMIT %(wanted)s
    FOR NO KEY UPDATE OF c SKIP LOCKED
), held AS (
    UPDATE annotation_comparison c SET leased = c.leased + 1
    FROM picked WHERE c.id = picked.id
    RETURNING c.id
)
INSERT INTO annotation_assignment
    (key, comparison_id, labeler_id, state, "order", token, expires_at, skip_reason, skip_note,
     created_at, updated_at)
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
    FOR UPDATE OF c, a SKIP LOCKED
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
    Membership.objects.select_for_update().get(pk=membership.pk)
    held = list(_held(membership))
    Assignment.objects.filter(pk__in=[a.pk for a in held]).update(expires_at=lease_end(now))
    if len(held) < want and not _claim(membership, want - len(held), now) and not held:
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
    assignment.save(update_fields=["expires_at", "shown_at", "updated_at"])
    return assignment


@transaction.atomic
def release(assignment: Assignment, token: uuid.UUID) -> None:
    """Give the slot back; the same labeler may be asked again. Once more changes nothing."""
    try:
        assignment = _held_under(assignment, token)
    except LeaseLost:
        return
    _free_slot(assignment, State.RELEASED)


@transaction.atomic
def skip(assignment: Assignment, token: uuid.UUID, *, reason: str, note: str) -> None:
    """Give the slot back for good: this labeler is not asked again. The draft is kept.

    Raises:
        LeaseLost: another token holds it, or it was answered or reclaimed.
    """
    assignment = _held_under(assignment, token)
    assignment.skip_reason, assignment.skip_note = reason, note
    assignment.save(update_fields=["skip_reason", "skip_note"])
    _free_slot(assignment, State.SKIPPED)


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


def lock_assignment(assignment: Assignment) -> Assignment:
    """The row as it is now, locked in the one order that cannot deadlock."""
    project = assignment.comparison.project_id
    Membership.objects.select_for_update().filter(
        user_id=assignment.labeler_id, project_id=project
    ).first()
    Comparison.objects.select_for_update(no_key=True).get(pk=assignment.comparison_id)
    return Assignment.objects.select_for_update().get(pk=assignment.pk)


def _claim(membership: Membership, wanted: int, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "project": membership.project_id,
                "labeler": membership.user_id,
                "wanted": wanted,
                "now": now,
                "expires": lease_end(now),
            },
        )
        return cursor.rowcount


def _held(membership: Membership):
    return Assignment.objects.filter(
        labeler_id=membership.user_id,
        comparison__project_id=membership.project_id,
        state=State.LEASED,
    ).order_by(F("shown_at").asc(nulls_last=True), "-comparison__priority", "comparison__shuffle")


def _held_under(assignment: Assignment, token: uuid.UUID) -> Assignment:
    assignment = lock_assignment(assignment)
    if assignment.state != State.LEASED or assignment.token != token:
        raise LeaseLost
    return assignment


def _free_slot(assignment: Assignment, state: str) -> None:
    assignment.state, assignment.token = state, uuid.uuid4()
    assignment.save(update_fields=["state", "token", "updated_at"])
    Comparison.objects.filter(pk=assignment.comparison_id).update(leased=F("leased") - 1)


def lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_SECONDS)
