"""POST projects/<slug>/assignments/: what a labeler is asked next."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Assignment, Membership, Project
from tests.cast import Person

PATH = "/api/projects/tales/assignments/"


def test_a_labeler_gets_prompt_and_responses_and_nothing_else(
    project: Project, lena: Person
) -> None:
    answer = lena.api.post(PATH, {"want": 1})
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"assignments", "progress", "finished"}
    [served] = body["assignments"]
    assert set(served) == {
        "key", "token", "expires_at", "prompt", "write_first", "responses", "draft",
        "guidelines_version", "answer",
    }  # fmt: skip
    held = Assignment.objects.get(key=served["key"])
    texts = {place.place: place.response.messages for place in held.comparison.places.all()}
    assert served["prompt"] == {"messages": held.comparison.prompt.messages}
    assert served["responses"] == [{"messages": texts[place]} for place in held.order]
    assert (served["guidelines_version"], served["draft"], served["answer"]) == (1, None, None)


def test_the_key_is_opaque(project: Project, lena: Person) -> None:
    keys = [a["key"] for a in lena.api.post(PATH, {"want": 3}).json()["assignments"]]
    assert len(set(keys)) == 3
    assert all(re.fullmatch(r"[\w-]{22}", key) for key in keys)


def test_reloading_gives_the_same_in_the_same_order(project: Project, lena: Person) -> None:
    first, again = (lena.api.post(PATH, {"want": 3}).json() for _ in range(2))
    for served in (*first["assignments"], *again["assignments"]):
        served.pop("expires_at")
    assert first["assignments"] == again["assignments"]


def test_a_lease_lasts_ten_minutes_from_the_last_time_it_was_asked_for(
    project: Project, lena: Person
) -> None:
    [served] = lena.api.post(PATH, {"want": 1}).json()["assignments"]
    left = datetime.fromisoformat(served["expires_at"]) - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)


@pytest.mark.parametrize("want", [0, 4, "many", None, [1]])
def test_one_to_three_can_be_wanted(project: Project, lena: Person, want: object) -> None:
    answer = lena.api.post(PATH, {"want": want})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "want"


def test_two_labelers_are_never_shown_the_same_slot(
    project: Project, lena: Person, luis: Person
) -> None:
    hers, his = (who.api.post(PATH, {"want": 2}).json() for who in (lena, luis))
    prompts = [str(a["prompt"]) for a in (*hers["assignments"], *his["assignments"])]
    assert len(set(prompts)) == 4


def test_the_end_is_said_with_what_comes_next(project: Project, lena: Person) -> None:
    for _ in range(4):
        lena.answer(project)
    body = lena.api.post(PATH, {"want": 3}).json()
    assert body["assignments"] == []
    assert body["finished"]["reason"] == "nothing_left"
    assert "196 more labels" in body["finished"]["next"]


@pytest.mark.parametrize("state", ["draft", "paused", "closed"])
def test_a_project_that_is_not_open_serves_nothing(
    project: Project, lena: Person, state: str
) -> None:
    Project.objects.update(state=state)
    body = lena.api.post(PATH, {"want": 1}).json()
    assert (body["assignments"], body["finished"]["reason"]) == ([], state)
    assert not Assignment.objects.exists()


def test_progress_comes_along(project: Project, lena: Person, luis: Person) -> None:
    lena.answer(project)
    luis.answer(project)
    assert lena.api.post(PATH, {"want": 1}).json()["progress"] == {
        "labels": 2, "freeze_after": 200, "mine_today": 1, "mine": 1,
    }  # fmt: skip


def test_people_are_kept_out_of_simulated_projects(project: Project, lena: Person) -> None:
    Project.objects.update(simulated=True)
    answer = lena.api.post(PATH, {"want": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "simulated")
    Membership.objects.filter(user=lena.user).update(simulated=True)
    assert lena.api.post(PATH, {"want": 1}).status_code == 200


def test_more_is_served_in_as_many_queries(project: Project, lena: Person, luis: Person) -> None:
    def queries(who: Person, want: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(who.api.post(PATH, {"want": want}).json()["assignments"]) == want
        return len(captured)

    assert queries(lena, 1) == queries(luis, 3) <= 16


def test_who_belongs_may_label_and_nobody_else(
    project: Project, rita: Person, maya: Person, otto: Person, anyone
) -> None:
    assert [who.api.post(PATH, {"want": 1}).status_code for who in (rita, maya, otto)] == [
        200, 200, 404,
    ]  # fmt: skip
    assert anyone.post(PATH, {"want": 1}).status_code == 401
