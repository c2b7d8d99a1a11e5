"""Invitations: a link that lets some people join a project with a role until it expires."""

import secrets
from datetime import timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404
from django.utils import timezone

from annotation.access import Visitor, has_role
from annotation.events import record
from annotation.models import Invitation, Membership, Project
from annotation.models.projects import Role


@transaction.atomic
def invite(
    *, project: Project, actor: Visitor | None, role: str, seats: int, days: int
) -> tuple[Invitation, str]:
    """The invitation and the path of its link, which cannot be found out again: only the hash of
    its key is stored. The actor is None for a command."""
    key = secrets.token_urlsafe(24)
    invitation = Invitation.objects.create(
        project=project,
        key_sha256=hash_of(key),
        role=role,
        seats=seats,
        expires_at=timezone.now() + timedelta(days=days),
        created_by_id=actor.pk if actor else None,
    )
    record(
        project=project,
        actor=actor,
        verb="invited",
        subject=f"invitation {invitation.pk}",
        after={"role": role, "seats": seats, "days": days},
    )
    return invitation, f"/join/{key}"


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, actor: Visitor) -> None:
    """Nobody joins by it from now on; those who have stay."""
    invitation.revoked = True
    invitation.save(update_fields=["revoked"])
    record(
        project=invitation.project,
        actor=actor,
        verb="revoked",
        subject=f"invitation {invitation.pk}",
    )


def usable_invitations() -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        revoked=False, expires_at__gt=timezone.now(), used__lt=F("seats")
    )


def usable_invitation(key: str) -> Invitation:
    """Raises Http404 alike for one used up, expired, revoked, or never made."""
    invitation = (
        usable_invitations().select_related("project").filter(key_sha256=hash_of(key)).first()
    )
    if invitation is None:
        raise Http404
    return invitation


@transaction.atomic
def join_project(*, key: str, user: Visitor) -> Membership:
    """Take a seat; a member who gains nothing by it takes none.

    The seat is taken by a conditional update, so that a hundred people at one link with ten seats
    become ten members.
    """
    assert user.is_authenticated
    invitation = usable_invitation(key)
    membership, new = Membership.objects.get_or_create(
        user_id=user.pk, project=invitation.project, defaults={"role": invitation.role}
    )
    if not new and has_role(membership, invitation.role):
        return membership
    if not usable_invitations().filter(pk=invitation.pk).update(used=F("used") + 1):
        raise Http404
    before = None if new else membership.role
    membership.role = Role(invitation.role)
    membership.save(update_fields=["role"])
    record(
        project=invitation.project,
        actor=user,
        verb="joined",
        subject=f"member {user.get_username()}",
        before={"role": before} if before else None,
        after={"role": membership.role, "invitation": invitation.pk},
    )
    return membership


def hash_of(key: str) -> str:
    return sha256(key.encode()).hexdigest()
