"""The only way to fetch a row for a user.

An outsider cannot tell a project that exists from one that does not: both are 404. A member
whose role is too low gets 403. Rows below a project (runs, models, batches) are fetched by their
own key and then pass `member_of` with their project.
"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, PermissionDenied

from annotation.models import Assignment, Membership, Project
from annotation.models.projects import Role

RANK = {Role.LABELER: 0, Role.REVIEWER: 1, Role.MANAGER: 2}

Visitor = AbstractBaseUser | AnonymousUser
"""Whoever sends a request, signed in or not."""


def project_for(user: Visitor, slug: str, role: str = Role.LABELER) -> Project:
    """The project, with the user's row in it as `project.membership`.

    Raises:
        NotAuthenticated: nobody is signed in.
        Http404: no such project, or the user is not a member of it.
        PermissionDenied: a member, but with less than `role`.
    """
    membership = _membership(user, project__slug=slug)
    _require(membership, role)
    membership.project.membership = membership
    return membership.project


def member_of(user: Visitor, project: Project, role: str = Role.LABELER) -> Membership:
    """The user's row in a project that was reached from another row; raises as project_for."""
    membership = _membership(user, project=project)
    _require(membership, role)
    return membership


def assignment_for(user: Visitor, key: str) -> Assignment:
    """The user's own assignment; anybody else's is 404, a manager's eyes included."""
    assignment = _own(user, key, "comparison__project")
    assignment.comparison.project.membership = member_of(user, assignment.comparison.project)
    return assignment


def assignment_to_lock(user: Visitor, key: str) -> Assignment:
    """The same for what locks it, which finds out whether the user still is a member."""
    return _own(user, key, "comparison")


def has_role(membership: Membership, role: str) -> bool:
    return RANK[Role(membership.role)] >= RANK[Role(role)]


def _own(user: Visitor, key: str, beside: str) -> Assignment:
    if not user.is_authenticated:
        raise NotAuthenticated
    own = Assignment.objects.select_related(beside).filter(key=key, labeler_id=user.pk).first()
    if own is None:
        raise Http404
    return own


def _membership(user: Visitor, **which: object) -> Membership:
    if not user.is_authenticated:
        raise NotAuthenticated
    membership = (
        Membership.objects.select_related("project").filter(user_id=user.pk, **which).first()
    )
    if membership is None:
        raise Http404
    return membership


def _require(membership: Membership, role: str) -> None:
    if not has_role(membership, role):
        raise PermissionDenied(f"You are {membership.role} here; this takes a {Role(role)}.")
