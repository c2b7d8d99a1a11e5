"""The arena page: who beat whom in blind comparisons, and proxy reward beside it over KL."""

from typing import Any

from django.db.models import Avg
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.models import Project
from annotation.models.projects import Role
from rewardtrain import arena
from rewardtrain.api.rows import StandingSerializer, VersionLinkSerializer, win_rate_of
from rewardtrain.models import Generation, Match, ModelVersion, Run, Score


class ArenaSerializer(serializers.Serializer):
    class Match(StandingSerializer):
        policy = VersionLinkSerializer()
        opponent = VersionLinkSerializer()

    class Point(serializers.Serializer):
        version = VersionLinkSerializer()
        kl = serializers.FloatField(
            allow_null=True, help_text="Mean KL to the reference of a response, in nats."
        )
        proxy = serializers.FloatField(
            allow_null=True,
            help_text="How much more the reward model that the policy learnt from gives it than "
            "the reference on the same prompts, in spreads of its scores.",
        )
        win_rate = StandingSerializer(allow_null=True)

    matches = Match(many=True)
    points = Point(many=True)


class Arena(APIView):
    @extend_schema(operation_id="arena", responses=ArenaSerializer)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        return Response(
            ArenaSerializer({"matches": matches(project), "points": points(project)}).data
        )


def matches(project: Project) -> list[dict[str, Any]]:
    """Every two policies that met, newest first."""
    met = Match.objects.filter(policy__project=project).values_list("policy", "opponent")
    versions = {version.pk: version for version in project.versions.all()}
    return [
        {
            **StandingSerializer(arena.standing(versions[policy], versions[opponent])).data,
            "policy": versions[policy],
            "opponent": versions[opponent],
        }
        for policy, opponent in met.distinct().order_by("-policy", "opponent")
    ]


def points(project: Project) -> list[dict[str, Any]]:
    """One a fine-tuned policy, by its number."""
    policies = project.versions.filter(kind=ModelVersion.Kind.POLICY, is_reference=False)
    return [
        {
            "version": policy,
            "kl": mean_kl(policy),
            "proxy": proxy_gain(policy),
            "win_rate": win_rate_of(policy),
        }
        for policy in policies.order_by("number")
    ]


def mean_kl(policy: ModelVersion) -> float | None:
    met = Generation.objects.filter(version=policy, run__purpose=Run.Purpose.ARENA)
    return met.aggregate(mean=Avg("kl"))["mean"]


def proxy_gain(policy: ModelVersion) -> float | None:
    if policy.reward_model is None:
        return None
    met = Match.objects.filter(policy=policy)
    scores = Score.objects.filter(version=policy.reward_model)
    ours = scores.filter(response__in=met.values("policy_response"))
    theirs = scores.filter(response__in=met.values("opponent_response"))
    gain = [rows.aggregate(mean=Avg("value"))["mean"] for rows in (ours, theirs)]
    spread = policy.reward_model.metrics.get("normalisation", {}).get("spread")
    if None in gain or not spread:
        return None
    return (gain[0] - gain[1]) / spread
