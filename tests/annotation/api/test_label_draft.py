"""PUT assignments/<key>/draft/: what a labeler has entered so far, on the server too."""

import json

import pytest
from rest_framework.test import APIClient

from annotation.models import Assignment, Membership, Project
from tests.annotation import desk
from tests.cast import Person

WRITTEN = {"rationale": "The first keeps the owl. 🦉 \\u0000", "flags": {"0": []}, "ratings": {}}


@pytest.fixture
def held(project: Project, lena: Person) -> Assignment:
    return desk.leased(Membership.objects.get(user=lena.user))


def put(api: APIClient, held: Assignment, draft: object):
    body = json.dumps({"draft": draft})  # as ASCII, so that half a surrogate pair can be sent
    return api.put(f"/api/assignments/{held.key}/draft/", body, content_type="application/json")


def test_it_is_there_after_a_reload(project: Project, lena: Person, held: Assignment) -> None:
    assert put(lena.api, held, WRITTEN).status_code == 204
    [again] = lena.api.post("/api/projects/tales/assignments/", {"want": 1}).json()["assignments"]
    assert again["draft"] == WRITTEN


def test_the_last_one_stands(lena: Person, held: Assignment) -> None:
    put(lena.api, held, WRITTEN)
    put(lena.api, held, {"rationale": ""})
    held.refresh_from_db()
    assert held.draft == {"rationale": ""}


@pytest.mark.parametrize(
    "draft",
    [{"rationale": "x" * 200_001}, {"rationale": "a\u0000b"}, {"\ud800": 1}, "text", None, [1]],
    ids=["too long", "NUL", "half a pair", "no object", "null", "list"],
)
def test_what_cannot_be_kept_is_refused_and_the_last_one_stays(
    lena: Person, held: Assignment, draft: object
) -> None:
    put(lena.api, held, WRITTEN)
    answer = put(lena.api, held, draft)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["field"] == "draft"
    held.refresh_from_db()
    assert held.draft == WRITTEN


def test_an_answer_takes_its_place(lena: Person, held: Assignment) -> None:
    put(lena.api, held, WRITTEN)
    desk.submit(held)
    held.refresh_from_db()
    assert held.draft is None


def test_only_the_holder_writes(luis: Person, held: Assignment, anyone: APIClient) -> None:
    assert put(luis.api, held, WRITTEN).status_code == 404
    assert put(anyone, held, WRITTEN).status_code == 401
