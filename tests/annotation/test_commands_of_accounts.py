"""bin/manage invite, reset_link and create_manager print links that work."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from annotation.models import Event, Membership, Project
from tests.cast import PASSWORD, Person


def printed(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue().strip()


def set_password_by(link: str, api: APIClient) -> int:
    uid, token = link.split("/")[-2:]
    body = {"uid": uid, "token": token, "new_password": "seven quiet herons"}
    return api.post("/api/session/reset/confirm/", body).status_code


def test_invite_prints_a_link_that_seats_as_many_as_it_says(
    project: Project, anyone: APIClient
) -> None:
    link = printed("invite", "tales", "--role", "reviewer", "--seats", "2")
    key = link.removeprefix("http://localhost:8000/join/")
    seen = anyone.get(f"/api/invitations/{key}/").json()
    assert (seen["role"], seen["seats_left"]) == ("reviewer", 2)
    anyone.post(f"/api/invitations/{key}/", {"username": "nora", "password": PASSWORD})
    assert Membership.objects.get(user__username="nora").role == "reviewer"
    assert Event.objects.get(verb="invited").actor is None


def test_invite_names_the_projects_there_are_when_it_knows_none_of_that_name(
    project: Project,
) -> None:
    with pytest.raises(CommandError, match="there are: tales"):
        printed("invite", "tails")
    with pytest.raises(CommandError, match="1 or more"):
        printed("invite", "tales", "--seats", "0")


def test_a_reset_link_sets_a_password_once(lena: Person, anyone: APIClient) -> None:
    link = printed("reset_link", "lena")
    assert set_password_by(link, anyone) == 204
    assert User.objects.get(username="lena").check_password("seven quiet herons")
    assert set_password_by(link, anyone) == 400


def test_a_reset_link_for_nobody_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="no active account 'ghost'"):
        printed("reset_link", "ghost")


def test_the_first_manager_chooses_a_password_and_creates_a_project(anyone: APIClient) -> None:
    link = printed("create_manager", "mona")
    assert set_password_by(link, anyone) == 204
    signed_in = {"username": "mona", "password": "seven quiet herons"}
    assert anyone.post("/api/session/", signed_in).json()["user"]["can_create_projects"] is True
    assert anyone.post("/api/projects/", {"name": "First"}).status_code == 201
    assert not User.objects.get(username="mona").is_superuser


def test_a_manager_of_the_admin_is_made_only_when_asked_and_only_once(db: None) -> None:
    printed("create_manager", "root", "--admin")
    assert User.objects.get(username="root").is_superuser
    with pytest.raises(CommandError, match="taken"):
        printed("create_manager", "ROOT")
