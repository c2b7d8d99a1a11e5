"""Ideal answers that people write: before they see any response, or as a rewrite of one."""

from collections.abc import Iterable

from django.db import transaction

from annotation.asking import sha256_of, share_of
from annotation.forms import Answer
from annotation.models import Assignment, Demonstration, Preference, Project
from annotation.queue import lock_assignment

How = Demonstration.How


class NotAsked(Exception):
    """The responses are not withheld: nothing is to be written before they are seen."""


def withheld(project: Project, assignments: Iterable[Assignment]) -> set[int]:
    """The ids of those assignments of one labeler whose responses they may not see yet.

    A prompt is drawn by its hash, so that it is the same for every labeler and every comparison.
    Nobody is asked to write who wrote for it already, or may have seen responses to it; a turn of
    one's own talk is seen while it is written.
    """
    if not project.write_first_share:
        return set()
    drawn = [a for a in assignments if _is_drawn(project, a)]
    if not drawn:
        return set()
    prompts = {a.comparison.prompt_id for a in drawn}
    labeler = drawn[0].labeler_id
    written = Demonstration.objects.filter(author=labeler, prompt__in=prompts, how=How.WRITTEN)
    earlier = Assignment.objects.filter(
        labeler=labeler,
        comparison__prompt__in=prompts,
        created_at__lt=project.write_first_since,
    )
    known = set(written.values_list("prompt", flat=True)) | set(
        earlier.values_list("comparison__prompt", flat=True)
    )
    return {a.pk for a in drawn if a.comparison.prompt_id not in known}


@transaction.atomic
def write(*, assignment: Assignment, text: str, active_ms: int | None) -> bool:
    """Store what the labeler wrote before seeing the responses; False when it was stored before.

    What was stored first stands: what is sent later may have been written with the responses seen.

    Raises:
        NotAsked: the responses are not withheld.
    """
    _, assignment = lock_assignment(assignment)
    stored = Demonstration.objects.filter(
        author=assignment.labeler_id, prompt=assignment.comparison.prompt_id, how=How.WRITTEN
    )
    if stored.exists():
        return False
    project = assignment.comparison.project
    if assignment.pk not in withheld(project, [assignment]):
        raise NotAsked
    Demonstration.objects.create(
        project=project,
        prompt_id=assignment.comparison.prompt_id,
        author_id=assignment.labeler_id,
        assignment=assignment,
        how=How.WRITTEN,
        text=text,
        seconds=_seconds(active_ms),
    )
    return True


def store_rewrites(assignment: Assignment, preference: Preference, answer: Answer) -> None:
    """The rewrites that came with a preference, each of the response shown at its position."""
    Demonstration.objects.bulk_create(
        Demonstration(
            project_id=preference.project_id,
            prompt_id=assignment.comparison.prompt_id,
            author_id=assignment.labeler_id,
            assignment=assignment,
            rewrite_of_id=preference.order[int(position)],
            preference=preference,
            how=How.REWRITE,
            text=rewrite["text"],
            seconds=_seconds(rewrite["active_ms"]),
        )
        for position, rewrite in answer.rewrites.items()
    )


def rewrites_of(preference: Preference) -> dict[str, dict]:
    """The rewrites that came with a preference, by position as shown."""
    position = {response: place for place, response in enumerate(preference.order)}
    return {
        str(position[row.rewrite_of_id]): {  # type: ignore[index]
            "text": row.text,
            "active_ms": None if row.seconds is None else round(row.seconds * 1000),
        }
        for row in preference.rewrites.all()
    }


def _is_drawn(project: Project, assignment: Assignment) -> bool:
    return (
        assignment.state != Assignment.State.ANSWERED
        and assignment.comparison.reserved_for_id is None
        and assignment.created_at >= project.write_first_since
        and share_of(sha256_of(["write first", assignment.comparison.prompt.sha256]))
        < project.write_first_share
    )


def _seconds(active_ms: int | None) -> float | None:
    return None if active_ms is None else active_ms / 1000
