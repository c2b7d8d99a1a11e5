"""POST assignments/<key>/skip/: with a reason, and nothing that was written is lost."""

import pytest

from annotation import queue
from annotation.api.label import SKIP_REASONS
from annotation.models import Assignment, Membership, Preference, Project
from tests.annotation import desk
from tests.cast import Person


@pytest.fixture
def held(project: Project, lena: Person) -> Assignment:
    return desk.leased(Membership.objects.get(user=lena.user))


def skip(who: Person, held: Assignment, **body):
    body = {"token": str(held.token), "reason": "unclear"} | body
    return who.api.post(f"/api/assignments/{held.key}/skip/", body)


@pytest.mark.parametrize("reason", SKIP_REASONS)
def test_it_takes_a_reason_and_a_note(lena: Person, held: Assignment, reason: str) -> None:
    assert skip(lena, held, reason=reason, note="Why not.").status_code == 204
    held.refresh_from_db()
    assert (held.state, held.skip_reason, held.skip_note) == ("skipped", reason, "Why not.")


@pytest.mark.parametrize("body", [{"reason": ""}, {"reason": "bored"}, {"reason": None}])
def test_it_never_goes_without_one(lena: Person, held: Assignment, body: dict) -> None:
    assert skip(lena, held, **body).json()["error"]["field"] == "reason"
    held.refresh_from_db()
    assert held.state == "leased"


def test_an_accidental_skip_loses_no_text_and_can_still_be_answered(
    project: Project, lena: Person, held: Assignment
) -> None:
    hour = {"rationale": "An hour of writing"}
    lena.api.put(f"/api/assignments/{held.key}/draft/", {"draft": hour})
    skip(lena, held)
    again = lena.api.get(f"/api/assignments/{held.key}/").json()
    assert again["draft"] == hour
    said = {
        "token": again["token"], "idempotency_key": "6b9b6f1a-9a1f-4f57-8a3a-0c4c5a3b8d11",
        "outcome": "tie", "tiers": [[0, 1]], **hour,
    }  # fmt: skip
    answer = lena.api.post(f"/api/assignments/{held.key}/preference/", said)
    assert (answer.status_code, answer.json()["counted"]) == (201, True)
    assert Preference.objects.get().rationale == hour["rationale"]


def test_it_can_be_sent_again(lena: Person, held: Assignment) -> None:
    assert [skip(lena, held).status_code for _ in range(2)] == [204, 204]


def test_it_holds_after_the_lease_was_lost(lena: Person, held: Assignment) -> None:
    desk.let_expire([held])
    queue.expire()
    assert skip(lena, held, reason="offensive").status_code == 204
    held.refresh_from_db()
    assert held.state == "skipped"


def test_it_does_not_undo_an_answer(lena: Person, held: Assignment) -> None:
    desk.submit(held)
    answer = skip(lena, held)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "lease_lost")


def test_only_the_holder_skips(luis: Person, held: Assignment, anyone) -> None:
    assert skip(luis, held).status_code == 404
    assert skip(Person(None, anyone), held).status_code == 401
