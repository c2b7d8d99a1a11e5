"""Members: their roles and labels, and that a project is never left without a manager."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from annotation.models import Event, Membership, Preference, Project
from annotation.models.projects import Role
from tests.cast import Person, member

MEMBERS = "/api/projects/tales/members/"


def row_of(someone: Person) -> str:
    return f"{MEMBERS}{Membership.objects.get(user=someone.user).pk}/"


def test_the_list_says_who_labelled_how_much(
    project: Project, maya: Person, lena: Person, luis: Person
) -> None:
    lena.answer(project)
    lena.answer(project)
    rows = maya.api.get(MEMBERS).json()["results"]
    assert [(r["username"], r["role"], r["labels"]) for r in rows] == [
        ("lena", "labeler", 2),
        ("luis", "labeler", 0),
        ("maya", "manager", 0),
    ]


def test_a_role_is_changed_and_remembered(maya: Person, lena: Person) -> None:
    changed = maya.api.patch(row_of(lena), {"role": "reviewer"})
    assert changed.json() == {"role": "reviewer"}
    assert lena.api.get("/api/projects/tales/prompts/").status_code == 200
    told = Event.objects.get(verb="changed role")
    assert (told.subject, told.before, told.after) == (
        "member lena",
        {"role": "labeler"},
        {"role": "reviewer"},
    )
    assert maya.api.patch(row_of(lena), {"role": "owner"}).status_code == 400


def test_who_is_removed_is_an_outsider_and_their_answers_stay(
    project: Project, maya: Person, lena: Person
) -> None:
    lena.answer(project)
    assert maya.api.delete(row_of(lena)).status_code == 204
    assert lena.api.get("/api/projects/tales/").status_code == 404
    assert Preference.objects.get().labeler == lena.user


def test_the_last_manager_stays(maya: Person, rita: Person) -> None:
    for refused in (
        maya.api.patch(row_of(maya), {"role": "labeler"}),
        maya.api.delete(row_of(maya)),
    ):
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "last_manager"
    maya.api.patch(row_of(rita), {"role": "manager"})
    assert rita.api.delete(row_of(maya)).status_code == 204


def test_a_member_of_another_project_is_out_of_reach(
    project: Project, maya: Person, lena: Person
) -> None:
    verse = Project.objects.create(slug="verse", name="Verse")
    stranger = member("vera", verse, Role.LABELER)
    assert maya.api.delete(row_of(stranger)).status_code == 404
    assert maya.api.post(f"{row_of(stranger)}reset/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_managers_who_remove_each_other_at_once_leave_one() -> None:
    tales = Project.objects.create(slug="tales", name="Tales")
    one, two = member("one", tales, Role.MANAGER), member("two", tales, Role.MANAGER)
    rows = {one.user.pk: row_of(two), two.user.pk: row_of(one)}

    def remove(someone: Person) -> int:
        try:
            return someone.api.delete(rows[someone.user.pk]).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        codes = sorted(pool.map(remove, [one, two]))
    assert codes[0] == 204
    assert codes[1] in (404, 409)
    assert tales.memberships.count() == 1
