"""Prompts, comparisons and preferences as a project's reviewers see them, and their import."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict
from gzip import BadGzipFile
from io import StringIO
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.api.errors import ErrorSerializer
from annotation.api.pages import BEFORE, page, page_of
from annotation.imports import Report, import_comparisons, import_prompts, open_lines
from annotation.models import Comparison, Preference, Prompt
from annotation.models.projects import Role
from annotation.refused import Refused

EXCERPT = 160


class TurnSerializer(serializers.Serializer):
    role = serializers.CharField()
    content = serializers.CharField()


class PromptRowSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    messages = TurnSerializer(many=True)
    checks = serializers.ListField(
        child=serializers.DictField(), help_text="What a program can check of an answer."
    )
    split = serializers.ChoiceField(Prompt.Split.choices)
    source = serializers.CharField()  # type: ignore[assignment]
    created_at = serializers.DateTimeField()


class ComparisonRowSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    prompt_excerpt = serializers.SerializerMethodField()
    kind = serializers.ChoiceField(Comparison.Kind.choices)
    state = serializers.ChoiceField(Comparison.State.choices)
    responses = serializers.SerializerMethodField()
    wanted = serializers.IntegerField()
    done = serializers.IntegerField()
    leased = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    def get_prompt_excerpt(self, comparison: Comparison) -> str:
        return excerpt(comparison.prompt)

    def get_responses(self, comparison: Comparison) -> int:
        return len(comparison.places.all())


class PreferenceRowSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    comparison = serializers.IntegerField(source="comparison_id")
    prompt_excerpt = serializers.SerializerMethodField()
    labeler = serializers.CharField(source="labeler.username", default=None, allow_null=True)
    origin = serializers.ChoiceField(Preference.Origin.choices)
    outcome = serializers.ChoiceField(Preference.Outcome.choices)
    strength = serializers.IntegerField(allow_null=True)
    revision = serializers.IntegerField()
    retracted = serializers.BooleanField()
    surplus = serializers.BooleanField()
    superseded = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_prompt_excerpt(self, preference: Preference) -> str:
        return excerpt(preference.comparison.prompt)

    def get_superseded(self, preference: Preference) -> bool:
        return hasattr(preference, "superseded_by")


class PastedSerializer(serializers.Serializer):
    text = serializers.CharField(
        trim_whitespace=False, help_text="JSON Lines, or for prompts plain lines too."
    )


class UploadSerializer(serializers.Serializer):
    file = serializers.FileField(help_text="The same in UTF-8, gzip or not.")


class LineErrorSerializer(serializers.Serializer):
    line = serializers.IntegerField()
    reason = serializers.CharField()


class ReportSerializer(serializers.Serializer):
    created = serializers.IntegerField()
    existing = serializers.IntegerField()
    preferences = serializers.IntegerField(help_text="Answers that the file held.")
    errors = LineErrorSerializer(many=True)  # type: ignore[assignment]


PASTED_OR_UPLOADED = {
    "application/json": PastedSerializer,
    "multipart/form-data": UploadSerializer,
}
FILTERS = [
    BEFORE,
    OpenApiParameter("kind", str, enum=Comparison.Kind.values),
    OpenApiParameter("state", str, enum=Comparison.State.values),
]


class Prompts(APIView):
    parser_classes = [JSONParser, MultiPartParser]

    @extend_schema(
        operation_id="prompts", parameters=[BEFORE], responses=page_of(PromptRowSerializer)
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        rows, following = page(project.prompts.all(), request)
        return Response({"results": PromptRowSerializer(rows, many=True).data, "next": following})

    @extend_schema(
        operation_id="import_prompts",
        request=PASTED_OR_UPLOADED,
        responses={200: ReportSerializer, 400: ErrorSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        return imported(request, slug, import_prompts)


class Comparisons(APIView):
    parser_classes = [JSONParser, MultiPartParser]

    @extend_schema(
        operation_id="comparisons", parameters=FILTERS, responses=page_of(ComparisonRowSerializer)
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        wanted = {
            name: chosen(request.query_params[name], name, choices)
            for name, choices in (("kind", Comparison.Kind), ("state", Comparison.State))
            if name in request.query_params
        }
        rows = project.comparisons.filter(**wanted).select_related("prompt")
        shown, following = page(rows.prefetch_related("places"), request)
        body = {"results": ComparisonRowSerializer(shown, many=True).data, "next": following}
        return Response(body)

    @extend_schema(
        operation_id="import_comparisons",
        request=PASTED_OR_UPLOADED,
        responses={200: ReportSerializer, 400: ErrorSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        return imported(request, slug, import_comparisons)


class Preferences(APIView):
    @extend_schema(
        operation_id="preferences", parameters=[BEFORE], responses=page_of(PreferenceRowSerializer)
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        rows = project.preferences.select_related("labeler", "comparison__prompt", "superseded_by")
        shown, following = page(rows, request)
        body = {"results": PreferenceRowSerializer(shown, many=True).data, "next": following}
        return Response(body)


def imported(request: Request, slug: str, read: Callable[..., Report]) -> Response:
    project = project_for(request.user, slug, Role.MANAGER)
    lines, source = lines_of(request)
    try:
        report = read(project, lines, source=source)
    except (EOFError, BadGzipFile, zlib.error):
        raise Refused(
            "damaged_file",
            "The gzip file ends too early or is damaged; the lines before that were kept.",
            field="file",
            fix="Send it whole: what is here already is not added twice.",
        ) from None
    return Response(asdict(report))


def lines_of(request: Request) -> tuple[Iterable[str], str]:
    """The lines that were pasted or uploaded, and a word on where they came from."""
    if "file" in request.FILES:
        upload = request.FILES["file"]
        return open_lines(upload.file), (upload.name or "")[:120]
    given = PastedSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return StringIO(given.validated_data["text"]), "pasted"


def chosen(value: str, name: str, choices: Any) -> str:
    if value not in choices.values:
        raise Refused(
            "invalid",
            f"{name} is {value[:40]!r}; it must be {', '.join(choices.values)}.",
            field=name,
            fix="Leave it out for all.",
        )
    return value


def excerpt(prompt: Prompt) -> str:
    return prompt.messages[-1]["content"][:EXCERPT] if prompt.messages else ""
