"""Something is broken: anybody who labels may say so, and a manager ends it."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import alarms
from annotation.access import member_of, project_for
from annotation.api.errors import ErrorSerializer
from annotation.api.pages import list_of
from annotation.models import Alarm
from annotation.models.projects import Role


class AlarmSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    labeler = serializers.CharField(source="labeler.username")
    note = serializers.CharField()
    created_at = serializers.DateTimeField()


class Alarms(APIView):
    class Input(serializers.Serializer):
        note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)

    @extend_schema(operation_id="alarms", responses=list_of(AlarmSerializer))
    def get(self, request: Request, slug: str) -> Response:
        """Those that are open."""
        project = project_for(request.user, slug, Role.REVIEWER)
        found = AlarmSerializer(alarms.open_alarms(project), many=True)
        return Response({"results": found.data})

    @extend_schema(operation_id="ring_alarm", request=Input, responses={204: None})
    def post(self, request: Request, slug: str) -> Response:
        """Pauses promotion and alerts the managers."""
        project = project_for(request.user, slug)
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        alarms.ring(project=project, labeler=request.user, **given.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class EndAlarm(APIView):
    @extend_schema(
        operation_id="end_alarm", request=None, responses={204: None, 409: ErrorSerializer}
    )
    def post(self, request: Request, pk: int) -> Response:
        alarm = get_object_or_404(Alarm.objects.select_related("project"), pk=pk)
        member_of(request.user, alarm.project, Role.MANAGER)
        alarms.end(alarm=alarm, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
