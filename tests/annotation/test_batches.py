import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import batches, queue
from annotation.asking import add_comparison, add_prompt, add_response
from annotation.batches import NothingToFreeze, batch_lines, freeze
from annotation.models import Batch, Comparison, Membership, Preference, Project
from tests.annotation import desk
from tests.annotation.promises import Witness, check, members_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return desk.open_project(6, grace_seconds=0)


def answered(project: Project, number: int) -> Membership:
    lena = desk.person(project)
    for _ in range(number):
        desk.submit(desk.leased(lena))
    return lena


def test_a_batch_holds_all_that_stands_and_is_older_than_the_grace(project: Project) -> None:
    lena = answered(project, 3)
    batch = freeze(project, actor=lena.user)
    assert (batch.number, batch.size, batch.fresh, batch.created_by) == (1, 3, 3, lena.user)
    assert len(batch.sha256) == 64
    assert set(members_of(batch)) == {row.pk for row in Preference.objects.all()}


def test_the_last_answer_can_still_be_undone(project: Project) -> None:
    project.grace_seconds = 20
    project.save()
    answered(project, 1)
    with pytest.raises(NothingToFreeze):
        freeze(project)
    assert (batches.fresh_count(project), batches.ripe_count(project)) == (1, 0)
    later = timezone.now() + timedelta(seconds=21)
    assert batches.ripe_count(project, later) == 1
    assert freeze(project, now=later).size == 1


def test_there_must_be_something_new(project: Project) -> None:
    with pytest.raises(NothingToFreeze):
        freeze(project)
    answered(project, 2)
    freeze(project)
    with pytest.raises(NothingToFreeze):
        freeze(project)
    assert Batch.objects.count() == 1


def test_batches_are_cumulative(project: Project) -> None:
    lena = answered(project, 2)
    first = freeze(project)
    desk.submit(desk.leased(lena))
    second = freeze(project)
    assert (second.number, second.size, second.fresh) == (2, 3, 1)
    assert set(members_of(first)) < set(members_of(second))


def test_a_correction_changes_the_next_batch_and_not_the_last(project: Project) -> None:
    lena = desk.person(project)
    held = desk.leased(lena)
    old = desk.submit(held).preference
    first = freeze(project)
    lines = list(batch_lines(first))
    new = desk.submit(held, desk.RIGHT).preference
    assert batches.fresh_count(project) == 1
    assert members_of(freeze(project)) == [new.pk]
    assert members_of(first) == [old.pk]
    assert list(batch_lines(first)) == lines


def test_an_undone_answer_leaves_the_next_batch(project: Project) -> None:
    lena = desk.person(project)
    undone, kept = queue.lease(lena, 2)
    desk.submit(undone)
    desk.submit(kept)
    first = freeze(project)
    desk.retract(undone)
    desk.submit(desk.leased(desk.person(project)))
    second = freeze(project)
    assert (first.size, second.size, second.fresh) == (2, 2, 1)
    assert undone.comparison.sha256 in {line["comparison"] for line in batch_lines(first)}
    assert undone.comparison.sha256 not in {line["comparison"] for line in batch_lines(second)}


@pytest.mark.parametrize("kind", ["gold", "anchor", "repeat", "arena"])
def test_surplus_answers_and_what_only_measures_stay_out(kind: str) -> None:
    project = desk.open_project(1, grace_seconds=0)
    lena, luis = desk.people(project, 2)
    late = desk.leased(lena)
    desk.let_expire([late])
    desk.answer_all(luis)
    desk.submit(late)
    (measured,) = desk.ask(project)
    desk.answer_all(luis)
    Comparison.objects.filter(pk=measured.pk).update(kind=kind)
    (line,) = batch_lines(freeze(project))
    assert line["comparison"] == late.comparison.sha256


def test_a_line_says_what_training_needs_and_nothing_of_who_or_when(project: Project) -> None:
    held = desk.leased(desk.person(project))
    desk.submit(held, replace(desk.RIGHT, rationale="Kinder."))
    (line,) = batch_lines(freeze(project))
    places = list(held.comparison.places.all())
    assert line == {
        "comparison": held.comparison.sha256,
        "kind": "ask",
        "thread_root": held.comparison.prompt.thread_root,
        "split": held.comparison.prompt.split,
        "messages": held.comparison.prompt.messages,
        "responses": [place.response.messages for place in places],
        "outcome": "prefer",
        "tiers": [[held.order[1]], [held.order[0]]],
        "ranking": "complete",
        "strength": 2,
        "levels": 3,
        "labeler": "labeler 1",
    }


def test_a_line_says_which_response_was_flagged_and_rated(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(flags=["untrue"], attributes=["depth"])
    held = desk.leased(desk.person(project))
    held.comparison.project.refresh_from_db()
    desk.submit(held, replace(desk.RIGHT, flags={"1": ["untrue"]}, ratings={"0": {"depth": 4}}))
    batch = freeze(project)
    (line,) = batch_lines(batch)
    assert line["flags"][held.order[1]] == ["untrue"]
    assert line["flags"][held.order[0]] == []
    assert line["ratings"][held.order[0]] == {"depth": 4}
    # What a project asks for later changes nothing that was frozen.
    Project.objects.filter(pk=project.pk).update(flags=["untrue", "rude"])
    assert list(batch_lines(batch)) == [line]


def test_the_same_answers_give_the_same_hash_in_any_database() -> None:
    """Whatever the ids, the accounts' order of making, or the order of answering."""

    def hash_of(slug: str, first: int, second: int, backwards: bool) -> str:
        project = Project.objects.create(slug=slug, name=slug, state="open", grace_seconds=0)
        project.overlap = 2
        wells = range(3)
        for n in reversed(wells) if backwards else wells:
            prompt, _ = add_prompt(project, [{"role": "user", "content": f"Well {n}?"}])
            pair = [
                add_response(prompt, [{"role": "assistant", "content": f"{n} or {k}"}])[0]
                for k in ((1, 0) if backwards else (0, 1))
            ]
            add_comparison(project, prompt, pair)
        members = desk.people(project, 2)
        for who, better in ((members[first], 0), (members[second], 1)):
            while held := queue.lease(who, 1):
                tiers = [[held[0].order.index(better)], [held[0].order.index(1 - better)]]
                desk.submit(held[0], replace(desk.LEFT, tiers=tiers))
        return freeze(project).sha256

    assert hash_of("one", 0, 1, backwards=False) == hash_of("two", 1, 0, backwards=True)


def test_another_answer_gives_another_hash() -> None:
    def hash_of(answer) -> str:
        project = Project.objects.create(
            slug=uuid.uuid4().hex, name="One", state="open", grace_seconds=0
        )
        prompt, _ = add_prompt(project, [{"role": "user", "content": "Well?"}])
        texts = [[{"role": "assistant", "content": text}] for text in ("Deep", "Shallow")]
        add_comparison(project, prompt, [add_response(prompt, text)[0] for text in texts])
        desk.answer_all(desk.person(project), answer)
        return freeze(project).sha256

    assert hash_of(desk.TIE) == hash_of(replace(desk.TIE, rationale="Not trained on."))
    assert hash_of(desk.TIE) != hash_of(replace(desk.TIE, outcome="both_bad"))


def test_the_database_refuses_to_change_a_batch(project: Project) -> None:
    answered(project, 1)
    batch = freeze(project)
    for change in (
        lambda: Batch.objects.update(sha256="0" * 64),
        lambda: batch.items.update(place=7),
        lambda: batch.items.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
            change()


def test_rows_that_were_tampered_with_are_noticed(project: Project) -> None:
    answered(project, 1)
    batch = freeze(project)
    with connection.cursor() as cursor:  # as somebody could who owns the database
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE annotation_preference SET strength = 3")
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(ValueError, match="was frozen as"):
        batch_lines(batch)


def test_people_and_simulated_labelers_are_frozen_apart(project: Project) -> None:
    answered(project, 2)
    desk.answer_all(desk.person(project, simulated=True))
    assert freeze(project).size == 2
    project.simulated = True
    project.save()
    assert freeze(project).size == 4


class TestFreshCount:
    def test_it_counts_what_no_batch_holds(self, project: Project) -> None:
        lena = answered(project, 2)
        assert batches.fresh_count(project) == 2
        freeze(project)
        assert batches.fresh_count(project) == 0
        desk.submit(desk.leased(lena))
        assert batches.fresh_count(project) == 1

    def test_it_stops_where_it_is_told(self, project: Project) -> None:
        answered(project, 5)
        assert batches.fresh_count(project, up_to=3) == 3
        assert batches.fresh_count(project, up_to=9) == 5
        with CaptureQueriesContext(
            connection,
        ) as captured:
            batches.fresh_count(project, up_to=3)
        assert "LIMIT 3" in captured[-1]["sql"]


def test_what_was_in_flight_while_a_batch_was_frozen_comes_in_the_next(project: Project) -> None:
    """It was written before the batch, and committed after it."""
    lena = answered(project, 2)
    batch = freeze(project)
    row = desk.submit(desk.leased(lena)).preference
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE annotation_preference SET created_at = %s WHERE id = %s",
            [batch.created_at - timedelta(seconds=5), row.pk],
        )
        cursor.execute("SET session_replication_role = origin")
    assert batches.fresh_count(project) == 1
    assert row.pk in members_of(freeze(project))


def test_frozen_batches_outlive_whatever_comes_after(project: Project) -> None:
    witness = Witness()
    lena = desk.person(project)
    for held in queue.lease(lena, 6):
        desk.submit(held)
        witness.froze(freeze(project))
        desk.submit(held, desk.RIGHT)
        witness.froze(freeze(project))
        desk.retract(held)
        check(project, witness)
    assert len(witness.frozen) == 12
