"""POST assignments/<key>/renew/: the heartbeat of a labeler who looks at a comparison."""

import uuid
from datetime import datetime

from annotation import queue
from annotation.models import Assignment, Membership, Project
from tests.annotation import desk
from tests.cast import Person


def held_by(who: Person, project: Project) -> Assignment:
    return desk.leased(Membership.objects.get(user=who.user, project=project))


def renew(who: Person, held: Assignment, **body):
    body = {"token": str(held.token)} | body
    return who.api.post(f"/api/assignments/{held.key}/renew/", body)


def test_it_extends_the_lease_and_notes_that_it_is_shown(project: Project, lena: Person) -> None:
    held = held_by(lena, project)
    desk.let_expire([held])
    answer = renew(lena, held, shown=True)
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "expires_at"}
    assert answer.json()["token"] == str(held.token)
    renewed = Assignment.objects.get()
    assert renewed.expires_at == datetime.fromisoformat(answer.json()["expires_at"])
    assert renewed.shown_at is not None


def test_what_is_only_prefetched_stays_unshown(project: Project, lena: Person) -> None:
    assert renew(lena, held_by(lena, project), shown=False).status_code == 200
    assert Assignment.objects.get().shown_at is None


def test_the_first_look_is_kept(project: Project, lena: Person) -> None:
    held = held_by(lena, project)
    renew(lena, held)
    first = Assignment.objects.get().shown_at
    renew(lena, held)
    assert Assignment.objects.get().shown_at == first


def test_a_lease_that_somebody_else_took_is_lost(
    project: Project, lena: Person, luis: Person
) -> None:
    held = held_by(lena, project)
    desk.let_expire([held])
    queue.expire()
    answer = renew(lena, held)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "lease_lost")
    assert "kept" in answer.json()["error"]["message"]


def test_a_token_that_is_not_the_lease_s_is_refused(project: Project, lena: Person) -> None:
    held = held_by(lena, project)
    assert renew(lena, held, token=str(uuid.uuid4())).status_code == 409
    assert renew(lena, held, token="mine").status_code == 400


def test_only_the_holder_renews(project: Project, lena: Person, luis: Person, anyone) -> None:
    held = held_by(lena, project)
    assert renew(luis, held).status_code == 404
    assert renew(Person(None, anyone), held).status_code == 401
