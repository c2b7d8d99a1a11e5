"""POST assignments/<key>/preference/: the only way in for an answer."""

import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.models import Assignment, Preference, Project
from tests.annotation import desk
from tests.cast import Person

PATH = "/api/projects/tales/assignments/"


def lease(who: Person) -> dict[str, Any]:
    return who.api.post(PATH, {"want": 1}).json()["assignments"][0]


def body(served: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {
        "token": served["token"],
        "idempotency_key": str(uuid.uuid4()),
        "outcome": "prefer",
        "tiers": [[0], [1]],
        "strength": 1,
        **said,
    }


def send(who: Person, served: dict[str, Any], said: dict[str, Any]):
    path = f"/api/assignments/{served['key']}/preference/"
    # As ASCII: the client's own encoder refuses half a surrogate pair, which a browser can send.
    return who.api.post(path, json.dumps(said), content_type="application/json")


def test_an_answer_is_acknowledged_with_its_receipt(project: Project, lena: Person) -> None:
    served = lease(lena)
    answer = send(lena, served, body(served))
    assert answer.status_code == 201
    assert answer.json() == {
        "key": served["key"], "counted": True, "revision": 1,
        "progress": {"labels": 1, "freeze_after": 200, "mine_today": 1, "mine": 1},
    }  # fmt: skip


def test_what_was_shown_left_is_stored_as_what_was_preferred(
    project: Project, lena: Person
) -> None:
    served = lease(lena)
    send(lena, served, body(served))
    row = Preference.objects.get()
    left = served["responses"][0]["messages"]
    [[winner], [_]] = row.tiers
    assert row.comparison.responses.get(pk=winner).messages == left


def test_the_same_again_is_200_and_changes_nothing(project: Project, lena: Person) -> None:
    served = lease(lena)
    said = body(served)
    first, again = send(lena, served, said), send(lena, served, said)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Preference.objects.count() == 1


def test_something_else_under_the_key_is_409(project: Project, lena: Person) -> None:
    served = lease(lena)
    said = body(served)
    send(lena, served, said)
    answer = send(lena, served, said | {"outcome": "tie", "tiers": [[0, 1]], "strength": None})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "idempotency_conflict"


def test_a_later_answer_is_a_revision(project: Project, lena: Person) -> None:
    served = lease(lena)
    send(lena, served, body(served))
    answer = send(lena, served, body(served, tiers=[[1], [0]], strength=3))
    assert (answer.status_code, answer.json()["revision"]) == (201, 2)
    assert answer.json()["progress"]["mine"] == 1


def test_a_late_answer_is_kept_and_said_not_to_count(
    project: Project, lena: Person, luis: Person
) -> None:
    served = lease(lena)
    desk.let_expire(Assignment.objects.all())
    for _ in range(4):
        luis.answer(project)
    answer = send(lena, served, body(served, rationale="An hour of writing"))
    assert (answer.status_code, answer.json()["counted"]) == (201, False)
    assert Preference.objects.get(labeler=lena.user).rationale == "An hour of writing"


def test_nobody_answers_for_somebody_else(
    project: Project, lena: Person, luis: Person, maya: Person, otto: Person, anyone
) -> None:
    served = lease(lena)
    assert {send(who, served, body(served)).status_code for who in (luis, maya, otto)} == {404}
    assert send(Person(None, anyone), served, body(served)).status_code == 401
    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"outcome": "better"}, "outcome"),
        ({"outcome": "all_good", "tiers": [[0, 1]]}, "outcome"),
        ({"tiers": [[0]]}, "tiers"),
        ({"tiers": "left"}, "tiers"),
        ({"tiers": [[0], [-1]]}, "tiers.1.0"),
        ({"strength": 4}, "strength"),
        ({"strength": None}, "strength"),
        ({"flags": {"0": ["rude"]}}, "flags"),
        ({"ratings": {"0": {"wit": 2}}}, "ratings"),
        ({"rationale": "x" * 20_001}, "rationale"),
        ({"rationale": "a\u0000b"}, "rationale"),
        ({"rationale": "\ud83d"}, "rationale"),
        ({"active_ms": -1}, "active_ms"),
        ({"active_ms": 2**31}, "active_ms"),
        ({"guidelines_version": 9}, "guidelines_version"),
        ({"guidelines_version": 10**30}, "guidelines_version"),
        ({"idempotency_key": "again"}, "idempotency_key"),
        ({"token": None}, "token"),
    ],
)
def test_what_does_not_fit_is_named(
    project: Project, lena: Person, change: dict[str, Any], field: str
) -> None:
    served = lease(lena)
    answer = send(lena, served, body(served, **change))
    assert answer.status_code == 400, answer.content
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == ("invalid", field)
    assert error["message"]
    assert not Preference.objects.exists()


def test_text_of_every_script_is_kept_as_it_was_written(project: Project, lena: Person) -> None:
    written = "  naïve 🦊👩‍👩‍👧 e\u0301 \u202eרק\u202c\tend\r\n"
    served = lease(lena)
    assert send(lena, served, body(served, rationale=written)).status_code == 201
    assert Preference.objects.get().rationale == written


def test_the_cost_does_not_grow_with_what_was_answered(project: Project, lena: Person) -> None:
    def queries() -> int:
        served = lease(lena)
        with CaptureQueriesContext(connection) as captured:
            assert send(lena, served, body(served)).status_code == 201
        return len(captured)

    first = queries()
    assert queries() == queries() == first <= 18


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = ["outcome", "tiers", "strength", "flags", "ratings", "rationale", "active_ms", "token",
          "guidelines_version", "idempotency_key", "spans", "extra"]  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(change=st.dictionaries(st.sampled_from(FIELDS), anything, max_size=3))
def test_whatever_is_sent_is_stored_or_refused_with_a_sentence(
    project: Project, lena: Person, change: dict[str, Any]
) -> None:
    if not Assignment.objects.exists():
        lease(lena)
    held = {"key": (row := Assignment.objects.get()).key, "token": str(row.token)}
    answer = send(lena, held, body(held) | change)
    assert answer.status_code in (200, 201, 400, 409), answer.content
    if answer.status_code >= 400:
        assert answer.json()["error"]["message"]
