"""A frozen batch: what is in it, who gave it, and the reward model that came of it."""

from typing import Any

from django.db.models import Count
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import member_of
from annotation.api.label_shapes import MessageSerializer
from annotation.api.pages import BEFORE, page, page_of
from annotation.models import Batch, BatchItem, Preference
from annotation.models.projects import Role
from rewardtrain.api.rows import BatchRowSerializer, RunSerializer, VersionSerializer, runs_of
from rewardtrain.lineage import labelers_of
from rewardtrain.models import ModelVersion, Run


class BatchDetailSerializer(BatchRowSerializer):
    class Labeler(serializers.Serializer):
        username = serializers.CharField()
        count = serializers.IntegerField()

    project = serializers.SlugField(source="project.slug")
    created_by = serializers.CharField(
        source="created_by.username", default=None, allow_null=True, help_text="null: the loop."
    )
    labelers = Labeler(many=True)
    outcomes = serializers.DictField(child=serializers.IntegerField())
    reward_model = VersionSerializer(allow_null=True)
    run = RunSerializer(allow_null=True)


class BatchPreferenceSerializer(serializers.Serializer):
    class Response(serializers.Serializer):
        messages = MessageSerializer(many=True)
        tier = serializers.IntegerField(help_text="0 is the best.")

    id = serializers.IntegerField()
    labeler = serializers.CharField(allow_null=True)
    outcome = serializers.ChoiceField(Preference.Outcome.choices)
    strength = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    guidelines_version = serializers.IntegerField(allow_null=True)
    split = serializers.ChoiceField(["train", "heldout"])
    prompt = MessageSerializer(many=True)
    responses = Response(many=True)


class BatchDetail(APIView):
    @extend_schema(operation_id="batch", responses=BatchDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        batch = batch_for(request, pk)
        counted = batch.preferences.values_list("outcome").annotate(Count("pk")).order_by("outcome")
        learnt = runs_of(batch.project).filter(batch=batch, kind=Run.Kind.REWARD)
        shown: dict[str, Any] = {
            **BatchRowSerializer(batch).data,
            "project": batch.project,
            "created_by": batch.created_by,
            "labelers": labelers_of(batch),
            "outcomes": dict(counted),
            "reward_model": ModelVersion.objects.filter(batch=batch).order_by("-pk").first(),
            "run": learnt.order_by("-pk").first(),
        }
        return Response(BatchDetailSerializer(shown).data)


class BatchPreferences(APIView):
    @extend_schema(
        operation_id="batch_preferences",
        parameters=[BEFORE],
        responses=page_of(BatchPreferenceSerializer),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Fifty at a time, newest first."""
        items = BatchItem.objects.filter(batch=batch_for(request, pk))
        rows = Preference.objects.filter(batch_items__in=items)
        rows = rows.select_related("comparison__prompt", "labeler", "guidelines")
        found, following = page(rows.prefetch_related("comparison__places__response"), request)
        results = [row_of(preference) for preference in found]
        return Response(
            {"results": BatchPreferenceSerializer(results, many=True).data, "next": following}
        )


def batch_for(request: Request, pk: int) -> Batch:
    batch = get_object_or_404(Batch.objects.select_related("project", "created_by"), pk=pk)
    member_of(request.user, batch.project, Role.REVIEWER)
    return batch


def row_of(preference: Preference) -> dict:
    """The responses, best tier first."""
    responses = {place.response_id: place.response for place in preference.comparison.places.all()}
    return {
        "id": preference.pk,
        "labeler": preference.labeler.username if preference.labeler else None,
        "outcome": preference.outcome,
        "strength": preference.strength,
        "created_at": preference.created_at,
        "guidelines_version": preference.guidelines.version if preference.guidelines else None,
        "split": preference.comparison.prompt.split,
        "prompt": preference.comparison.prompt.messages,
        "responses": [
            {"messages": responses[response].messages, "tier": tier}
            for tier, members in enumerate(preference.tiers)
            for response in members
        ],
    }
