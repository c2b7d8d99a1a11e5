"""POST assignments/<key>/demonstration/: write first, and only then see the responses."""

import json
import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from annotation.models import Assignment, Demonstration, Preference, Project
from tests.cast import TALES, Person

PATH = "/api/projects/tales/assignments/"
SECRETS = [text for _, *texts in TALES for text in texts]
TALE = "Pip waited for the moon, and it came. 🦉"


@pytest.fixture
def asked(project: Project, lena: Person) -> dict[str, Any]:
    """What Lena is served where every prompt asks to write first."""
    Project.objects.update(write_first_share=1)
    project.refresh_from_db()
    return lena.api.post(PATH, {"want": 1}).json()["assignments"][0]


def write(who: Person, key: str, text: object = TALE, **more: Any):
    body = json.dumps({"text": text, "active_ms": 90_000, **more})
    path = f"/api/assignments/{key}/demonstration/"
    return who.api.post(path, body, content_type="application/json")


def choose(who: Person, served: dict[str, Any]):
    body = {
        "token": served["token"], "idempotency_key": str(uuid.uuid4()), "outcome": "prefer",
        "tiers": [[0], [1]], "strength": 1,
    }  # fmt: skip
    return who.api.post(f"/api/assignments/{served['key']}/preference/", body)


def reveals(answer) -> bool:
    return any(text in answer.content.decode() for text in SECRETS)


def test_nothing_of_the_responses_leaves_the_server_before(
    lena: Person, asked: dict[str, Any]
) -> None:
    key, token = asked["key"], asked["token"]
    answers = [
        lena.api.post(PATH, {"want": 3}),
        lena.api.get(f"/api/assignments/{key}/"),
        lena.api.post(f"/api/assignments/{key}/renew/", {"token": token}),
        lena.api.put(f"/api/assignments/{key}/draft/", {"draft": {"written": "Pip"}}),
        choose(lena, asked),
        write(lena, key, "   "),
        lena.api.post(f"/api/assignments/{key}/skip/", {"token": token, "reason": "unclear"}),
        lena.api.post(f"/api/assignments/{key}/resume/"),
        lena.api.get("/api/projects/tales/answers/"),
    ]
    assert [reveals(answer) for answer in answers] == [False] * len(answers)
    assert (asked["write_first"], asked["responses"]) == (True, [])


def test_they_come_once_it_is_stored(lena: Person, asked: dict[str, Any]) -> None:
    answer = write(lena, asked["key"])
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["write_first"], len(shown["responses"])) == (False, 2)
    assert shown["token"] == asked["token"]
    made = Demonstration.objects.get()
    assert (made.how, made.text, made.seconds) == ("written", TALE, 90)
    assert (made.author, made.assignment.key) == (lena.user, asked["key"])
    assert lena.api.get(f"/api/assignments/{asked['key']}/").json()["responses"]
    assert choose(lena, shown).status_code == 201


def test_nobody_chooses_between_responses_that_they_have_not_seen(
    lena: Person, asked: dict[str, Any]
) -> None:
    answer = choose(lena, asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "write_first")
    assert not Preference.objects.exists()


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000\u200a", None, 7 * [1], "a\u0000", "\ud83d"])
def test_a_blank_draft_opens_nothing(lena: Person, asked: dict[str, Any], text: object) -> None:
    answer = write(lena, asked["key"], text)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "text")
    assert not Demonstration.objects.exists()


def test_the_first_text_stands(lena: Person, asked: dict[str, Any]) -> None:
    write(lena, asked["key"])
    again = write(lena, asked["key"], "What I saw, in other words")
    assert (again.status_code, len(again.json()["responses"])) == (200, 2)
    assert Demonstration.objects.get().text == TALE


def test_where_nothing_is_withheld_nothing_is_taken(project: Project, lena: Person) -> None:
    served = lena.api.post(PATH, {"want": 1}).json()["assignments"][0]
    assert served["write_first"] is False
    answer = write(lena, served["key"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_asked")
    assert not Demonstration.objects.exists()


def test_only_the_holder_writes(
    lena: Person, luis: Person, asked: dict[str, Any], anyone: APIClient
) -> None:
    assert write(luis, asked["key"]).status_code == 404
    assert write(Person(None, anyone), asked["key"]).status_code == 401  # type: ignore[arg-type]


def test_an_undone_answer_is_not_written_for_again(lena: Person, asked: dict[str, Any]) -> None:
    choose(lena, write(lena, asked["key"]).json())
    undo = {"idempotency_key": str(uuid.uuid4())}
    again = lena.api.post(f"/api/assignments/{asked['key']}/retract/", undo).json()["assignment"]
    assert (again["write_first"], len(again["responses"])) == (False, 2)


def test_all_are_asked_alike_whatever_the_kind(project: Project, lena: Person) -> None:
    Project.objects.update(write_first_share=1)
    for place, kind in enumerate(["ask", "gold", "arena", "suspect"]):
        comparison = project.comparisons.order_by("pk")[place]
        type(comparison).objects.filter(pk=comparison.pk).update(kind=kind)
    for _ in range(4):
        for served in lena.api.post(PATH, {"want": 1}).json()["assignments"]:
            assert served["write_first"]
            choose(lena, write(lena, served["key"]).json())
    assert Assignment.objects.filter(state="answered").count() >= 3
