"""The list of projects, and one project with its settings and state."""

from collections import Counter
from typing import Any

from django.db.models import Count, F
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import projects
from annotation.access import project_for
from annotation.accounts import may_create_projects
from annotation.api.errors import ErrorSerializer
from annotation.api.pages import list_of
from annotation.api.project_settings import (
    NewProjectSerializer,
    ProjectSettingsSerializer,
    read_settings,
)
from annotation.models import Comparison, Membership, Preference, Project
from annotation.models.projects import Role
from annotation.preferences import countable


class ProjectRowSerializer(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(Project.State.choices)
    role = serializers.ChoiceField(Role.choices)
    response_form = serializers.ChoiceField(Project.Form.choices)
    simulated = serializers.BooleanField()
    open = serializers.IntegerField(help_text="Comparisons that can be asked now.")
    labels = serializers.IntegerField(help_text="Preferences that count.")
    mine = serializers.IntegerField(help_text="My answers that stand.")


class GuidelinesSerializer(serializers.Serializer):
    version = serializers.IntegerField()
    text = serializers.CharField()
    created_at = serializers.DateTimeField()


class ProjectSerializer(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(Project.State.choices)
    role = serializers.ChoiceField(Role.choices, source="membership.role")
    modality = serializers.CharField()
    response_form = serializers.ChoiceField(Project.Form.choices)
    levels_per_side = serializers.ChoiceField([1, 3, 4])
    flags = serializers.ListField(child=serializers.CharField())
    attributes = serializers.ListField(child=serializers.CharField())
    span_categories = serializers.ListField(child=serializers.CharField())
    rationale_required = serializers.BooleanField()
    rewrites = serializers.BooleanField()
    write_first_share = serializers.FloatField()
    overlap = serializers.IntegerField()
    heldout_share = serializers.FloatField()
    freeze_after = serializers.IntegerField()
    grace_seconds = serializers.IntegerField()
    talk_replies = serializers.IntegerField(help_text="Replies a turn; 0: no talks.")
    simulated = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    guidelines = serializers.SerializerMethodField()

    @extend_schema_field(GuidelinesSerializer(allow_null=True))
    def get_guidelines(self, project: Project) -> dict[str, Any] | None:
        latest = project.guidelines.order_by("-version").first()
        return GuidelinesSerializer(latest).data if latest else None


class StateSerializer(serializers.Serializer):
    state = serializers.ChoiceField(Project.State.choices)


class Projects(APIView):
    @extend_schema(operation_id="projects", responses=list_of(ProjectRowSerializer))
    def get(self, request: Request) -> Response:
        """The projects this person is a member of."""
        return Response({"results": project_rows(request.user)})

    @extend_schema(
        operation_id="create_project",
        request=NewProjectSerializer,
        responses={201: ProjectSerializer, 400: ErrorSerializer, 403: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        if not may_create_projects(request.user):
            raise PermissionDenied("Projects are made by staff and by managers of other projects.")
        settings = read_settings(NewProjectSerializer, request)
        project = projects.create_project(actor=request.user, **settings)
        return Response(
            ProjectSerializer(project_for(request.user, project.slug)).data,
            status=status.HTTP_201_CREATED,
        )


class ProjectDetail(APIView):
    @extend_schema(operation_id="project", responses=ProjectSerializer)
    def get(self, request: Request, slug: str) -> Response:
        return Response(ProjectSerializer(project_for(request.user, slug)).data)

    @extend_schema(
        operation_id="change_project",
        request=ProjectSettingsSerializer,
        responses={200: ProjectSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def patch(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        settings = read_settings(ProjectSettingsSerializer, request, partial=True)
        projects.change_project(project=project, actor=request.user, **settings)
        return Response(ProjectSerializer(project_for(request.user, slug)).data)


class ProjectState(APIView):
    @extend_schema(
        operation_id="change_state",
        request=StateSerializer,
        responses={200: ProjectSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """draft → open → paused → open → closed → open."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = StateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        projects.change_state(project=project, actor=request.user, **given.validated_data)
        return Response(ProjectSerializer(project_for(request.user, slug)).data)


def project_rows(user: Any) -> list[dict[str, Any]]:
    memberships = list(
        Membership.objects.filter(user=user).select_related("project").order_by("project__name")
    )
    mine = [membership.project_id for membership in memberships]
    askable = Comparison.objects.filter(
        project__in=mine, state=Comparison.State.OPEN, done__lt=F("wanted") - F("leased")
    )
    answers = Preference.objects.filter(
        project__in=mine, labeler=user, superseded_by__isnull=True, retracted=False
    )
    askable_by_project, answers_by_project = per_project(askable), per_project(answers)
    return [
        {
            "slug": membership.project.slug,
            "name": membership.project.name,
            "state": membership.project.state,
            "role": membership.role,
            "response_form": membership.project.response_form,
            "simulated": membership.project.simulated,
            "open": askable_by_project[membership.project_id],
            "labels": countable(membership.project).count(),
            "mine": answers_by_project[membership.project_id],
        }
        for membership in memberships
    ]


def per_project(rows: Any) -> Counter[int]:
    return Counter(dict(rows.order_by().values_list("project").annotate(Count("pk"))))
