"""POST assignments/<key>/resume/: a skip is taken back, with all that was written."""

import pytest
from rest_framework.test import APIClient

from annotation.models import Assignment, Comparison, Membership, Project
from tests.annotation import desk
from tests.cast import Person

HOUR = {"rationale": "An hour of writing", "rewrites": {"0": {"text": "And more", "active_ms": 9}}}


@pytest.fixture
def skipped(project: Project, lena: Person) -> Assignment:
    held = desk.leased(Membership.objects.get(user=lena.user))
    lena.api.put(f"/api/assignments/{held.key}/draft/", {"draft": HOUR})
    body = {"token": str(held.token), "reason": "unclear", "note": "A slip."}
    assert lena.api.post(f"/api/assignments/{held.key}/skip/", body).status_code == 204
    return held


def resume(api: APIClient, held: Assignment):
    return api.post(f"/api/assignments/{held.key}/resume/")


def counters(held: Assignment) -> tuple[int, int]:
    comparison = Comparison.objects.get(pk=held.comparison_id)
    return comparison.done, comparison.leased


def test_it_is_held_again_with_its_draft(
    project: Project, lena: Person, skipped: Assignment
) -> None:
    again = resume(lena.api, skipped)
    assert (again.status_code, again.json()["draft"]) == (200, HOUR)
    assert counters(skipped) == (0, 1)
    skipped.refresh_from_db()
    assert (skipped.state, skipped.skip_reason, skipped.skip_note) == ("leased", "", "")
    [first, *_] = lena.api.post("/api/projects/tales/assignments/", {"want": 3}).json()[
        "assignments"
    ]
    assert (first["key"], first["draft"]) == (skipped.key, HOUR), "and comes first after a reload"


def test_once_more_changes_nothing(lena: Person, skipped: Assignment) -> None:
    first, again = resume(lena.api, skipped).json(), resume(lena.api, skipped).json()
    assert first == again
    assert counters(skipped) == (0, 1)


def test_what_others_have_taken_is_not_asked_of_one_too_many(
    lena: Person, luis: Person, skipped: Assignment, project: Project
) -> None:
    for _ in range(4):
        luis.answer(project)
    refused = resume(lena.api, skipped)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "lease_lost")
    assert counters(skipped) == (1, 0)
    assert lena.api.get(f"/api/assignments/{skipped.key}/").json()["draft"] == HOUR


def test_an_answer_is_no_skip(lena: Person, skipped: Assignment) -> None:
    desk.submit(skipped)
    assert resume(lena.api, skipped).status_code == 409
    assert counters(skipped) == (1, 0)


def test_only_who_skipped_resumes(luis: Person, skipped: Assignment, anyone: APIClient) -> None:
    assert resume(luis.api, skipped).status_code == 404
    assert resume(anyone, skipped).status_code == 401
