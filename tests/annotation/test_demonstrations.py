"""What people write themselves: kept with whom, what and when, and never asked for twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import preferences
from annotation.demonstrations import withheld
from annotation.models import Assignment, Demonstration, Membership, Preference, Project, Response
from annotation.projects import change_project
from tests.annotation import desk
from tests.annotation.desk import LEFT

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return desk.open_project(3, rewrites=True)


@pytest.fixture
def lena(project: Project) -> Membership:
    return desk.person(project)


def standing() -> list[str]:
    """The texts of the rewrites whose preference stands."""
    rows = Preference.objects.filter(superseded_by__isnull=True, retracted=False)
    return list(Demonstration.objects.filter(preference__in=rows).values_list("text", flat=True))


def test_a_rewrite_is_stored_of_the_response_that_was_shown(lena: Membership) -> None:
    held = desk.leased(lena)
    rewritten = replace(LEFT, rewrites={"1": {"text": "The well is deep.\n", "active_ms": 61_500}})
    row = desk.submit(held, rewritten).preference
    made = Demonstration.objects.get()
    assert (made.how, made.text, made.seconds) == ("rewrite", "The well is deep.\n", 61.5)
    assert (made.author_id, made.prompt_id) == (lena.user_id, held.comparison.prompt_id)
    assert (made.rewrite_of_id, made.preference) == (row.order[1], row)
    assert preferences.as_answer(row).rewrites == rewritten.rewrites


def test_it_stands_as_long_as_its_preference(lena: Membership) -> None:
    held = desk.leased(lena)
    first = replace(LEFT, rewrites={"0": {"text": "First.", "active_ms": None}})
    desk.submit(held, first)
    desk.submit(held, replace(LEFT, rewrites={"0": {"text": "Second.", "active_ms": None}}))
    assert standing() == ["Second."]
    desk.retract(held)
    assert standing() == []
    held.refresh_from_db()
    assert held.draft["rewrites"]["0"]["text"] == "Second.", "and it can be taken up again"
    assert Demonstration.objects.count() == 2, "nothing is lost"


def test_the_same_answer_sent_again_stores_no_second_rewrite(lena: Membership) -> None:
    held = desk.leased(lena)
    said = replace(LEFT, rewrites={"0": {"text": "Once.", "active_ms": None}})
    key = desk.submit(held, said).preference.idempotency_key
    assert desk.submit(held, said, key).replayed
    assert Demonstration.objects.count() == 1


def test_spans_are_stored_by_response_and_come_back_by_position(project: Project) -> None:
    project.span_categories = ["untrue"]
    project.save()
    held = desk.leased(desk.person(project))
    text = Response.objects.get(
        places__comparison=held.comparison_id, places__place=held.order[1]
    ).messages[0]["content"]
    span = {
        "position": 1, "message": 0, "start": 0, "end": 4, "quote": text[:4], "category": "untrue",
    }  # fmt: skip
    row = desk.submit(held, replace(LEFT, spans=[span])).preference
    row.refresh_from_db()
    assert row.spans[0]["response"] == row.order[1]
    assert "position" not in row.spans[0]
    assert preferences.as_answer(row).spans == [span]


def share_of_prompts_withheld(project: Project) -> float:
    held = [
        Assignment(comparison=comparison, labeler_id=0, created_at=timezone.now())
        for comparison in project.comparisons.select_related("prompt")
    ]
    for number, assignment in enumerate(held):
        assignment.pk = -number
    return len(withheld(project, held)) / len(held)


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_the_share_of_prompts_is_as_large_as_was_asked(share: float) -> None:
    project = desk.open_project(400, write_first_share=share)
    # Three standard errors of a draw of 400.
    assert share_of_prompts_withheld(project) == pytest.approx(
        share, abs=3 * (share * (1 - share) / 400) ** 0.5
    )


def test_the_same_prompts_are_drawn_for_everybody() -> None:
    project = desk.open_project(12, write_first_share=0.5, overlap=2)
    drawn = [
        {a.comparison_id for a in held if a.pk in withheld(project, held)}
        for held in (
            list(Assignment.objects.filter(labeler=member.user_id))
            for member in desk.people(project, 2)
            if desk.served_to(member)
        )
    ]
    assert drawn[0] == drawn[1]
    assert 0 < len(drawn[0]) < 12


def test_raising_the_share_asks_nobody_who_may_have_seen_the_responses(
    project: Project, lena: Membership
) -> None:
    held = desk.leased(lena)
    project = change_project(project=project, actor=lena.user, write_first_share=1.0)
    assert withheld(project, [held]) == set()
    [_, fresh] = [desk.leased(lena), *_more(lena)]
    assert withheld(project, [fresh]) == {fresh.pk}


def test_a_prompt_of_which_responses_were_seen_is_not_asked_again(project: Project) -> None:
    member = desk.person(project)
    held = desk.leased(member)
    other = desk.ask(project)[0]
    type(other).objects.filter(pk=other.pk).update(prompt=held.comparison.prompt_id)
    project = change_project(project=project, actor=member.user, write_first_share=1.0)
    again = Assignment.objects.create(
        comparison_id=other.pk,
        labeler=member.user,
        order=[0, 1],
        expires_at=timezone.now() + timedelta(minutes=1),
    )
    assert withheld(project, [again]) == set()


def _more(member: Membership) -> list[Assignment]:
    from annotation import queue

    return queue.lease(member, 2)[1:]
