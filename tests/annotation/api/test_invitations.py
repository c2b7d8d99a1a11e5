"""Invitation links: role, expiry, seats, and who may make them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from annotation.models import Event, Invitation, Membership, Project
from annotation.models.projects import Role
from tests.cast import PASSWORD, Person, member, person

LINKS = "/api/projects/tales/invitations/"


def link_by(maya: Person, **said) -> tuple[dict, str]:
    """The invitation's row and the address that its link's page calls."""
    made = maya.api.post(LINKS, said)
    assert made.status_code == 201, made.json()
    key = made.json()["link"].removeprefix("http://testserver/join/")
    return made.json(), f"/api/invitations/{key}/"


def newcomer(name: str) -> dict[str, str]:
    return {"username": name, "password": PASSWORD, "name": name.title()}


def test_a_stranger_makes_an_account_joins_and_is_signed_in(
    maya: Person, anyone: APIClient
) -> None:
    row, address = link_by(maya, role="reviewer", seats=2, days=3)
    seen = anyone.get(address).json()
    assert seen["project"] == {"slug": "tales", "name": "Tales"}
    assert (seen["role"], seen["seats_left"]) == ("reviewer", 2)
    joined = anyone.post(address, newcomer("nora"))
    assert joined.status_code == 201
    assert joined.json() == {"slug": "tales"}
    assert anyone.get("/api/session/").json()["user"]["name"] == "Nora"
    assert Membership.objects.get(user__username="nora").role == Role.REVIEWER
    assert anyone.get(address).json()["seats_left"] == 1
    told = Event.objects.get(verb="joined")
    assert told.after == {"role": "reviewer", "invitation": row["id"]}


def test_who_is_signed_in_joins_with_the_account_they_have(
    maya: Person, otto: Person, project: Project
) -> None:
    _, address = link_by(maya)
    assert otto.api.post(address, {}).json() == {"slug": "tales"}
    assert Membership.objects.get(user=otto.user).role == Role.LABELER
    assert User.objects.count() == 2


def test_a_member_takes_no_seat_unless_the_role_is_higher(maya: Person, lena: Person) -> None:
    _, same = link_by(maya, role="labeler")
    assert lena.api.post(same, {}).status_code == 200
    assert lena.api.get(same).json()["seats_left"] == 1
    _, higher = link_by(maya, role="reviewer")
    assert lena.api.post(higher, {}).status_code == 200
    assert lena.api.get(higher).status_code == 404, "its one seat is taken"
    assert Membership.objects.get(user=lena.user).role == Role.REVIEWER
    assert maya.api.post(link_by(maya, role="labeler")[1], {}).status_code == 200
    assert Membership.objects.get(user=maya.user).role == Role.MANAGER


@pytest.mark.parametrize("why", ["used up", "expired", "revoked", "never made"])
def test_a_link_that_no_longer_works_is_404_whatever_the_reason(
    why: str, maya: Person, anyone: APIClient, otto: Person
) -> None:
    row, address = link_by(maya)
    if why == "used up":
        Invitation.objects.update(used=1)
    elif why == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif why == "revoked":
        assert maya.api.delete(f"{LINKS}{row['id']}/").status_code == 204
    else:
        address = "/api/invitations/made-up/"
    assert anyone.get(address).status_code == 404
    assert anyone.post(address, newcomer("nora")).status_code == 404
    assert otto.api.post(address, {}).status_code == 404
    assert not User.objects.filter(username="nora").exists()
    assert Membership.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"username": "MAYA"}, "username"),
        ({"username": "no spaces"}, "username"),
        ({"username": ""}, "username"),
        ({"password": "short"}, "password"),
        ({"email": "not an address"}, "email"),
    ],
)
def test_a_wrong_field_keeps_the_seat_free(
    wrong: dict, field: str, maya: Person, anyone: APIClient
) -> None:
    _, address = link_by(maya)
    refused = anyone.post(address, newcomer("nora") | wrong)
    assert refused.status_code == 400
    assert refused.json()["error"]["field"] == field
    assert anyone.get(address).json()["seats_left"] == 1
    assert User.objects.count() == 1


def test_making_an_account_takes_a_csrf_token(maya: Person) -> None:
    _, address = link_by(maya)
    browser = APIClient(enforce_csrf_checks=True)
    assert browser.post(address, newcomer("nora"), format="json").status_code == 403


def test_only_the_hash_of_a_link_is_stored_and_listed(maya: Person) -> None:
    row, address = link_by(maya, seats=3)
    key = address.split("/")[-2]
    assert len(key) == 32
    assert key not in str(list(Invitation.objects.values_list()))
    [listed] = maya.api.get(LINKS).json()["results"]
    assert key not in str(listed)
    assert (listed["id"], listed["seats"], listed["used"]) == (row["id"], 3, 0)
    assert listed["created_by"] == "maya"


@pytest.mark.parametrize("wrong", [{"seats": 0}, {"days": 0}, {"days": 91}, {"role": "owner"}])
def test_an_invitation_within_reason_only(wrong: dict, maya: Person) -> None:
    refused = maya.api.post(LINKS, wrong)
    assert refused.status_code == 400
    assert refused.json()["error"]["field"] == next(iter(wrong))


def test_a_manager_cannot_revoke_another_projects_invitation(maya: Person, otto: Person) -> None:
    row, _ = link_by(maya)
    verse = Project.objects.create(slug="verse", name="Verse")
    Membership.objects.create(user=otto.user, project=verse, role=Role.MANAGER)
    refused = otto.api.delete(f"/api/projects/verse/invitations/{row['id']}/")
    assert refused.status_code == 404


@pytest.mark.django_db(transaction=True)
def test_twenty_people_at_once_at_three_seats_become_three_members() -> None:
    tales = Project.objects.create(slug="tales", name="Tales", state=Project.State.OPEN)
    _, address = link_by(member("maya", tales, Role.MANAGER), seats=3)
    people = [person(f"p{number}") for number in range(20)]

    def join(someone: Person) -> int:
        try:
            return someone.api.post(address, {}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(join, people))
    assert codes == [200] * 3 + [404] * 17
    assert tales.memberships.filter(role=Role.LABELER).count() == 3
    assert Invitation.objects.get().used == 3


@pytest.mark.django_db(transaction=True)
def test_one_person_clicking_twice_takes_one_seat() -> None:
    tales = Project.objects.create(slug="tales", name="Tales", state=Project.State.OPEN)
    _, address = link_by(member("maya", tales, Role.MANAGER), seats=3)
    someone = person("p")

    def join(_: int) -> int:
        try:
            api = APIClient()
            api.force_login(someone.user)
            return api.post(address, {}, format="json").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(join, range(4))) == [200] * 4
    assert Invitation.objects.get().used == 1
