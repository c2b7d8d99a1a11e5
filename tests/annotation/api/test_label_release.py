"""POST assignments/<key>/release/: leaving gives back what was held."""

import uuid

from annotation.models import Assignment, Comparison, Membership, Project
from tests.annotation import desk
from tests.cast import Person


def test_the_slot_goes_to_others_at_once_and_the_draft_stays(
    project: Project, lena: Person, luis: Person
) -> None:
    held = desk.leased(Membership.objects.get(user=lena.user))
    Assignment.objects.update(draft={"rationale": "Half a thought"})
    path = f"/api/assignments/{held.key}/release/"
    for _ in range(2):
        assert lena.api.post(path, {"token": str(held.token)}).status_code == 204
    held.refresh_from_db()
    assert (held.state, held.draft) == ("released", {"rationale": "Half a thought"})
    assert Comparison.objects.get(pk=held.comparison_id).leased == 0


def test_an_old_token_releases_nothing(project: Project, lena: Person) -> None:
    held = desk.leased(Membership.objects.get(user=lena.user))
    path = f"/api/assignments/{held.key}/release/"
    assert lena.api.post(path, {"token": str(uuid.uuid4())}).status_code == 204
    held.refresh_from_db()
    assert held.state == "leased"


def test_only_the_holder_releases(project: Project, lena: Person, luis: Person, anyone) -> None:
    held = desk.leased(Membership.objects.get(user=lena.user))
    path, body = f"/api/assignments/{held.key}/release/", {"token": str(held.token)}
    assert luis.api.post(path, body).status_code == 404
    assert anyone.post(path, body).status_code == 401
