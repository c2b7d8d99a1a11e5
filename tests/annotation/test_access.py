"""The one access door: outsiders learn nothing, members what their role allows."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, PermissionDenied

from annotation.access import assignment_for, has_role, member_of, project_for
from annotation.models import Assignment, Membership, Project
from annotation.models.projects import Role
from tests.cast import Person


@pytest.mark.parametrize(
    ("name", "role", "enough"),
    [
        ("lena", Role.LABELER, True),
        ("lena", Role.REVIEWER, False),
        ("lena", Role.MANAGER, False),
        ("rita", Role.LABELER, True),
        ("rita", Role.REVIEWER, True),
        ("rita", Role.MANAGER, False),
        ("maya", Role.LABELER, True),
        ("maya", Role.REVIEWER, True),
        ("maya", Role.MANAGER, True),
    ],
)
def test_a_role_holds_all_that_the_lower_ones_hold(
    name: str, role: str, enough: bool, project: Project, request: pytest.FixtureRequest
) -> None:
    person: Person = request.getfixturevalue(name)
    if enough:
        assert project_for(person.user, "tales", role) == project
        assert member_of(person.user, project, role).user == person.user
    else:
        with pytest.raises(PermissionDenied, match=f"takes a {role}"):
            project_for(person.user, "tales", role)
        with pytest.raises(PermissionDenied):
            member_of(person.user, project, role)


def test_a_project_comes_with_the_membership_of_the_one_who_asked(
    maya: Person, lena: Person
) -> None:
    assert project_for(maya.user, "tales").membership.role == Role.MANAGER
    assert has_role(project_for(maya.user, "tales").membership, Role.REVIEWER)
    assert project_for(lena.user, "tales").membership.user == lena.user


def test_an_outsider_cannot_tell_a_project_from_nothing(project: Project, otto: Person) -> None:
    with pytest.raises(Http404) as hidden:
        project_for(otto.user, "tales")
    with pytest.raises(Http404) as absent:
        project_for(otto.user, "no-such-project")
    assert str(hidden.value) == str(absent.value)
    with pytest.raises(Http404):
        member_of(otto.user, project)


def test_a_superuser_is_no_member_by_magic(project: Project, otto: Person) -> None:
    otto.user.is_superuser = otto.user.is_staff = True
    otto.user.save()
    with pytest.raises(Http404):
        project_for(otto.user, "tales")


def test_signed_out_is_told_so_before_anything_is_looked_up(project: Project) -> None:
    for slug in ("tales", "no-such-project"):
        with pytest.raises(NotAuthenticated):
            project_for(AnonymousUser(), slug)
    with pytest.raises(NotAuthenticated):
        assignment_for(AnonymousUser(), "any")


def test_an_assignment_is_its_labelers_alone(
    project: Project, lena: Person, luis: Person, maya: Person
) -> None:
    key = lena.answer(project)["key"]
    assert assignment_for(lena.user, key) == Assignment.objects.get(key=key)
    for somebody_else in (luis, maya):
        with pytest.raises(Http404):
            assignment_for(somebody_else.user, key)


def test_who_left_the_project_loses_their_assignments_too(project: Project, lena: Person) -> None:
    key = lena.answer(project)["key"]
    Membership.objects.get(user=lena.user).delete()
    with pytest.raises(Http404):
        assignment_for(lena.user, key)
