"""The trail of who changed what state, when. Every write function leaves its line here."""

from typing import Any

from annotation.access import Visitor
from annotation.models import Event, Project


def record(
    *,
    project: Project | None,
    actor: Visitor | None,
    verb: str,
    subject: str,
    before: Any = None,
    after: Any = None,
) -> Event:
    """One line; `actor` is None for a command or the loop.

    Args:
        verb: what was done, in the past: "opened", "invited".
        subject: which row: "project tales", "member lena".
        before, after: only what changed, as JSON.
    """
    return Event.objects.create(
        project=project,
        actor_id=actor.pk if actor else None,
        verb=verb,
        subject=subject[:80],
        before=before,
        after=after,
    )
