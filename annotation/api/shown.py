"""What a labeler sees of an assignment: the one way out for prompts and responses.

It is the same for every kind of comparison: opaque keys, texts in the order shown, nothing of ids,
kinds, sources or times of making. Responses that are to be withheld do not leave here.
"""

from dataclasses import asdict
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from annotation import demonstrations, preferences
from annotation.models import Assignment, ComparisonResponse, Guidelines, Project

TEXTS = (
    "comparison__prompt",
    Prefetch("comparison__places", ComparisonResponse.objects.select_related("response")),
)


def shown(assignments: list[Assignment], project: Project) -> list[dict[str, Any]]:
    prefetch_related_objects(assignments, *TEXTS)
    version = (
        Guidelines.objects.filter(project=project)
        .order_by("-version")
        .values_list("version", flat=True)
        .first()
    )
    withheld = demonstrations.withheld(project, assignments)
    return [
        _one_shown(assignment, version, write_first=assignment.pk in withheld)
        for assignment in assignments
    ]


def _one_shown(
    assignment: Assignment, guidelines_version: int | None, *, write_first: bool
) -> dict[str, Any]:
    places = {place.place: place.response for place in assignment.comparison.places.all()}
    answered = assignment.state == Assignment.State.ANSWERED
    answer = preferences.standing_answer(assignment) if answered else None
    return {
        "key": assignment.key,
        "token": assignment.token,
        "expires_at": assignment.expires_at,
        "prompt": {"messages": assignment.comparison.prompt.messages},
        "write_first": write_first,
        "responses": []
        if write_first
        else [{"messages": places[place].messages} for place in assignment.order],
        "draft": assignment.draft,
        "guidelines_version": guidelines_version,
        "answer": asdict(answer) if answer else None,
    }
