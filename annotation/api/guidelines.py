"""What labelers are asked to look for, in versions."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.api.pages import list_of
from annotation.api.projects import GuidelinesSerializer
from annotation.models import Acknowledgement, Guidelines
from annotation.models.projects import Role
from annotation.projects import acknowledge_guidelines, write_guidelines


class GuidelinesVersionSerializer(GuidelinesSerializer):
    author = serializers.CharField(source="author.username", default=None, allow_null=True)
    acknowledged = serializers.SerializerMethodField(help_text="By me.")

    def get_acknowledged(self, guidelines: Guidelines) -> bool:
        return guidelines.pk in self.context["read"]


class GuidelinesTextSerializer(serializers.Serializer):
    text = serializers.CharField(max_length=100_000, trim_whitespace=False)


class AcknowledgementSerializer(serializers.Serializer):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class GuidelinesVersions(APIView):
    @extend_schema(operation_id="guidelines", responses=list_of(GuidelinesVersionSerializer))
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug)
        versions = project.guidelines.select_related("author").order_by("-version")
        read = set(
            Acknowledgement.objects.filter(
                labeler_id=request.user.pk, guidelines__project=project
            ).values_list("guidelines_id", flat=True)
        )
        rows = GuidelinesVersionSerializer(versions, many=True, context={"read": read})
        return Response({"results": rows.data})

    @extend_schema(
        operation_id="write_guidelines",
        request=GuidelinesTextSerializer,
        responses={201: GuidelinesSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        given = GuidelinesTextSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        guidelines = write_guidelines(
            project=project, actor=request.user, text=given.validated_data["text"]
        )
        body = GuidelinesSerializer(guidelines).data
        return Response(body, status=status.HTTP_201_CREATED)


class Acknowledge(APIView):
    @extend_schema(
        operation_id="acknowledge", request=AcknowledgementSerializer, responses={204: None}
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug)
        given = AcknowledgementSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        acknowledge_guidelines(
            project=project, labeler=request.user, version=given.validated_data["version"]
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
