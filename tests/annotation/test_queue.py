import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import claims, queue
from annotation.models import Assignment, Comparison, Membership, Project
from tests.annotation import desk

pytestmark = pytest.mark.django_db


def test_two_people_are_never_served_the_same_slot() -> None:
    project = desk.open_project(6)
    lena, luis = desk.people(project, 2)
    hers, his = queue.lease(lena, 3), queue.lease(luis, 3)
    assert len(hers) == len(his) == 3
    assert not {a.comparison_id for a in hers} & {a.comparison_id for a in his}


def test_as_many_people_are_asked_as_labels_are_wanted() -> None:
    project = desk.open_project(1, overlap=3)
    served = [queue.lease(member, 1) for member in desk.people(project, 5)]
    assert [len(held) for held in served] == [1, 1, 1, 0, 0]


def test_asking_again_gives_the_same_assignments_in_the_same_order() -> None:
    project = desk.open_project(5)
    lena = desk.person(project)
    first = queue.lease(lena, 3)
    again = queue.lease(lena, 3)
    assert [(a.key, a.token, a.order) for a in again] == [(a.key, a.token, a.order) for a in first]


def test_what_is_on_the_screen_comes_first_again() -> None:
    project = desk.open_project(5)
    lena = desk.person(project)
    held = queue.lease(lena, 3)
    desk.show(held[2])
    assert queue.lease(lena, 3)[0].key == held[2].key


def test_priority_comes_first_and_then_the_shuffle() -> None:
    project = desk.open_project(5)
    urgent = desk.ask(project, 3, priority=7) + desk.ask(project, 2, priority=3)
    served = desk.served_to(desk.person(project))
    by_queue = project.comparisons.order_by("-priority", "shuffle", "id")
    assert served == list(by_queue.values_list("pk", flat=True))
    assert set(served[:5]) == {c.pk for c in urgent}


def test_nobody_is_asked_again_what_they_answered_or_skipped() -> None:
    project = desk.open_project(4, overlap=9)
    lena = desk.person(project)
    first = desk.leased(lena)
    queue.skip(first, first.token, reason="unclear", note="")
    rest = desk.answer_all(lena)
    assert len({first.comparison_id, *rest}) == 4
    assert queue.lease(lena, 3) == []


def test_what_was_released_is_asked_again_in_the_same_order_with_its_draft() -> None:
    project = desk.open_project(1)
    lena = desk.person(project)
    held = desk.leased(lena)
    Assignment.objects.filter(pk=held.pk).update(draft={"rationale": "An hour of writing"})
    queue.release(held, held.token)
    again = desk.leased(lena)
    assert (again.key, again.order) == (held.key, held.order)
    assert again.draft == {"rationale": "An hour of writing"}
    assert again.token != held.token


def test_releasing_twice_frees_one_slot_only() -> None:
    project = desk.open_project(1, overlap=2)
    lena, luis = desk.people(project, 2)
    held, _ = desk.leased(lena), desk.leased(luis)
    queue.release(held, held.token)
    queue.release(held, held.token)
    assert Comparison.objects.get(project=project).leased == 1


def test_leaving_gives_the_slot_to_the_next_at_once() -> None:
    project = desk.open_project(1)
    lena, luis = desk.people(project, 2)
    held = desk.leased(lena)
    assert queue.lease(luis, 1) == []
    queue.release(held, held.token)
    assert desk.leased(luis).comparison_id == held.comparison_id


def test_a_skip_gives_the_slot_to_others_and_keeps_reason_and_text() -> None:
    project = desk.open_project(1)
    lena, luis = desk.people(project, 2)
    held = desk.leased(lena)
    Assignment.objects.filter(pk=held.pk).update(draft={"rationale": "Half a thought"})
    queue.skip(held, held.token, reason="language", note="It is in Welsh.")
    held.refresh_from_db()
    assert (held.state, held.skip_reason, held.skip_note) == (
        "skipped", "language", "It is in Welsh.",
    )  # fmt: skip
    assert held.draft == {"rationale": "Half a thought"}
    assert desk.leased(luis).comparison_id == held.comparison_id


def test_a_skip_sent_twice_frees_one_slot_only() -> None:
    project = desk.open_project(1, overlap=2)
    lena, luis = desk.people(project, 2)
    held, _ = desk.leased(lena), desk.leased(luis)
    for _ in range(2):
        queue.skip(held, held.token, reason="unclear", note="")
    assert Comparison.objects.get(project=project).leased == 1


def test_a_skip_that_comes_after_the_slot_was_reclaimed_still_holds() -> None:
    project = desk.open_project(1)
    lena, luis = desk.people(project, 2)
    late = desk.leased(lena)
    desk.let_expire([late])
    his = desk.leased(luis)
    queue.skip(late, late.token, reason="offensive", note="")
    queue.release(his, his.token)
    assert queue.lease(lena, 1) == []
    assert Comparison.objects.get(project=project).leased == 0


def test_an_answer_is_not_undone_by_a_late_skip() -> None:
    project = desk.open_project(1)
    held = desk.leased(desk.person(project))
    desk.submit(held)
    with pytest.raises(queue.LeaseLost):
        queue.skip(held, held.token, reason="unclear", note="")


def test_an_expired_lease_goes_to_others_when_they_have_nothing_else() -> None:
    project = desk.open_project(1)
    lena, luis = desk.people(project, 2)
    held = desk.show(desk.leased(lena))
    assert queue.lease(luis, 1) == []
    desk.let_expire([held])
    assert desk.leased(luis).comparison_id == held.comparison_id
    with pytest.raises(queue.LeaseLost):
        queue.renew(held, held.token, shown=True)


def test_the_holder_of_an_expired_lease_gets_it_back_unless_others_took_it() -> None:
    project = desk.open_project(1)
    lena = desk.person(project)
    held = desk.leased(lena)
    desk.let_expire([held])
    again = desk.leased(lena)
    assert (again.key, again.token) == (held.key, held.token)
    assert again.expires_at > timezone.now()


def test_an_idle_tab_starves_nobody() -> None:
    """It holds one comparison on the screen and two that were never shown."""
    project = desk.open_project(3)
    lena, luis = desk.people(project, 2)
    held = queue.lease(lena, 3)
    desk.show(held[0])
    assert queue.lease(luis, 3) == []
    desk.let_wait(held)
    his = queue.lease(luis, 3)
    assert {a.comparison_id for a in his} == {a.comparison_id for a in held[1:]}


def test_no_more_is_taken_from_the_idle_than_is_wanted() -> None:
    project = desk.open_project(3)
    lena, luis = desk.people(project, 2)
    desk.let_wait(queue.lease(lena, 3))
    assert len(queue.lease(luis, 1)) == 1
    assert len(queue.lease(lena, 3)) == 2


def test_what_was_left_behind_returns_to_its_place() -> None:
    project = desk.open_project(3)
    (urgent,) = desk.ask(project, priority=5)
    lena, luis = desk.people(project, 2)
    left = desk.leased(lena)
    desk.show(left)
    desk.submit(desk.leased(luis))
    desk.let_expire([left])
    assert queue.expire() == 1
    assert queue.expire() == 0
    assert desk.leased(luis).comparison_id == left.comparison_id == urgent.pk


def test_asking_for_more_does_not_keep_what_is_not_shown_from_others() -> None:
    project = desk.open_project(3)
    lena, luis = desk.people(project, 2)
    held = queue.lease(lena, 3)
    desk.let_wait(held)
    queue.renew(held[2], held[2].token, shown=False)
    queue.lease(lena, 3)
    assert len(queue.lease(luis, 3)) == 3


def test_what_is_shown_stays_with_its_reader() -> None:
    project = desk.open_project(1)
    lena, luis = desk.people(project, 2)
    held = desk.show(desk.leased(lena))
    desk.let_wait([held])
    assert queue.lease(luis, 3) == []


def test_no_lease_is_taken_back_while_something_else_is_free() -> None:
    project = desk.open_project(2)
    lena, luis = desk.people(project, 2)
    held = desk.leased(lena)
    desk.let_expire([held])
    assert desk.leased(luis).comparison_id != held.comparison_id


def test_what_is_reserved_is_asked_of_that_person_only() -> None:
    project = desk.open_project(0)
    lena, luis = desk.people(project, 2)
    (repeat,) = desk.ask(project, kind="repeat")
    Comparison.objects.filter(pk=repeat.pk).update(reserved_for=luis.user)
    assert queue.lease(lena, 1) == []
    assert desk.leased(luis).comparison_id == repeat.pk


def test_the_end_says_who_holds_the_last_ones() -> None:
    project = desk.open_project(1)
    lena, luis = desk.people(project, 2)
    desk.leased(lena)
    project.membership = luis
    assert "Others are answering" in queue.finished(project, missing=200).next
    desk.answer_all(lena)
    assert "199 more labels" in queue.finished(project, missing=199).next
    assert "learning" in queue.finished(project, missing=0).next


def test_a_closed_or_paused_project_says_so() -> None:
    project = desk.open_project(1)
    project.membership = desk.person(project)
    for state in (Project.State.PAUSED, Project.State.CLOSED, Project.State.DRAFT):
        project.state = state
        assert queue.finished(project, missing=200).reason == state


class TestPlaces:
    """A labeler's place in the queue saves looking again, and hides nothing."""

    def test_a_freed_slot_before_the_place_is_found(self) -> None:
        project = desk.open_project(6)
        lena, luis = desk.people(project, 2)
        first = desk.leased(luis)
        ahead = [desk.leased(lena)]
        desk.submit(ahead[0])
        ahead += queue.lease(lena, 2)
        queue.skip(first, first.token, reason="unclear", note="")
        desk.submit(ahead[1])
        desk.submit(ahead[2])
        assert desk.leased(lena).comparison_id == first.comparison_id

    def test_an_expired_slot_before_the_place_is_found(self) -> None:
        project = desk.open_project(3)
        lena, luis = desk.people(project, 2)
        first = desk.leased(luis)
        assert len(desk.answer_all(lena)) == 2
        desk.let_expire([first])
        assert desk.leased(lena).comparison_id == first.comparison_id

    def test_new_comparisons_of_higher_priority_come_next(self) -> None:
        project = desk.open_project(4)
        lena = desk.person(project)
        desk.submit(desk.leased(lena))
        (urgent,) = desk.ask(project, priority=5)
        assert desk.leased(lena).comparison_id == urgent.pk

    def test_new_comparisons_are_found_after_the_end(self) -> None:
        project = desk.open_project(2)
        lena = desk.person(project)
        desk.answer_all(lena)
        (late,) = desk.ask(project, priority=-3)
        assert desk.answer_all(lena) == [late.pk]

    @pytest.mark.parametrize(
        "change",
        [{"priority": 9}, {"state": "open"}, {"wanted": 2}, {"reserved_for": None}],
        ids=lambda change: next(iter(change)),
    )
    def test_whatever_makes_one_askable_is_noticed(self, change: dict) -> None:
        project = desk.open_project(3)
        lena, luis = desk.people(project, 2)
        first = Comparison.objects.get(pk=desk.leased(luis).comparison_id)
        if "wanted" not in change:
            held = desk.leased(luis)
            queue.release(held, held.token)
            Comparison.objects.filter(pk=first.pk).update(
                priority=-9 if "priority" in change else 0,
                state="closed" if "state" in change else "open",
                reserved_for=luis.user if "reserved_for" in change else None,
            )
        desk.submit(desk.leased(lena))
        Comparison.objects.filter(pk=first.pk).update(**change)
        assert desk.leased(lena).comparison_id == first.pk

    def test_what_was_released_by_oneself_comes_back(self) -> None:
        project = desk.open_project(4)
        lena = desk.person(project)
        first, second = queue.lease(lena, 2)
        desk.submit(second)
        queue.release(first, first.token)
        assert first.comparison_id in desk.answer_all(lena)

    def test_a_place_from_before_a_restore_is_not_trusted(self) -> None:
        project = desk.open_project(2)
        lena = desk.person(project)
        lena.places = {"additions": project.additions + 77, "main": claims.END}
        lena.save()
        assert len(desk.answer_all(lena)) == 2

    def test_a_claim_does_not_look_again_at_what_this_labeler_answered(self) -> None:
        project = desk.open_project(0, overlap=2)
        lena = desk.person(project)
        desk.ask(project, 600)
        while len(queue.lease(lena, 500)) < 500:
            pass
        Assignment.objects.update(state="answered")
        Comparison.objects.filter(leased=1).update(leased=0, done=1)
        lena.places = {}
        lena.save()
        with connection.cursor() as cursor:
            # Else the plan hangs on what other tests' tables looked like to the last autovacuum.
            cursor.execute("ANALYZE annotation_comparison, annotation_assignment")
        first_look = blocks_read(lena)
        desk.leased(lena)
        lena.refresh_from_db()
        assert first_look > 1000
        assert blocks_read(lena) < 150


class TestLanes:
    def test_golds_and_anchors_get_their_shares(self) -> None:
        random.seed(5)
        project = desk.open_project(300, gold_share=0.2, anchor_share=0.1)
        desk.ask(project, 100, kind="gold")
        desk.ask(project, 100, kind="anchor")
        kinds = Counter(a.comparison.kind for a in queue.lease(desk.person(project), 250))
        assert 33 <= kinds["gold"] <= 67  # 50 and 25 are expected; the bounds are 2.7 sigma
        assert 12 <= kinds["anchor"] <= 38

    def test_each_is_claimed_by_as_many_statements_as_the_others(self) -> None:
        """Else the time that an answer takes would tell them apart."""
        random.seed(6)
        project = desk.open_project(30, gold_share=0.3, anchor_share=0.3)
        desk.ask(project, 30, kind="gold")
        desk.ask(project, 30, kind="anchor")
        lena = desk.person(project)
        statements: dict[str, set[int]] = {}
        for _ in range(24):
            with CaptureQueriesContext(connection) as asked:
                [held] = queue.lease(lena, 1)
            statements.setdefault(held.comparison.lane, set()).add(len(asked))
            desk.submit(held)
        assert set(statements) == {"main", "gold", "anchor"}
        assert len(set.union(*statements.values())) == 1, statements

    def test_without_a_share_there_are_none(self) -> None:
        project = desk.open_project(20)
        desk.ask(project, 20, kind="gold", priority=5)
        assert kinds_served(project, 40) == {"ask": 20}

    def test_they_never_come_alone_at_the_end(self) -> None:
        project = desk.open_project(10, gold_share=1.0)
        desk.ask(project, 5, kind="gold")
        assert kinds_served(project, 20)["gold"] == 5
        lena = desk.person(project)
        assert len(desk.served_to(lena)) == 15
        desk.ask(project, 5, kind="gold")
        assert queue.lease(lena, 3) == []

    def test_when_they_run_out_the_others_go_on(self) -> None:
        project = desk.open_project(10, gold_share=0.9)
        desk.ask(project, 2, kind="gold")
        assert kinds_served(project, 40) == {"ask": 10, "gold": 2}


@pytest.mark.parametrize("field", ["order", "comparison_id", "labeler_id", "key"])
def test_the_database_refuses_to_change_what_was_shown(field: str) -> None:
    project = desk.open_project(2)
    lena, luis = desk.people(project, 2)
    held, other = queue.lease(lena, 2)
    value = {
        "order": [1, 0] if held.order == [0, 1] else [0, 1],
        "comparison_id": other.comparison_id,
        "labeler_id": luis.user_id,
        "key": "another",
    }[field]
    with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
        Assignment.objects.filter(pk=held.pk).update(**{field: value})


def test_the_order_of_the_responses_is_each_way_about_as_often() -> None:
    project = desk.open_project(200)
    left = Counter(a.order[0] for a in queue.lease(desk.person(project), 200))
    assert 70 <= left[0] <= 130


@pytest.mark.django_db(transaction=True)
def test_people_who_ask_at_the_same_moment_get_no_slot_too_many() -> None:
    project = desk.open_project(0)
    members = desk.people(project, 7)
    for _ in range(8):
        (comparison,) = desk.ask(project, wanted=3)
        barrier = Barrier(len(members))

        def ask(member: Membership, barrier: Barrier = barrier) -> int:
            barrier.wait()
            try:
                return len(queue.lease(member, 1))
            finally:
                connection.close()

        with ThreadPoolExecutor(len(members)) as pool:
            served = sum(pool.map(ask, members))
        comparison.refresh_from_db()
        assert served == comparison.leased == 3
        for held in Assignment.objects.filter(comparison=comparison):
            desk.submit(held)


def kinds_served(project: Project, number: int) -> Counter:
    lena = desk.person(project)
    kinds: Counter = Counter()
    for _ in range(number):
        if not (held := queue.lease(lena, 1)):
            break
        queue.skip(held[0], held[0].token, reason="unclear", note="")
        kinds[held[0].comparison.kind] += 1
    return kinds


def blocks_read(member: Membership) -> int:
    """Blocks that Postgres looks at for one claim, which is rolled back."""
    values = claims.claim_values(member, claims.Lane.MAIN, 1, timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {claims.CLAIM}", values)
        (plan,) = cursor.fetchone()
        transaction.set_rollback(True)
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]
