"""The circle page: where the project stands, what it waits for, and the story so far."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.batches import freeze_at, fresh_count
from annotation.models import Batch, Project
from annotation.models.projects import Role
from annotation.preferences import countable
from rewardtrain import circle, loop, meetings, presence, rounds
from rewardtrain.api.rows import (
    AccuracySerializer,
    BatchRowSerializer,
    DecisionSerializer,
    RunSerializer,
    StandingSerializer,
    VersionLinkSerializer,
    VersionSerializer,
    runs_of,
    win_rate_of,
)
from rewardtrain.models import Decision, ModelVersion, Run
from rewardtrain.rows import prompts_to_learn

RUNS_SHOWN = 8
STORY_SHOWN = 60
Kind = ModelVersion.Kind


class CircleSerializer(serializers.Serializer):
    class Project(serializers.Serializer):
        slug = serializers.CharField()
        name = serializers.CharField()
        state = serializers.ChoiceField(Project.State.choices)
        simulated = serializers.BooleanField()

    class Labels(serializers.Serializer):
        new = serializers.IntegerField(help_text="Countable ones that no batch holds.")
        countable = serializers.IntegerField()
        freeze_after = serializers.IntegerField()
        open = serializers.IntegerField(help_text="Labels that can still be given.")

    class RewardModel(serializers.Serializer):
        id = serializers.IntegerField()
        number = serializers.IntegerField()
        stage = serializers.ChoiceField(ModelVersion.Stage.choices)
        accuracy = AccuracySerializer(allow_null=True)

    class Policy(serializers.Serializer):
        id = serializers.IntegerField()
        number = serializers.IntegerField()
        stage = serializers.ChoiceField(ModelVersion.Stage.choices)
        is_reference = serializers.BooleanField()

    class WinRate(StandingSerializer):
        policy = VersionLinkSerializer()
        against = VersionLinkSerializer()

    class Round(serializers.Serializer):
        class Step(serializers.Serializer):
            what = serializers.ChoiceField(
                ["labels", "reward_model", "policy", "arena", "promotion"]
            )
            done = serializers.BooleanField()

        number = serializers.IntegerField()
        started_at = serializers.DateTimeField()
        finished_at = serializers.DateTimeField(allow_null=True)
        steps = Step(many=True)

    class Workers(serializers.Serializer):
        train = serializers.BooleanField()
        infer = serializers.BooleanField()
        live = serializers.BooleanField()
        default = serializers.BooleanField()
        device = serializers.CharField(help_text="That of the last run; empty before the first.")

    project = Project()
    waits_for = serializers.ChoiceField(circle.WAITS)
    waits_sentence = serializers.CharField()
    labels = Labels()
    batch = BatchRowSerializer(allow_null=True)
    reward_model = RewardModel(allow_null=True)
    policy = Policy(allow_null=True)
    candidate = VersionLinkSerializer(allow_null=True)
    tunable = serializers.BooleanField(
        help_text="Whether a reward model in service or prompts with checks tell answers apart."
    )
    win_rate = WinRate(allow_null=True)
    runs = RunSerializer(many=True)
    rounds = Round(many=True)
    story = DecisionSerializer(many=True)
    workers = Workers()


class Circle(APIView):
    @extend_schema(operation_id="circle", responses=CircleSerializer)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        return Response(CircleSerializer(look_at(project)).data)


def look_at(project: Project) -> dict[str, Any]:
    wait = circle.waits_for(project)
    reward_model = rounds.in_service(project, Kind.REWARD)
    tuned = meetings.candidates(project).last()
    candidate = tuned and (meetings.to_judge(tuned) or tuned)
    last_run = project.runs.exclude(device="").order_by("-pk").first()
    return {
        "project": project,
        "waits_for": wait.what,
        "waits_sentence": wait.sentence,
        "labels": {
            "new": fresh_count(project),
            "countable": countable(project).count(),
            "freeze_after": freeze_at(project),
            "open": loop.open_labels(project),
        },
        "batch": Batch.objects.filter(project=project).order_by("-number").first(),
        "reward_model": VersionSerializer(reward_model).data if reward_model else None,
        "policy": rounds.in_service(project, Kind.POLICY),
        "candidate": candidate,
        "tunable": reward_model is not None or prompts_to_learn(project, checked=True).exists(),
        "win_rate": win_rate_to_show(project),
        "runs": active_and_last_runs(project),
        "rounds": circle.rounds_of(project),
        "story": Decision.objects.filter(project=project).select_related("actor", "round")[
            :STORY_SHOWN
        ],
        "workers": {**presence.listening(), "device": last_run.device if last_run else ""},
    }


def win_rate_to_show(project: Project) -> dict[str, Any] | None:
    """That of the newest policy that has met the reference."""
    reference = rounds.reference_of(project)
    policies = project.versions.filter(kind=Kind.POLICY, is_reference=False, checkpoint_of=None)
    for policy in policies.order_by("-number"):
        state = meetings.to_judge(policy) or policy
        if rate := win_rate_of(state):
            figures = StandingSerializer(rate).data
            return {**figures, "policy": state, "against": reference}
    return None


def active_and_last_runs(project: Project) -> list[Run]:
    """What is at work or waits, oldest first, then what ended last, and the last training however
    much was written and scored since."""
    runs = runs_of(project)
    active = list(runs.filter(state__in=Run.ACTIVE).order_by("pk"))
    ended = runs.exclude(state__in=Run.ACTIVE).order_by("-pk")
    shown = list(ended[: max(0, RUNS_SHOWN - len(active))])
    trained = [ended.filter(kind=kind).first() for kind in Run.TRAINING]
    return [*active, *shown, *(run for run in trained if run is not None and run not in shown)]
