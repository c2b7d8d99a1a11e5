"""What must hold of a project's rows at every moment, whoever did what in whichever order."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from annotation.batches import batch_lines
from annotation.forms import Answer
from annotation.models import Assignment, Batch, Comparison, Membership, Preference, Project
from annotation.preferences import as_answer, countable


@dataclass
class Witness:
    """What people were told: the acknowledged answers, the orders shown, the frozen hashes."""

    acknowledged: dict[UUID, tuple[int, int, Answer]] = field(default_factory=dict)
    """By idempotency key: assignment, labeler, what was said."""
    shown: dict[int, list[int]] = field(default_factory=dict)
    """By assignment: the order that was shown first."""
    frozen: dict[int, tuple[str, list[int]]] = field(default_factory=dict)
    """By batch: its sha256, its preferences."""

    def saw(self, assignment: Assignment) -> None:
        before = self.shown.setdefault(assignment.pk, assignment.order)
        assert before == assignment.order, "the order shown has changed"

    def was_told(self, assignment: Assignment, key: UUID, answer: Answer) -> None:
        self.acknowledged[key] = (assignment.pk, assignment.labeler_id, answer)

    def froze(self, batch: Batch) -> None:
        self.frozen[batch.pk] = (batch.sha256, members_of(batch))


def check(project: Project, witness: Witness) -> None:
    assignments = list(Assignment.objects.filter(comparison__project=project))
    rows = list(Preference.objects.filter(project=project).order_by("assignment", "revision"))
    given: dict[Any, list[Preference]] = defaultdict(list)
    for row in rows:
        given[row.assignment_id].append(row)
    check_slots(project, assignments, given)
    check_revisions(assignments, given)
    check_orders(assignments, rows, witness)
    check_acknowledged(rows, witness)
    check_counts(project, given)
    check_frozen(witness)


def check_slots(project: Project, assignments: list[Assignment], given: dict) -> None:
    """Counters equal the rows they stand for, and never more labels count than are wanted."""
    leased = Counter(a.comparison_id for a in assignments if a.state == "leased")
    counted = Counter(
        a.comparison_id
        for a in assignments
        if (stands := standing(given[a.pk])) and not stands.surplus
    )
    assert len({(a.comparison_id, a.labeler_id) for a in assignments}) == len(assignments)
    training = Counter(countable(project).values_list("comparison", flat=True))
    for comparison in project.comparisons.all():
        assert comparison.leased == leased[comparison.pk], "leased is not the leases held"
        assert comparison.done == counted[comparison.pk], "done is not the answers that count"
        assert comparison.done + comparison.leased <= comparison.wanted, "one was asked too many"
        if comparison.kind in Comparison.TRAINING_KINDS:
            assert training[comparison.pk] == comparison.done, "a label counts twice or not at all"


def check_revisions(assignments: list[Assignment], given: dict) -> None:
    for assignment in assignments:
        answered = standing(given[assignment.pk]) is not None
        assert answered == (assignment.state == "answered"), "the state contradicts the answers"
        before = None
        for number, row in enumerate(given[assignment.pk], 1):
            assert row.revision == number and row.supersedes_id == before, "a revision is missing"
            before = row.pk


def check_orders(assignments: list[Assignment], rows: list[Preference], witness: Witness) -> None:
    """What is stored is of the comparison, the person and the order that were shown."""
    by_key = {assignment.pk: assignment for assignment in assignments}
    places = {
        (c.pk, place.place): place.response_id
        for c in Comparison.objects.filter(
            pk__in={a.comparison_id for a in assignments}
        ).prefetch_related("places")
        for place in c.places.all()
    }
    for assignment in assignments:
        assert witness.shown.get(assignment.pk, assignment.order) == assignment.order
    for row in rows:
        assignment = by_key[row.assignment_id]
        assert row.comparison_id == assignment.comparison_id, "moved to another comparison"
        assert row.labeler_id == assignment.labeler_id, "moved to another person"
        shown = [places[assignment.comparison_id, place] for place in assignment.order]
        assert row.order == shown, "the order stored is not the order shown"


def check_acknowledged(rows: list[Preference], witness: Witness) -> None:
    by_key: dict[UUID, list[Preference]] = defaultdict(list)
    for row in rows:
        by_key[row.idempotency_key].append(row)
    for key, (assignment, labeler, answer) in witness.acknowledged.items():
        (row,) = by_key[key]
        assert (row.assignment_id, row.labeler_id) == (assignment, labeler)
        assert as_answer(row) == answer, "what is stored is not what was said"


def check_counts(project: Project, given: dict) -> None:
    today = timezone.now().date()
    stands = [row for rows in given.values() if (row := standing(rows))]
    of_labeler = Counter(row.labeler_id for row in stands)
    stored_today = Counter(row.labeler_id for row in stands if row.created_at.date() == today)
    for member in Membership.objects.filter(project=project):
        assert member.answers == of_labeler[member.user_id]
        counted_today = member.answers_today if member.answers_day == today else 0
        assert counted_today == stored_today[member.user_id]


def check_frozen(witness: Witness) -> None:
    for pk, (sha256, members) in witness.frozen.items():
        batch = Batch.objects.get(pk=pk)
        assert batch.sha256 == sha256 and members_of(batch) == members, "a frozen batch changed"
        assert len(list(batch_lines(batch))) == batch.size  # raises where the hash differs


def standing(rows: list[Preference]) -> Preference | None:
    return rows[-1] if rows and not rows[-1].retracted else None


def members_of(batch: Batch) -> list[int]:
    return list(batch.items.order_by("place").values_list("preference", flat=True))
