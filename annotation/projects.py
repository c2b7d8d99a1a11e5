"""Everything that changes a project, its guidelines or its members."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.http import Http404
from django.utils import timezone
from django.utils.text import slugify

from annotation.access import Visitor
from annotation.events import record
from annotation.models import Acknowledgement, Guidelines, Membership, Project
from annotation.models.projects import Role
from annotation.refused import Refused

STATES_AFTER = {
    Project.State.DRAFT: [Project.State.OPEN],
    Project.State.OPEN: [Project.State.PAUSED, Project.State.CLOSED],
    Project.State.PAUSED: [Project.State.OPEN, Project.State.CLOSED],
    Project.State.CLOSED: [Project.State.OPEN],
}


@transaction.atomic
def create_project(*, actor: Visitor, name: str, guidelines: str = "", **settings: Any) -> Project:
    """A draft project whose manager is `actor`; its slug comes from its name, once and for all."""
    assert actor.is_authenticated
    for slug in slugs(name):
        project, created = Project.objects.get_or_create(
            slug=slug, defaults={"name": name, "created_by_id": actor.pk, **settings}
        )
        if created:
            break
    Membership.objects.create(user_id=actor.pk, project=project, role=Role.MANAGER)
    record(
        project=project,
        actor=actor,
        verb="created",
        subject=f"project {project.slug}",
        after={"name": name, **settings},
    )
    if guidelines.strip():
        write_guidelines(project=project, actor=actor, text=guidelines)
    return project


@transaction.atomic
def change_project(*, project: Project, actor: Visitor, **settings: Any) -> Project:
    """Set what differs; the rest stays.

    Raises:
        Refused: answers or prompts that exist would no longer fit.
    """
    project_now = Project.objects.select_for_update().get(pk=project.pk)
    changed = {k: v for k, v in settings.items() if getattr(project_now, k) != v}
    before = {k: getattr(project_now, k) for k in changed}
    refuse_what_no_longer_fits(project_now, changed)
    if "write_first_share" in changed:
        project_now.write_first_since = timezone.now()
    for field, value in changed.items():
        setattr(project_now, field, value)
    if changed:
        project_now.save(update_fields=[*changed, "write_first_since"])
        record(
            project=project_now,
            actor=actor,
            verb="changed",
            subject=f"project {project_now.slug}",
            before=before,
            after=changed,
        )
    return project_now


def refuse_what_no_longer_fits(project: Project, changed: dict[str, Any]) -> None:
    if "response_form" in changed and project.preferences.exists():
        raise Refused(
            "answered",
            f"response_form stays {project.response_form}: people have already answered in it, "
            "and their answers could not be read in another.",
            field="response_form",
            fix="Make a new project for the other form.",
            status_code=409,
        )
    if changed.get("talk_replies") and changed.get("modality", project.modality) != "chat":
        raise Refused(
            "not_a_chat",
            f"talk_replies stays 0: a talk has many turns, and {project.modality} takes one.",
            field="talk_replies",
            fix="Make a new project of modality chat.",
            status_code=409,
        )
    if {"modality", "heldout_share"} & changed.keys() and project.prompts.exists():
        field = "modality" if "modality" in changed else "heldout_share"
        raise Refused(
            "prompts_exist",
            f"{field} stays {getattr(project, field)}: the prompts that are here were checked and "
            "split by it, and a thread must never be on both sides.",
            field=field,
            fix="Make a new project, and set it before the first prompt.",
            status_code=409,
        )


@transaction.atomic
def change_state(*, project: Project, actor: Visitor, state: str) -> Project:
    """draft → open → paused → open → closed → open.

    Raises:
        Refused: the project is not in a state that `state` can follow.
    """
    before = Project.State(project.state)
    if state not in STATES_AFTER[before]:
        raise Refused(
            "wrong_state",
            f"The project is {before}; from there it can only become "
            f"{' or '.join(STATES_AFTER[before])}.",
            field="state",
            fix="Reload the page to see its state now.",
            status_code=409,
        )
    if not Project.objects.filter(pk=project.pk, state=before).update(state=state):
        raise Refused(
            "wrong_state",
            "Somebody else has just changed the project's state.",
            field="state",
            fix="Reload the page to see its state now.",
            status_code=409,
        )
    project.state = state
    record(
        project=project,
        actor=actor,
        verb="changed state",
        subject=f"project {project.slug}",
        before={"state": before},
        after={"state": state},
    )
    return project


@transaction.atomic
def write_guidelines(*, project: Project, actor: Visitor, text: str) -> Guidelines:
    """The next version; labelers are asked to read it before they go on."""
    Project.objects.select_for_update().get(pk=project.pk)
    last = project.guidelines.aggregate(last=Max("version"))["last"] or 0
    guidelines = Guidelines.objects.create(
        project=project, version=last + 1, text=text, author_id=actor.pk
    )
    record(
        project=project,
        actor=actor,
        verb="wrote",
        subject=f"guidelines {guidelines.version}",
        after={"version": guidelines.version},
    )
    return guidelines


def acknowledge_guidelines(*, project: Project, labeler: Visitor, version: int) -> None:
    """The labeler says that they have read this version; saying it twice changes nothing."""
    guidelines = project.guidelines.filter(version=version).first()
    if guidelines is None:
        raise Http404
    Acknowledgement.objects.get_or_create(guidelines=guidelines, labeler_id=labeler.pk)


@transaction.atomic
def change_role(*, membership: Membership, actor: Visitor, role: str) -> Membership:
    """Raises Refused where the project would be left without a manager."""
    before = membership.role
    if before == role:
        return membership
    refuse_to_lose_the_last_manager(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    record(
        project=membership.project,
        actor=actor,
        verb="changed role",
        subject=f"member {membership.user.get_username()}",
        before={"role": before},
        after={"role": role},
    )
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, actor: Visitor) -> None:
    """The person's answers stay; what they hold open comes back to the queue when it expires."""
    refuse_to_lose_the_last_manager(membership)
    record(
        project=membership.project,
        actor=actor,
        verb="removed",
        subject=f"member {membership.user.get_username()}",
        before={"role": membership.role},
    )
    membership.delete()


def refuse_to_lose_the_last_manager(membership: Membership) -> None:
    """Two managers who remove each other at once wait for each other at the locked rows."""
    managers = (
        Membership.objects.select_for_update()
        .filter(project=membership.project_id, role=Role.MANAGER)
        .order_by("pk")
    )
    if {manager.pk for manager in managers} == {membership.pk}:
        raise Refused(
            "last_manager",
            f"{membership.user.get_username()} is the only manager of this project.",
            field="role",
            fix="Make somebody else a manager first.",
            status_code=409,
        )


def slugs(name: str) -> Iterator[str]:
    """tiny-tales, tiny-tales-2, tiny-tales-3 …"""
    base = slugify(name)[:50].strip("-") or "project"
    yield base
    yield from (f"{base}-{number}" for number in count(2))
