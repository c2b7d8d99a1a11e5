"""Writing against choosing, for a project's managers."""

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.gap import gap_of
from annotation.models.projects import Role


class MedianSerializer(serializers.Serializer):
    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True, help_text="Null where n is too small for one.")
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()


class ShareSerializer(MedianSerializer):
    low = serializers.FloatField()
    high = serializers.FloatField()


class GapSerializer(serializers.Serializer):
    write = MedianSerializer(allow_null=True, help_text="Median seconds.")
    choose_after = MedianSerializer(allow_null=True, help_text="Median seconds.")
    choose_without = MedianSerializer(allow_null=True, help_text="Median seconds.")
    ratio = MedianSerializer(allow_null=True, help_text="Of writing to choosing.")
    agree_after = ShareSerializer(allow_null=True)
    agree_without = ShareSerializer(allow_null=True)
    wrote_own = ShareSerializer(allow_null=True)
    wrote_other = ShareSerializer(allow_null=True)


class Gap(APIView):
    @extend_schema(operation_id="gap", responses=GapSerializer)
    def get(self, request: Request, slug: str) -> Response:
        return Response(asdict(gap_of(project_for(request.user, slug, Role.MANAGER))))
