"""The only write path of a preference: submit, correct, retract.

An acknowledged answer is a committed row. A row never changes; a correction appends one that
supersedes it. What comes too late is kept: counted if the slot is still free, else as surplus.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from annotation.asking import sha256_of
from annotation.claims import lease_end
from annotation.demonstrations import rewrites_of, store_rewrites, withheld
from annotation.forms import Answer, InvalidAnswer, check_answer, check_quotes
from annotation.models import (
    Assignment,
    Comparison,
    Guidelines,
    Membership,
    Preference,
    Project,
    Response,
)
from annotation.prepared import execute
from annotation.queue import lock_assignment

State = Assignment.State
SAID = [
    "outcome",
    "tiers",
    "ranking",
    "strength",
    "levels",
    "order",
    "flags",
    "ratings",
    "spans",
    "rationale",
    "active_ms",
    "guidelines",
]
"""The fields of a preference that hold what the labeler said."""
STORED = """
SELECT EXISTS (SELECT FROM annotation_preference WHERE assignment_id = %(assignment)s),
       (SELECT array_agg(response_id ORDER BY place) FROM annotation_comparisonresponse
        WHERE comparison_id = %(comparison)s)
"""
"""Whether anything was answered there, and the ids of the responses by their place."""
TAKE_SLOT = """
WITH slot AS (
    UPDATE annotation_comparison SET done = done + 1, leased = leased - 1
    WHERE id = %(comparison)s
)
UPDATE annotation_assignment SET state = 'answered', draft = NULL, updated_at = %(now)s
WHERE id = %(assignment)s
"""
RETRACTION = "retract"
"""Stands where a request's hash would: a retraction says nothing that could differ."""


class IdempotencyConflict(Exception):
    """The key came before with another answer; a new answer needs a new key."""


class NothingToRetract(Exception):
    """The assignment has no answer that stands."""


class NotSeen(Exception):
    """The labeler is to write their own answer before they see the responses."""


@dataclass(frozen=True)
class Receipt:
    """What became of an answer; `replayed` when it had been stored before."""

    preference: Preference
    assignment: Assignment
    membership: Membership
    replayed: bool

    @property
    def counted(self) -> bool:
        return not self.preference.surplus and not self.preference.retracted


def submit(*, assignment: Assignment, answer: Answer, idempotency_key: uuid.UUID) -> Receipt:
    """Store an answer, or a correction of the one that stands.

    Raises:
        InvalidAnswer: it does not fit the project's form.
        IdempotencyConflict: the key stands for another answer.
        NotSeen: the responses are withheld from this labeler.
    """
    with _one_answer_a_key(idempotency_key), transaction.atomic():
        membership, assignment = lock_assignment(assignment)
        answered, responses = execute(STORED, _ids(assignment)).fetchone()
        given = _given(assignment) if answered else []
        request_sha256 = sha256_of(asdict(answer))
        if known := _replay(given, idempotency_key, request_sha256):
            return Receipt(known, assignment, membership, replayed=True)
        if withheld(membership.project, [assignment]):
            raise NotSeen
        said = _read(assignment, answer, [responses[place] for place in assignment.order])
        standing = given[-1] if given else None
        preference = _append(
            membership,
            assignment,
            standing,
            surplus=not _take_slot(assignment, standing),
            idempotency_key=idempotency_key,
            request_sha256=request_sha256,
            **said,
        )
        store_rewrites(assignment, preference, answer)
        return Receipt(preference, assignment, membership, replayed=False)


def retract(*, assignment: Assignment, idempotency_key: uuid.UUID) -> Receipt:
    """Undo the answer that stands: a row that says so. The labeler may answer again at once.

    What was said stays in their draft.

    Raises:
        NothingToRetract: there is no answer, or it is retracted already.
        IdempotencyConflict: the key stands for an answer.
    """
    with _one_answer_a_key(idempotency_key), transaction.atomic():
        membership, assignment = lock_assignment(assignment)
        given = _given(assignment)
        if known := _replay(given, idempotency_key, RETRACTION):
            return Receipt(known, assignment, membership, replayed=True)
        if not given or given[-1].retracted:
            raise NothingToRetract
        standing = given[-1]
        _give_back_slot(assignment, standing)
        preference = _append(
            membership,
            assignment,
            standing,
            retracted=True,
            surplus=standing.surplus,
            idempotency_key=idempotency_key,
            request_sha256=RETRACTION,
            **{name: getattr(standing, name) for name in SAID},
        )
        return Receipt(preference, assignment, membership, replayed=False)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A preference that came with its comparison from a file; `answer` speaks of `order`."""

    comparison: Comparison
    order: Sequence[Response]
    answer: Answer
    levels: int = 1


@transaction.atomic
def record_imported(project: Project, rows: Iterable[Imported]) -> int:
    """Store preferences from a file; returns how many are new.

    The key of each is a hash of what it says, so that the same file again adds nothing. Each
    brings its own slot: it takes no turn from a labeler, and asks for none.
    """
    known = {_imported_key(project, row): row for row in rows}
    stored = Preference.objects.filter(idempotency_key__in=known).values_list(
        "idempotency_key", flat=True
    )
    fresh = {key: known[key] for key in known.keys() - set(stored)}
    Preference.objects.bulk_create(
        Preference(
            project=project,
            comparison=row.comparison,
            origin=Preference.Origin.IMPORT,
            outcome=row.answer.outcome,
            tiers=[[row.order[position].pk for position in tier] for tier in row.answer.tiers],
            strength=row.answer.strength,
            levels=row.levels,
            order=[response.pk for response in row.order],
            idempotency_key=key,
        )
        for key, row in fresh.items()
    )
    for comparison, labels in Counter(row.comparison.pk for row in fresh.values()).items():
        Comparison.objects.filter(pk=comparison).update(
            done=F("done") + labels, wanted=F("wanted") + labels
        )
    return len(fresh)


def _imported_key(project: Project, row: Imported) -> uuid.UUID:
    tiers = [sorted(row.order[p].sha256 for p in tier) for tier in row.answer.tiers]
    said = [row.comparison.sha256, row.answer.outcome, tiers, row.answer.strength, row.levels]
    return uuid.uuid5(uuid.NAMESPACE_OID, sha256_of([project.slug, said]))


def countable(project: Project):
    """The preferences that stand: of training kinds, of the project's one origin, not superseded.

    Those of simulated labelers and those of people never mix.
    """
    rows = Preference.objects.filter(
        project=project,
        superseded_by__isnull=True,
        retracted=False,
        surplus=False,
        comparison__kind__in=Comparison.TRAINING_KINDS,
    )
    simulated = Preference.Origin.SIMULATED
    return rows.filter(origin=simulated) if project.simulated else rows.exclude(origin=simulated)


def standing_answer(assignment: Assignment) -> Answer | None:
    """The answer that stands, in positions as shown, or None."""
    given = _given(assignment)
    return None if not given or given[-1].retracted else as_answer(given[-1])


def as_answer(row: Preference) -> Answer:
    """A stored preference in positions as shown."""
    position = {response: place for place, response in enumerate(row.order)}
    return Answer(
        outcome=row.outcome,
        tiers=[[position[response] for response in tier] for tier in row.tiers],
        strength=row.strength,
        flags={str(position[int(r)]): names for r, names in row.flags.items()},
        ratings={str(position[int(r)]): rated for r, rated in row.ratings.items()},
        spans=[
            {"position": position[span["response"]]} | _without(span, "response")
            for span in row.spans
        ],
        rewrites=rewrites_of(row),
        rationale=row.rationale,
        active_ms=row.active_ms,
        guidelines_version=row.guidelines.version if row.guidelines else None,
    )


@contextmanager
def _one_answer_a_key(idempotency_key: uuid.UUID) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        if Preference.objects.filter(idempotency_key=idempotency_key).exists():
            raise IdempotencyConflict from None
        raise


def _given(assignment: Assignment) -> list[Preference]:
    """All that was answered there, in order; the last row is the one that stands."""
    rows = Preference.objects.filter(assignment=assignment).select_related("guidelines")
    return list(rows.order_by("revision"))


def _replay(given: list[Preference], key: uuid.UUID, request_sha256: str) -> Preference | None:
    known = next((row for row in given if row.idempotency_key == key), None)
    if known and known.request_sha256 != request_sha256:
        raise IdempotencyConflict
    return known


def _ids(assignment: Assignment) -> dict[str, int]:
    return {"assignment": assignment.pk, "comparison": assignment.comparison_id}


def _read(assignment: Assignment, answer: Answer, order: list[int]) -> dict[str, Any]:
    """The answer in the words of the rows: positions as shown become the response ids `order`."""
    project = assignment.comparison.project
    ranking = check_answer(project, answer, len(assignment.order))
    if answer.spans or answer.rewrites:
        texts = Response.objects.in_bulk(order)
        check_quotes(answer, [texts[response].messages for response in order])
    return {
        "outcome": answer.outcome,
        "tiers": [[order[position] for position in tier] for tier in answer.tiers],
        "ranking": ranking,
        "strength": answer.strength,
        "levels": project.levels_per_side,
        "order": order,
        "flags": {str(order[int(p)]): names for p, names in answer.flags.items()},
        "ratings": {str(order[int(p)]): rated for p, rated in answer.ratings.items()},
        "spans": [
            {"response": order[span["position"]]} | _without(span, "position")
            for span in answer.spans
        ],
        "rationale": answer.rationale,
        "active_ms": answer.active_ms,
        "guidelines": _guidelines(project, answer.guidelines_version),
    }


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in values.items() if k != name}


def _append(
    membership: Membership, assignment: Assignment, standing: Preference | None, **values: Any
) -> Preference:
    origin = Preference.Origin.SIMULATED if membership.simulated else Preference.Origin.HUMAN
    preference = Preference.objects.create(
        project_id=membership.project_id,
        assignment=assignment,
        comparison_id=assignment.comparison_id,
        labeler_id=assignment.labeler_id,
        origin=origin,
        revision=standing.revision + 1 if standing else 1,
        supersedes=standing,
        **values,
    )
    _count(membership, standing, preference)
    return preference


def _count(membership: Membership, before: Preference | None, after: Preference) -> None:
    """Keep the labeler's numbers: the answers that stand, and those of them stored today."""
    today = after.created_at.date()
    stood = before if before and not before.retracted else None
    stood_today = stood is not None and stood.created_at.date() == today
    already = membership.answers_today if membership.answers_day == today else 0
    membership.answers = max(0, membership.answers + (not after.retracted) - bool(stood))
    membership.answers_today = max(0, already + (not after.retracted) - stood_today)
    membership.answers_day = today
    membership.save(update_fields=["answers", "answers_today", "answers_day"])


def _guidelines(project: Project, version: int | None) -> Guidelines | None:
    if version is None:
        return None
    row = Guidelines.objects.filter(project=project, version=version).first()
    if row is None:
        raise InvalidAnswer(
            "guidelines_version", f"This project has no guidelines of version {version}."
        )
    return row


def _take_slot(assignment: Assignment, standing: Preference | None) -> bool:
    """Turn the lease into an answer; False when nobody's slot is left (the answer is surplus)."""
    if assignment.state == State.LEASED:
        execute(TAKE_SLOT, {**_ids(assignment), "now": timezone.now()})
        return True
    if assignment.state == State.ANSWERED and standing is not None:
        counted = not standing.surplus
    else:
        free = Comparison.objects.filter(
            pk=assignment.comparison_id, done__lt=F("wanted") - F("leased")
        )
        counted = bool(free.update(done=F("done") + 1))
    assignment.state = State.ANSWERED
    assignment.draft = None
    assignment.save(update_fields=["state", "draft", "updated_at"])
    return counted


def _give_back_slot(assignment: Assignment, standing: Preference) -> None:
    """The answer's slot becomes a lease again; a surplus answer had none, and gets a free one."""
    comparison = Comparison.objects.filter(pk=assignment.comparison_id)
    if standing.surplus:
        free = comparison.filter(done__lt=F("wanted") - F("leased"))
        leased = free.update(leased=F("leased") + 1)
    else:
        leased = comparison.update(done=F("done") - 1, leased=F("leased") + 1)
    assignment.state = State.LEASED if leased else State.RELEASED
    assignment.token = uuid.uuid4()
    assignment.expires_at = lease_end(timezone.now())
    assignment.shown_at = timezone.now()
    assignment.draft = asdict(as_answer(standing))
    assignment.save()
