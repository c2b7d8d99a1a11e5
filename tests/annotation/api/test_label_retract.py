"""POST assignments/<key>/retract/: undo."""

import uuid

from annotation.models import Preference, Project
from tests.cast import Person


def retract(who: Person, key: str, idempotency_key: str | None = None):
    body = {"idempotency_key": idempotency_key or str(uuid.uuid4())}
    return who.api.post(f"/api/assignments/{key}/retract/", body)


def test_the_comparison_comes_back_in_the_same_order_with_what_was_said(
    project: Project, lena: Person
) -> None:
    [before] = lena.api.post("/api/projects/tales/assignments/", {"want": 1}).json()["assignments"]
    key = lena.answer(project, tiers=[[1], [0]], rationale="Kinder.")["key"]
    answer = retract(lena, key)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["key"], body["counted"], body["revision"]) == (key, False, 2)
    assert (body["progress"]["labels"], body["progress"]["mine"]) == (0, 0)
    again = body["assignment"]
    assert (again["key"], again["responses"]) == (key, before["responses"])
    assert (again["draft"]["tiers"], again["draft"]["rationale"]) == ([[1], [0]], "Kinder.")
    assert again["answer"] is None


def test_it_can_be_answered_anew(project: Project, lena: Person) -> None:
    key = lena.answer(project)["key"]
    retract(lena, key)
    assert lena.answer(project, outcome="tie", tiers=[[0, 1]], strength=None) == {
        "key": key, "counted": True, "revision": 3,
        "progress": {"labels": 1, "freeze_after": 200, "mine_today": 1, "mine": 1},
    }  # fmt: skip


def test_the_same_again_is_200(project: Project, lena: Person) -> None:
    key, once = lena.answer(project)["key"], str(uuid.uuid4())
    assert [retract(lena, key, once).status_code for _ in range(2)] == [201, 200]
    assert Preference.objects.count() == 2


def test_there_must_be_an_answer(project: Project, lena: Person) -> None:
    key = lena.answer(project)["key"]
    retract(lena, key)
    answer = retract(lena, key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "nothing_to_retract")


def test_the_key_of_an_answer_is_no_key_for_an_undo(project: Project, lena: Person) -> None:
    once = str(uuid.uuid4())
    key = lena.answer(project, idempotency_key=once)["key"]
    answer = retract(lena, key, once)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_conflict")


def test_only_one_s_own_answers_can_be_undone(
    project: Project, lena: Person, luis: Person, maya: Person, anyone
) -> None:
    key = lena.answer(project)["key"]
    assert [retract(who, key).status_code for who in (luis, maya)] == [404, 404]
    assert retract(Person(None, anyone), key).status_code == 401
