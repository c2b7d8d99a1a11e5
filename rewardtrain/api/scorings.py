"""Paste a prompt and responses, and see what a reward model makes of them."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import member_of
from annotation.api.errors import ErrorSerializer
from annotation.models.projects import Role
from rewardtrain import scoring
from rewardtrain.api.models import version_for
from rewardtrain.models import Scoring


class NearSerializer(serializers.Serializer):
    """A comparison that taught the model. `preferred` is the text that people put first, null where
    they put none above another; `likeness` the cosine of how the model reads the two texts."""

    likeness = serializers.FloatField()
    prompt = serializers.CharField()
    preferred = serializers.CharField(allow_null=True)
    others = serializers.ListField(child=serializers.CharField())
    outcome = serializers.CharField()


class RemarkSerializer(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.FloatField()


class ScoredSerializer(serializers.Serializer):
    """A response with its score in spreads of the model's scores, and its members' spread."""

    text = serializers.CharField()
    score = serializers.FloatField()
    spread = serializers.FloatField()
    remarks = RemarkSerializer(many=True)
    nearest = NearSerializer(many=True)


class ScoringSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    version = serializers.IntegerField(source="version_id")
    state = serializers.ChoiceField(Scoring.State.choices)
    error = serializers.CharField()
    responses = serializers.SerializerMethodField()

    @extend_schema_field(ScoredSerializer(many=True))
    def get_responses(self, row: Scoring) -> list[dict[str, Any]]:
        """In the order given; empty until it is done."""
        return scored(row) if row.result else []


class Scorings(APIView):
    class Input(serializers.Serializer):
        prompt = serializers.CharField(max_length=100_000, trim_whitespace=False)
        responses = serializers.ListField(
            child=serializers.CharField(max_length=100_000, trim_whitespace=False),
            min_length=1,
            max_length=scoring.MOST_RESPONSES,
        )

    @extend_schema(
        operation_id="score_texts",
        request=Input,
        responses={200: ScoringSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Have texts scored; the same ones are scored once."""
        version = version_for(request, pk)
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        asked = scoring.ask(
            version=version,
            messages=[{"role": "user", "content": given.validated_data["prompt"]}],
            responses=given.validated_data["responses"],
            actor=request.user,
        )
        return Response(ScoringSerializer(asked).data, status=status.HTTP_200_OK)


class ScoringDetail(APIView):
    @extend_schema(operation_id="scoring", responses=ScoringSerializer)
    def get(self, request: Request, pk: int) -> Response:
        row = get_object_or_404(Scoring.objects.select_related("version__project"), pk=pk)
        member_of(request.user, row.version.project, Role.REVIEWER)
        return Response(ScoringSerializer(row).data)


def scored(row: Scoring) -> list[dict[str, Any]]:
    result: dict[str, Any] = row.result or {}
    return [
        {
            "text": response[-1]["content"],
            "score": result["normalised"][place],
            "spread": result["spread"][place],
            "remarks": [
                {"name": name, "value": values[place]} for name, values in result["remarks"].items()
            ],
            "nearest": [_near(found) for found in (result["nearest"] or [[]] * (place + 1))[place]],
        }
        for place, response in enumerate(row.responses)
    ]


def _near(found: dict[str, Any]) -> dict[str, Any]:
    texts = [said[-1]["content"] if said else "" for said in found["responses"]]
    first = found["tiers"][0] if found["outcome"] == "prefer" else []
    best = first[0] if len(first) == 1 else None
    return {
        "likeness": found["likeness"],
        "prompt": found["messages"][-1]["content"] if found["messages"] else "",
        "preferred": texts[best] if best is not None else None,
        "others": [text for place, text in enumerate(texts) if place != best],
        "outcome": found["outcome"],
    }
