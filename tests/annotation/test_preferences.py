import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.utils import timezone

from annotation import preferences, queue
from annotation.forms import Answer, InvalidAnswer
from annotation.models import Assignment, Comparison, Guidelines, Membership, Preference, Project
from tests.annotation import desk
from tests.annotation.promises import Witness, check

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return desk.open_project(3, flags=["harmful"], attributes=["clarity"])


@pytest.fixture
def lena(project: Project) -> Membership:
    return desk.person(project)


@pytest.fixture
def luis(project: Project) -> Membership:
    return desk.person(project)


def comparison_of(assignment: Assignment) -> Comparison:
    return Comparison.objects.get(pk=assignment.comparison_id)


def test_what_was_said_is_stored_of_the_responses_that_were_shown(
    project: Project, lena: Membership
) -> None:
    Guidelines.objects.create(project=project, version=4, text="Prefer the shorter.")
    held = desk.leased(lena)
    places = dict(held.comparison.places.values_list("place", "response_id"))
    left, right = (places[place] for place in held.order)
    said = Answer(
        outcome="prefer", tiers=[[1], [0]], strength=2, flags={"0": ["harmful"]},
        ratings={"1": {"clarity": 3}}, rationale=" Kinder.\n", active_ms=4100, guidelines_version=4,
    )  # fmt: skip
    row = desk.submit(held, said).preference
    row.refresh_from_db()
    assert (row.outcome, row.tiers, row.order) == ("prefer", [[right], [left]], [left, right])
    assert (row.strength, row.levels, row.ranking) == (2, 3, "complete")
    assert (row.flags, row.ratings) == ({str(left): ["harmful"]}, {str(right): {"clarity": 3}})
    assert (row.rationale, row.active_ms, row.guidelines.version) == (" Kinder.\n", 4100, 4)
    assert (row.labeler_id, row.comparison_id) == (lena.user_id, held.comparison_id)
    assert preferences.as_answer(row) == said


def test_a_ranking_of_four_comes_back_as_it_was_said() -> None:
    project = desk.open_project(0, response_form="ranking")
    desk.ask(project, responses=4)
    said = Answer(outcome="prefer", tiers=[[3], [0, 2], [1]])
    held = desk.leased(desk.person(project))
    row = desk.submit(held, said).preference
    row.refresh_from_db()
    places = dict(held.comparison.places.values_list("place", "response_id"))
    shown = [places[place] for place in held.order]
    assert row.tiers == [[shown[3]], [shown[0], shown[2]], [shown[1]]]
    assert preferences.as_answer(row) == said


def test_an_answer_takes_the_slot_of_its_lease(lena: Membership) -> None:
    held = desk.leased(lena)
    assert desk.submit(held).counted
    assert (comparison_of(held).done, comparison_of(held).leased) == (1, 0)


def test_what_does_not_fit_is_refused_and_the_lease_stays(lena: Membership) -> None:
    held = desk.leased(lena)
    for wrong in (replace(desk.LEFT, strength=9), replace(desk.LEFT, guidelines_version=3)):
        with pytest.raises(InvalidAnswer):
            desk.submit(held, wrong)
    held.refresh_from_db()
    assert held.state == "leased"
    assert desk.submit(held).counted


class TestIdempotency:
    def test_the_same_answer_again_is_stored_once(self, lena: Membership) -> None:
        held, key = desk.leased(lena), uuid.uuid4()
        first, again = desk.submit(held, desk.LEFT, key), desk.submit(held, desk.LEFT, key)
        assert (first.replayed, again.replayed) == (False, True)
        assert first.preference == again.preference
        assert Preference.objects.count() == 1

    def test_another_answer_under_the_key_is_refused(self, lena: Membership) -> None:
        held, key = desk.leased(lena), uuid.uuid4()
        desk.submit(held, desk.LEFT, key)
        with pytest.raises(preferences.IdempotencyConflict):
            desk.submit(held, replace(desk.LEFT, active_ms=5), key)
        assert preferences.standing_answer(held) == desk.LEFT

    def test_the_key_of_another_assignment_is_refused(self, lena: Membership) -> None:
        first, second = queue.lease(lena, 2)
        key = uuid.uuid4()
        desk.submit(first, desk.LEFT, key)
        with pytest.raises(preferences.IdempotencyConflict):
            desk.submit(second, desk.LEFT, key)
        assert comparison_of(second).leased == 1

    def test_an_answer_cannot_pass_as_a_retraction(self, lena: Membership) -> None:
        held, key = desk.leased(lena), uuid.uuid4()
        desk.submit(held, desk.LEFT, key)
        with pytest.raises(preferences.IdempotencyConflict):
            desk.retract(held, key)

    def test_a_replay_after_a_correction_is_the_old_answer_and_changes_nothing(
        self, lena: Membership
    ) -> None:
        held, key = desk.leased(lena), uuid.uuid4()
        desk.submit(held, desk.LEFT, key)
        desk.submit(held, desk.RIGHT)
        again = desk.submit(held, desk.LEFT, key)
        assert (again.replayed, again.preference.revision) == (True, 1)
        assert preferences.standing_answer(held) == desk.RIGHT

    def test_a_retraction_sent_twice_retracts_once(self, lena: Membership) -> None:
        held, key = desk.leased(lena), uuid.uuid4()
        desk.submit(held)
        assert [desk.retract(held, key).replayed for _ in range(2)] == [False, True]
        assert Preference.objects.count() == 2


class TestLateAnswers:
    def test_an_answer_after_the_lease_ran_out_counts_while_the_slot_is_free(
        self, lena: Membership
    ) -> None:
        held = desk.leased(lena)
        desk.let_expire([held])
        queue.expire()
        assert desk.submit(held).counted

    def test_it_is_kept_as_surplus_when_somebody_else_has_the_slot(self) -> None:
        project = desk.open_project(1)
        lena, luis = desk.people(project, 2)
        late = desk.leased(lena)
        desk.let_expire([late])
        his = desk.leased(luis)
        receipt = desk.submit(late, replace(desk.RIGHT, rationale="An hour of writing"))
        assert not receipt.counted
        assert receipt.preference.surplus
        assert desk.submit(his).counted
        assert [row.labeler_id for row in preferences.countable(project)] == [luis.user_id]

    def test_a_correction_of_a_surplus_answer_stays_surplus(self) -> None:
        project = desk.open_project(1)
        lena, luis = desk.people(project, 2)
        late = desk.leased(lena)
        desk.let_expire([late])
        his = desk.leased(luis)
        desk.submit(late)
        queue.release(his, his.token)
        assert not desk.submit(late, desk.RIGHT).counted
        check(project, Witness())

    def test_what_was_skipped_or_released_can_still_be_answered(self, project: Project) -> None:
        lena = desk.person(project)
        skipped, released = queue.lease(lena, 2)
        queue.skip(skipped, skipped.token, reason="unclear", note="")
        queue.release(released, released.token)
        assert desk.submit(skipped).counted
        assert desk.submit(released).counted
        check(project, Witness())

    def test_an_answer_is_kept_when_the_project_has_closed(
        self, project: Project, lena: Membership
    ) -> None:
        held = desk.leased(lena)
        Project.objects.filter(pk=project.pk).update(state="closed")
        assert desk.submit(held).counted

    def test_who_has_left_the_project_answers_no_more(self, lena: Membership) -> None:
        held = desk.leased(lena)
        lena.delete()
        with pytest.raises(Http404):
            desk.submit(held)


class TestCorrections:
    def test_a_correction_is_a_new_row_that_supersedes(self, lena: Membership) -> None:
        held = desk.leased(lena)
        first = desk.submit(held).preference
        second = desk.submit(held, desk.RIGHT)
        assert second.counted
        assert (second.preference.revision, second.preference.supersedes) == (2, first)
        assert list(preferences.countable(held.comparison.project)) == [second.preference]
        assert comparison_of(held).done == 1

    def test_a_correction_clears_the_draft_it_was_written_in(self, lena: Membership) -> None:
        held = desk.leased(lena)
        desk.submit(held)
        Assignment.objects.filter(pk=held.pk).update(draft={"rationale": "Better put"})
        desk.submit(held, desk.RIGHT)
        held.refresh_from_db()
        assert held.draft is None

    def test_undo_gives_the_slot_back_as_a_lease_in_the_same_order(
        self, lena: Membership, luis: Membership
    ) -> None:
        held = desk.leased(lena)
        desk.submit(held)
        desk.retract(held)
        again = queue.lease(lena, 3)[0]
        assert (again.key, again.order) == (held.key, held.order)
        assert held.comparison_id not in desk.answer_all(luis)
        assert preferences.standing_answer(held) is None
        assert not preferences.countable(held.comparison.project).filter(labeler=lena.user).exists()

    def test_undo_keeps_what_was_written(self, lena: Membership) -> None:
        held = desk.leased(lena)
        desk.submit(held, replace(desk.RIGHT, rationale="An hour of writing"))
        desk.retract(held)
        held.refresh_from_db()
        assert held.draft["rationale"] == "An hour of writing"
        assert held.draft["tiers"] == [[1], [0]]

    def test_after_undo_the_answer_counts_again(self, project: Project, lena: Membership) -> None:
        held = desk.leased(lena)
        desk.submit(held)
        desk.retract(held)
        receipt = desk.submit(held, desk.TIE)
        assert (receipt.counted, receipt.preference.revision) == (True, 3)
        check(project, Witness())

    def test_undo_of_a_surplus_answer_leases_a_slot_that_is_free(self) -> None:
        project = desk.open_project(1)
        lena, luis = desk.people(project, 2)
        late = desk.leased(lena)
        desk.let_expire([late])
        his = desk.leased(luis)
        desk.submit(late)
        queue.release(his, his.token)
        desk.retract(late)
        late.refresh_from_db()
        assert late.state == "leased"
        assert desk.submit(late).counted

    def test_undo_of_a_surplus_answer_whose_slot_is_taken_takes_nothing(self) -> None:
        project = desk.open_project(1)
        lena, luis = desk.people(project, 2)
        late = desk.leased(lena)
        desk.let_expire([late])
        desk.answer_all(luis)
        desk.submit(late)
        desk.retract(late)
        late.refresh_from_db()
        assert late.state == "released"
        assert queue.lease(lena, 1) == []
        check(project, Witness())

    def test_there_must_be_something_to_undo(self, lena: Membership) -> None:
        held = desk.leased(lena)
        with pytest.raises(preferences.NothingToRetract):
            desk.retract(held)
        desk.submit(held)
        desk.retract(held)
        with pytest.raises(preferences.NothingToRetract):
            desk.retract(held)


class TestCounts:
    def test_they_follow_answers_corrections_and_undo(
        self, project: Project, lena: Membership
    ) -> None:
        first, second, _ = queue.lease(lena, 3)
        for act in (
            lambda: desk.submit(first),
            lambda: desk.submit(second),
            lambda: desk.submit(second, desk.RIGHT),
            lambda: desk.retract(first),
            lambda: desk.submit(first),
            lambda: desk.retract(first),
        ):
            act()
            check(project, Witness())
        lena.refresh_from_db()
        assert (lena.answers, lena.answers_today) == (1, 1)

    def test_yesterday_s_answers_are_not_today_s(self, project: Project, lena: Membership) -> None:
        first, second, _ = queue.lease(lena, 3)
        desk.submit(first)
        yesterday = timezone.now() - timedelta(days=1)
        with connection.cursor() as cursor:  # as if the row were a day old
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE annotation_preference SET created_at = %s", [yesterday])
            cursor.execute("SET session_replication_role = origin")
        lena.refresh_from_db()
        lena.answers_day = yesterday.date()
        lena.save()
        desk.submit(second)
        lena.refresh_from_db()
        assert (lena.answers, lena.answers_today) == (2, 1)
        desk.submit(first, desk.RIGHT)
        check(project, Witness())
        desk.retract(first)
        check(project, Witness())


def test_simulated_labels_never_mix_with_people_s() -> None:
    project = desk.open_project(2)
    desk.answer_all(desk.person(project, simulated=True))
    assert not preferences.countable(project).exists()
    project.simulated = True
    assert preferences.countable(project).count() == 2
    assert {row.origin for row in Preference.objects.filter(project=project)} == {"simulated"}


@pytest.mark.parametrize("kind", Comparison.Kind.values)
def test_only_questions_and_suspects_train(kind: str) -> None:
    project = desk.open_project(0, gold_share=0.5, anchor_share=0.5)
    (comparison,) = desk.ask(project, kind=kind)
    lena = desk.person(project)
    desk.ask(project)
    Assignment.objects.create(
        comparison=comparison, labeler=lena.user, order=[0, 1], expires_at=timezone.now()
    )
    Comparison.objects.filter(pk=comparison.pk).update(leased=1)
    desk.submit(Assignment.objects.get(comparison=comparison))
    assert preferences.countable(project).exists() == (kind in ("ask", "suspect"))


class TestTheDatabase:
    def test_it_refuses_to_change_or_delete_an_answer(self, lena: Membership) -> None:
        row = desk.submit(desk.leased(lena)).preference
        mine = Preference.objects.filter(pk=row.pk)
        for change in (lambda: mine.update(outcome="tie"), mine.delete):
            with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
                change()

    @pytest.mark.parametrize("field", ["comparison", "labeler"])
    def test_it_refuses_an_answer_that_was_given_elsewhere(
        self, lena: Membership, luis: Membership, field: str
    ) -> None:
        held, other = desk.leased(lena), desk.leased(luis)
        row = Preference(
            project_id=lena.project_id, assignment=held, origin="human", outcome="tie", tiers=[],
            comparison_id=(other if field == "comparison" else held).comparison_id,
            labeler_id=(other if field == "labeler" else held).labeler_id,
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="preference_given_there"), transaction.atomic():
            row.save()

    def test_it_refuses_one_label_too_many(self, lena: Membership) -> None:
        held = desk.leased(lena)
        over = Comparison.objects.filter(pk=held.comparison_id)
        with pytest.raises(IntegrityError, match="never_over_assigned"), transaction.atomic():
            over.update(done=1)
