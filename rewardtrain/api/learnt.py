"""What a labeler's answers did lately: which reward model learnt from how many of them."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.models import BatchItem, Prompt
from rewardtrain.models import ModelVersion

FEWEST = 20
"""Of fewer answers a labeler could work out which were golds, or held out: those train nothing."""


class LearntSerializer(serializers.Serializer):
    model = serializers.IntegerField(allow_null=True, help_text="The newest reward model.")
    mine = serializers.IntegerField(help_text=f"My answers it learnt from; 0 below {FEWEST}.")
    at = serializers.DateTimeField(allow_null=True)


class Learnt(APIView):
    @extend_schema(operation_id="learnt", responses=LearntSerializer)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug)
        newest = (
            ModelVersion.objects.filter(
                project=project, kind=ModelVersion.Kind.REWARD, batch__isnull=False
            )
            .order_by("-number")
            .first()
        )
        if newest is None or newest.batch is None:
            return Response({"model": None, "mine": 0, "at": None})
        mine = BatchItem.objects.filter(
            batch=newest.batch,
            preference__labeler_id=request.user.pk,
            preference__comparison__prompt__split=Prompt.Split.TRAIN,
        ).count()
        shown = mine if mine >= FEWEST else 0
        return Response({"model": newest.number, "mine": shown, "at": newest.created_at})
