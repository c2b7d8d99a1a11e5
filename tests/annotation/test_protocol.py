"""The protocol of a label under every order of events that chance comes up with.

First one desk at a time against an oracle that knows which comparison must come next; then many
people at once, each with a connection of their own, against the promises of promises.py.
"""

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Lock

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from annotation import preferences, queue
from annotation.batches import NothingToFreeze, freeze
from annotation.models import Assignment, Comparison, Membership, Project
from tests.annotation import desk
from tests.annotation.promises import Witness, check

ANSWERS = [desk.LEFT, desk.RIGHT, desk.TIE, replace(desk.LEFT, rationale="It rhymes.")]
people = st.integers(0, 2)
any_of_them = st.integers(0, 10**6)


class Desks(RuleBasedStateMachine):
    """Three labelers, a manager and a clock, one event after another."""

    @initialize(overlap=st.integers(1, 2))
    def open(self, overlap: int) -> None:
        self.atom = transaction.atomic()
        self.atom.__enter__()
        self.project = desk.open_project(4, overlap=overlap)
        self.members = desk.people(self.project, 3)
        self.witness = Witness()
        self.sent: list[tuple[Assignment, uuid.UUID, object]] = []

    def teardown(self) -> None:
        if hasattr(self, "atom"):
            transaction.set_rollback(True)
            self.atom.__exit__(None, None, None)

    @rule(who=people, want=st.integers(1, 3))
    def lease(self, who: int, want: int) -> None:
        """What is new is the best that may be asked, and nobody waits while there is some.

        Others' idle leases are touched only by who holds nothing and finds nothing free.
        """
        member = self.members[who]
        before = set(self.held_by(member))
        free = self.askable_by(member)
        reachable = free if before or free else self.takeable_by(member)
        held = queue.lease(member, want)
        for assignment in held:
            self.witness.saw(assignment)
        new = {a.comparison_id for a in held} - before
        assert len(held) >= min(want, len(before | reachable))
        best = self.in_order(free)[: len(new & free)]
        assert new & free == set(best), "something else should have come first"
        assert new <= reachable
        self.check()

    @rule(who=people, which=any_of_them, said=st.sampled_from(ANSWERS))
    def submit(self, who: int, which: int, said) -> None:
        """In whatever state the assignment is by now: leased, lost, skipped, answered."""
        if assignment := self.any_assignment(who, which):
            self.send(assignment, uuid.uuid4(), said)

    @rule(which=any_of_them)
    def submit_again(self, which: int) -> None:
        if self.sent:
            assignment, key, said = self.sent[which % len(self.sent)]
            assert self.send(assignment, key, said).replayed

    @rule(which=any_of_them)
    def submit_something_else_under_an_old_key(self, which: int) -> None:
        if self.sent:
            assignment, key, said = self.sent[which % len(self.sent)]
            with pytest.raises(preferences.IdempotencyConflict):
                desk.submit(assignment, replace(said, rationale="Changed"), key)

    @rule(who=people, which=any_of_them)
    def undo(self, who: int, which: int) -> None:
        if assignment := self.any_assignment(who, which):
            try:
                desk.retract(assignment)
            except preferences.NothingToRetract:
                pass
            self.check()

    @rule(who=people, which=any_of_them)
    def skip(self, who: int, which: int) -> None:
        if assignment := self.any_assignment(who, which):
            try:
                queue.skip(assignment, assignment.token, reason="unclear", note="")
            except queue.LeaseLost:
                pass
            self.check()

    @rule(who=people, which=any_of_them)
    def release(self, who: int, which: int) -> None:
        if assignment := self.any_assignment(who, which):
            queue.release(assignment, assignment.token)
            self.check()

    @rule(who=people, which=any_of_them)
    def show(self, who: int, which: int) -> None:
        if assignment := self.any_assignment(who, which):
            try:
                queue.renew(assignment, assignment.token, shown=True)
            except queue.LeaseLost:
                assert assignment.state != "leased"

    @rule(who=people, which=any_of_them, expires=st.booleans())
    def time_passes(self, who: int, which: int, expires: bool) -> None:
        if assignment := self.any_assignment(who, which):
            (desk.let_expire if expires else desk.let_wait)([assignment])

    @rule()
    def take_back_the_expired(self) -> None:
        queue.expire()
        self.check()

    @rule(priority=st.integers(-1, 2))
    def add(self, priority: int) -> None:
        desk.ask(self.project, priority=priority)

    @rule(which=any_of_them, priority=st.integers(-1, 2), close=st.booleans())
    def manage(self, which: int, priority: int, close: bool) -> None:
        comparisons = list(self.project.comparisons.order_by("pk"))
        chosen = Comparison.objects.filter(pk=comparisons[which % len(comparisons)].pk)
        chosen.update(priority=priority, state="closed" if close else "open")

    @rule()
    def freeze(self) -> None:
        later = timezone.now() + timedelta(seconds=self.project.grace_seconds + 1)
        try:
            self.witness.froze(freeze(self.project, now=later))
        except NothingToFreeze:
            pass
        self.check()

    def send(self, assignment: Assignment, key: uuid.UUID, said) -> preferences.Receipt:
        receipt = desk.submit(assignment, said, key)
        self.witness.was_told(assignment, key, said)
        if not receipt.replayed:
            self.sent.append((assignment, key, said))
        self.check()
        return receipt

    def check(self) -> None:
        check(self.project, self.witness)

    def any_assignment(self, who: int, which: int) -> Assignment | None:
        mine = list(Assignment.objects.filter(labeler=self.members[who].user).order_by("pk"))
        return mine[which % len(mine)] if mine else None

    def held_by(self, member: Membership) -> list[int]:
        held = Assignment.objects.filter(labeler=member.user, state="leased")
        return list(held.values_list("comparison", flat=True))

    def askable_by(self, member: Membership) -> set[int]:
        """Worked out the slow way, from all rows."""
        return {
            comparison.pk
            for comparison in self.project.comparisons.all()
            if comparison.state == "open"
            and comparison.done + comparison.leased < comparison.wanted
            and not self.asked_already(comparison, member)
        }

    def takeable_by(self, member: Membership) -> set[int]:
        """Of others' leases, those that ran out or were held too long without being shown."""
        now = timezone.now()
        return {
            a.comparison_id
            for a in Assignment.objects.filter(state="leased").exclude(labeler=member.user)
            if a.comparison.state == "open"
            and not self.asked_already(a.comparison, member)
            and (
                a.expires_at < now
                or (not a.shown_at and a.updated_at < now - timedelta(seconds=15))
            )
        }

    def asked_already(self, comparison: Comparison, member: Membership) -> bool:
        mine = comparison.assignments.filter(labeler=member.user)
        return mine.exclude(state__in=["released", "expired"]).exists()

    def in_order(self, comparisons: set[int]) -> list[int]:
        rows = Comparison.objects.filter(pk__in=comparisons)
        return list(rows.order_by("-priority", "shuffle", "id").values_list("pk", flat=True))


@pytest.mark.django_db
def test_whatever_happens_at_the_desks_every_promise_holds() -> None:
    run_state_machine_as_test(
        Desks,
        settings=settings(
            max_examples=15,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class Crowd:
    """People who work at once; what each was told goes to one witness."""

    def __init__(self, project: Project, members: list[Membership]) -> None:
        self.project, self.members = project, members
        self.witness = Witness()
        self.pen = Lock()

    def labeler(self, member: Membership, seed: int, events: int) -> None:
        rng = random.Random(seed)
        mine: list[tuple[Assignment, uuid.UUID, object]] = []
        for _ in range(events):
            held = queue.lease(member, rng.randint(1, 3))
            with self.pen:
                for assignment in held:
                    self.witness.saw(assignment)
            for assignment in held:
                self.deal_with(assignment, rng, mine)
            if mine and rng.random() < 0.4:
                self.come_back_to(*rng.choice(mine), rng)

    def deal_with(self, assignment: Assignment, rng: random.Random, mine: list) -> None:
        draw = rng.random()
        if draw < 0.1:
            desk.let_expire([assignment])
        elif draw < 0.2:
            self.ignoring_a_lost_lease(
                lambda: queue.skip(assignment, assignment.token, reason="unclear", note="")
            )
        elif draw < 0.3:
            queue.release(assignment, assignment.token)
        else:
            if draw < 0.6:
                self.ignoring_a_lost_lease(lambda: desk.show(assignment))
            said, key = rng.choice(ANSWERS), uuid.uuid4()
            self.send(assignment, key, said)
            mine.append((assignment, key, said))

    def come_back_to(
        self, assignment: Assignment, key: uuid.UUID, said, rng: random.Random
    ) -> None:
        draw = rng.random()
        if draw < 0.4:
            assert self.send(assignment, key, said).replayed
        elif draw < 0.7:
            self.send(assignment, uuid.uuid4(), rng.choice(ANSWERS))
        else:
            try:
                desk.retract(assignment)
            except preferences.NothingToRetract:
                pass

    def manager(self, seed: int, events: int) -> None:
        rng = random.Random(seed)
        for _ in range(events):
            draw = rng.random()
            if draw < 0.3:
                desk.ask(self.project, rng.randint(1, 3), priority=rng.randint(-1, 1))
            elif draw < 0.6:
                queue.expire()
            else:
                later = timezone.now() + timedelta(seconds=self.project.grace_seconds)
                try:
                    batch = freeze(self.project, now=later)
                except NothingToFreeze:
                    continue
                with self.pen:
                    self.witness.froze(batch)

    def send(self, assignment: Assignment, key: uuid.UUID, said) -> preferences.Receipt:
        receipt = desk.submit(assignment, said, key)
        with self.pen:
            self.witness.was_told(assignment, key, said)
        return receipt

    def ignoring_a_lost_lease(self, act: Callable[[], object]) -> None:
        try:
            act()
        except queue.LeaseLost:
            pass


def at_once(*acts: Callable[[], object]) -> None:
    """Each act in a thread of its own, with a connection of its own; raises what one raises."""

    def run(act: Callable[[], object]) -> None:
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        for future in [pool.submit(run, act) for act in acts]:
            future.result()


@pytest.mark.django_db(transaction=True)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**6),
    overlap=st.integers(1, 3),
    comparisons=st.integers(1, 12),
)
def test_whoever_works_at_once_every_promise_holds(
    seed: int, overlap: int, comparisons: int
) -> None:
    """Five labelers, one of them in two tabs, and a manager who adds, expires and freezes."""
    project = desk.open_project(comparisons, overlap=overlap)
    members = desk.people(project, 5)
    crowd = Crowd(project, members)
    at_once(
        *(
            lambda member=member, n=n: crowd.labeler(member, seed + n, events=12)
            for n, member in enumerate([*members, members[0]])
        ),
        lambda: crowd.manager(seed, events=12),
    )
    check(project, crowd.witness)
    for member in members:  # and nothing is left that somebody could be asked
        desk.let_expire(Assignment.objects.filter(comparison__project=project, state="leased"))
        desk.answer_all(member)
    check(project, crowd.witness)
    for comparison in project.comparisons.all():
        asked = comparison.assignments.exclude(state__in=["released", "expired"]).count()
        assert comparison.done == comparison.wanted or asked == len(members)


@pytest.mark.django_db(transaction=True)
def test_one_answer_sent_from_many_tabs_at_once_is_stored_once() -> None:
    project = desk.open_project(1)
    assignment = desk.leased(desk.person(project))
    key = uuid.uuid4()
    receipts: list[preferences.Receipt] = []
    at_once(*[lambda: receipts.append(desk.submit(assignment, desk.LEFT, key))] * 6)
    assert len({receipt.preference.pk for receipt in receipts}) == 1
    assert sorted(receipt.replayed for receipt in receipts) == [False] + [True] * 5


@pytest.mark.django_db(transaction=True)
def test_two_people_with_one_key_get_one_answer_and_one_refusal() -> None:
    project = desk.open_project(2)
    held = [desk.leased(member) for member in desk.people(project, 2)]
    key = uuid.uuid4()
    refused: list[preferences.IdempotencyConflict] = []

    def send(assignment: Assignment) -> None:
        try:
            desk.submit(assignment, desk.LEFT, key)
        except preferences.IdempotencyConflict as error:
            refused.append(error)

    at_once(*(lambda assignment=assignment: send(assignment) for assignment in held))
    assert len(refused) == 1
    check(project, Witness())


@pytest.mark.django_db(transaction=True)
def test_questions_are_added_and_batches_frozen_while_people_answer() -> None:
    """None of them waits for another for good: a deadlock would raise."""
    project = desk.open_project(40, overlap=2, grace_seconds=0)
    members = desk.people(project, 4)

    def freezes() -> None:
        for _ in range(15):
            try:
                freeze(project)
            except NothingToFreeze:
                pass

    def adds() -> None:
        for _ in range(15):
            desk.ask(project, 2)

    at_once(*(lambda member=member: desk.answer_all(member) for member in members), freezes, adds)
    for member in members:
        desk.answer_all(member)
    check(project, Witness())
    assert all(c.done == c.wanted for c in project.comparisons.all())
