"""The trail of a project: who changed what state, when."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.api.pages import BEFORE, page, page_of
from annotation.models.projects import Role


class EventSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    actor = serializers.CharField(
        source="actor.username", default=None, allow_null=True, help_text="Null: a command."
    )
    verb = serializers.CharField()
    subject = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class Events(APIView):
    @extend_schema(operation_id="events", parameters=[BEFORE], responses=page_of(EventSerializer))
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        rows, following = page(project.events.select_related("actor"), request)
        return Response({"results": EventSerializer(rows, many=True).data, "next": following})
