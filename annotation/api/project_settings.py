"""What a manager may set on a project, and the sentence that a wrong value gets."""

import reprlib
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from annotation.api.errors import first_problem
from annotation.modalities import MODALITIES
from annotation.models import Project
from annotation.refused import Refused

ALLOWED = {
    "name": "1 to 120 characters",
    "modality": " or ".join(MODALITIES),
    "response_form": "pairwise, ranking or best_of_k",
    "levels_per_side": "1, 3 or 4 (the steps of strength a side, the tie apart)",
    "flags": "a list of up to 20 names of up to 40 characters",
    "attributes": "a list of up to 20 names of up to 40 characters",
    "span_categories": "a list of up to 9 names of up to 40 characters",
    "rationale_required": "true or false",
    "rewrites": "true or false",
    "write_first_share": "a number from 0 to 1",
    "overlap": "a whole number from 1 to 100 (labels wanted a comparison)",
    "heldout_share": "a number from 0 to 1",
    "freeze_after": "a whole number from 1 to 1000000",
    "grace_seconds": "a whole number from 0 to 3600",
    "talk_replies": "0 (no talks), 2, 3 or 4",
    "guidelines": "text of up to 100000 characters",
}


class NamesField(serializers.ListField):
    child = serializers.CharField(max_length=40)

    def __init__(self, most: int = 20, **kwargs: Any) -> None:
        super().__init__(max_length=most, **kwargs)


class ProjectSettingsSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    modality = serializers.ChoiceField(list(MODALITIES), required=False)
    response_form = serializers.ChoiceField(Project.Form.choices, required=False)
    levels_per_side = serializers.ChoiceField([1, 3, 4], required=False)
    flags = NamesField(required=False)
    attributes = NamesField(required=False)
    span_categories = NamesField(most=9, required=False, help_text="Each has a number key.")
    rationale_required = serializers.BooleanField(required=False)
    rewrites = serializers.BooleanField(required=False)
    write_first_share = serializers.FloatField(
        min_value=0,
        max_value=1,
        required=False,
        help_text="Of the prompts, for what is asked from now on.",
    )
    overlap = serializers.IntegerField(
        min_value=1,
        max_value=100,
        required=False,
        help_text="Of the comparisons that are added from now on.",
    )
    heldout_share = serializers.FloatField(min_value=0, max_value=1, required=False)
    freeze_after = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    grace_seconds = serializers.IntegerField(min_value=0, max_value=3600, required=False)
    talk_replies = serializers.ChoiceField([0, 2, 3, 4], required=False)


class NewProjectSerializer(ProjectSettingsSerializer):
    guidelines = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=100_000, trim_whitespace=False
    )


def read_settings(
    serializer: type[ProjectSettingsSerializer], request: Request, *, partial: bool = False
) -> dict[str, Any]:
    """The settings in the request.

    Raises:
        Refused: one cannot be set, or not to this value; the sentence names field, value and fix.
    """
    given = serializer(data=request.data, partial=partial)
    sent = request.data if isinstance(request.data, dict) else {}
    if unknown := set(sent) - set(given.fields):
        field = sorted(unknown)[0]
        raise Refused(
            "unknown_field",
            f"{field[:40]} is not a setting of a project that can be changed here.",
            field=field[:40],
            fix=f"Leave it out; there are {', '.join(given.fields)}.",
        )
    if given.is_valid():
        return dict(given.validated_data)
    field = first_problem(given.errors)[0].split(".")[0]
    if field not in ALLOWED:
        raise Refused("invalid", "The body must be a JSON object.", fix='Send {"name": "…"}.')
    said = f"is {reprlib.repr(sent[field])}" if field in sent else "is missing"
    raise Refused(
        "invalid",
        f"{field} {said}; it must be {ALLOWED[field]}.",
        field=field,
        fix=f"Set {field} to {ALLOWED[field]}.",
    )
