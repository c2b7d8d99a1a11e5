"""What is asked next, and of whom: lease, renew, release, skip.

A lease is a slot of a comparison held for one labeler. `Comparison.leased` and `done` count slots
held and answered, and a constraint keeps their sum within `wanted`, so no interleaving can ask one
person too many. Rows are locked in one order everywhere: membership, comparison, assignment.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from annotation import claims
from annotation.models import Assignment, Comparison, Membership, Project

State = Assignment.State
Lane = Comparison.Lane


class LeaseLost(Exception):
    """The slot is no longer held under this token; an answer is still kept."""


@dataclass(frozen=True)
class Finished:
    """Why there is nothing to answer now, and what happens next."""

    reason: str
    next: str


@transaction.atomic
def lease(membership: Membership, want: int) -> list[Assignment]:
    """Up to `want` assignments that this labeler holds, in the order to answer them.

    Those already held come first, their leases extended; then new ones are claimed. When none is
    free, leases that others let expire, or never showed, are taken back first.
    """
    now = timezone.now()
    claims.lock(membership)
    held = claims.extend(membership, now)
    if held < want and not _claim(membership, want - held, now, patient=not held) and not held:
        claims.take_for(membership, want, now)
        _claim(membership, want, now)
    return list(_held(membership)[:want])


@transaction.atomic
def hold(membership: Membership, comparison: Comparison, order: Sequence[int]) -> Assignment | None:
    """This one comparison, outside of the queue's order; None when no slot is free.

    What the labeler already holds, answered or skipped comes as it is; what was given back is
    leased anew, in the order in which it was shown. `order` is the place at each position.
    """
    Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=membership.pk)
    comparison = Comparison.objects.select_for_update(no_key=True).get(pk=comparison.pk)
    known = comparison.assignments.filter(labeler_id=membership.user_id).first()
    if known and known.state not in (State.RELEASED, State.EXPIRED):
        return known
    free = Comparison.objects.filter(pk=comparison.pk, done__lt=F("wanted") - F("leased"))
    if not free.update(leased=F("leased") + 1):
        return None
    assignment = known or Assignment(
        comparison=comparison, labeler_id=membership.user_id, order=list(order)
    )
    now = timezone.now()
    assignment.state, assignment.token = State.LEASED, uuid.uuid4()
    assignment.expires_at, assignment.shown_at = claims.lease_end(now), now
    assignment.save()
    return assignment


@transaction.atomic
def renew(assignment: Assignment, token: uuid.UUID, *, shown: bool) -> Assignment:
    """Hold the slot for another lease; `shown` says that the labeler sees the comparison now.

    Raises:
        LeaseLost: another token holds it, or it was answered, skipped or reclaimed.
    """
    assignment = _held_under(assignment, token)
    now = timezone.now()
    assignment.expires_at = claims.lease_end(now)
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
def resume(assignment: Assignment) -> Assignment:
    """Take a skip back: the labeler holds it again, if its slot is still free; once more changes
    nothing. An answer is taken either way.

    Raises:
        LeaseLost: it was answered, or others have all its slots.
    """
    _, assignment = lock_assignment(assignment)
    if assignment.state == State.LEASED:
        return assignment
    if assignment.state != State.SKIPPED:
        raise LeaseLost
    now = timezone.now()
    free = Comparison.objects.filter(
        pk=assignment.comparison_id, done__lt=F("wanted") - F("leased")
    )
    if not free.update(leased=F("leased") + 1):
        raise LeaseLost
    assignment.state, assignment.token = State.LEASED, uuid.uuid4()
    assignment.skip_reason = assignment.skip_note = ""
    assignment.expires_at, assignment.shown_at = claims.lease_end(now), now
    assignment.save()
    return assignment


def expire(limit: int = 1000) -> int:
    """Free the slots of leases that have run out; returns of how many comparisons.

    Nobody needs to wait for it: who finds nothing else takes them anyway. It puts what somebody
    left behind back to its place in the order.
    """
    return claims.take_expired(timezone.now(), limit)


def finished(project: Project, missing: int) -> Finished:
    """Why a lease came back empty, said for the labeler; `missing` labels make the next batch."""
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


def _claim(membership: Membership, wanted: int, now: datetime, *, patient: bool = False) -> int:
    """Golds and anchors by their shares, the rest by priority; returns how many.

    No gold or anchor comes once nothing else is left: alone it would show what it is. A claim
    passes by what others are just claiming; a patient one waits for that before it gives up.
    """
    mixed = _draw(membership.project, wanted)
    drawn = sum(mixed.values())
    taken, more = claims.claim(membership, Lane.MAIN, wanted - drawn, now)
    if more:
        # Of each lane, be it for none: how long the answer takes must not tell what it holds.
        taken += sum(claims.claim(membership, lane, n, now)[0] for lane, n in mixed.items())
    if drawn and taken < wanted:
        taken += claims.claim(membership, Lane.MAIN, wanted - taken, now)[0]
    if patient and more and not taken:
        # With no comparison locked yet and one to wait for, this cannot deadlock.
        taken, _ = claims.claim(membership, Lane.MAIN, 1, now, patient=True)
    return taken


def _draw(project: Project, wanted: int) -> dict[Lane, int]:
    """How many of the next slots fall to each lane that has a share; nobody can foresee which."""
    lanes = {Lane.GOLD: project.gold_share, Lane.ANCHOR: project.anchor_share}
    shares = {lane: share for lane, share in lanes.items() if share}
    weights = [max(0.0, 1 - sum(shares.values())), *shares.values()]
    drawn = random.choices([Lane.MAIN, *shares], weights, k=wanted)
    return {lane: drawn.count(lane) for lane in shares}


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
