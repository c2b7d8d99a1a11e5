"""Model versions: stage, figures, lineage both ways; promote and archive."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import member_of, project_for
from annotation.api.errors import ErrorSerializer
from annotation.api.pages import list_of
from annotation.models.projects import Role
from rewardtrain import promotion
from rewardtrain.api.rows import DecisionSerializer, RunSerializer, VersionSerializer
from rewardtrain.api.runs import LinkSerializer
from rewardtrain.lineage import ancestors, descendants
from rewardtrain.models import ModelVersion


class VersionDetailSerializer(VersionSerializer):
    class Hashes(serializers.Serializer):
        weights = serializers.CharField(source="weights_sha256")
        data = serializers.CharField(source="data_sha256")  # type: ignore[assignment]
        config = serializers.CharField(source="config_sha256")

    metrics = serializers.DictField()
    hashes = Hashes(source="*")
    run = RunSerializer(allow_null=True)
    decisions = DecisionSerializer(many=True)
    ancestors = LinkSerializer(many=True)
    descendants = LinkSerializer(many=True)


class Versions(APIView):
    @extend_schema(operation_id="models", responses=list_of(VersionSerializer))
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        versions = project.versions.select_related("project").order_by("-pk")
        return Response({"results": VersionSerializer(versions, many=True).data})


class VersionDetail(APIView):
    @extend_schema(operation_id="model", responses=VersionDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(detail(version_for(request, pk)))


class Promote(APIView):
    class Input(serializers.Serializer):
        reason = serializers.CharField(required=False, allow_blank=True, default="")

    @extend_schema(
        operation_id="promote_model",
        request=Input,
        responses={200: VersionDetailSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Put into service; a policy by people's answers, anything else with a reason."""
        version = version_for(request, pk, Role.MANAGER)
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        promotion.promote(version=version, actor=request.user, **given.validated_data)
        return Response(detail(version_for(request, pk)))


class Archive(APIView):
    @extend_schema(
        operation_id="archive_model",
        request=None,
        responses={200: VersionDetailSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        version = version_for(request, pk, Role.MANAGER)
        promotion.archive(version=version, actor=request.user)
        return Response(detail(version_for(request, pk)))


def version_for(request: Request, pk: int, role: str = Role.REVIEWER) -> ModelVersion:
    version = get_object_or_404(ModelVersion.objects.select_related("project", "run"), pk=pk)
    member_of(request.user, version.project, role)
    return version


def detail(version: ModelVersion) -> dict[str, Any]:
    version.ancestors = ancestors(version)  # type: ignore[attr-defined]
    version.descendants = descendants(version)  # type: ignore[attr-defined]
    return VersionDetailSerializer(version).data
