"""What a project's runs left on the disk that nothing needs any more."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.api.pages import list_of
from annotation.models.projects import Role
from rewardtrain import prune


class SpareSerializer(serializers.Serializer):
    run = serializers.IntegerField()
    name = serializers.CharField(source="path.name", help_text="The checkpoint's folder.")
    bytes = serializers.IntegerField(source="size")
    why = serializers.ChoiceField(list(prune.WORDS))


class SpareCheckpoints(APIView):
    """`bin/manage prune_runs --delete` removes them, on the machine where they lie."""

    @extend_schema(operation_id="spare_checkpoints", responses=list_of(SpareSerializer))
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        return Response({"results": SpareSerializer(prune.spare(project), many=True).data})
