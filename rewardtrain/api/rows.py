"""The shapes in which runs, versions and figures leave, shared by the pages about models."""

from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from rewardtrain import arena, gate, launch, meetings, rounds
from rewardtrain.arena import WinRate
from rewardtrain.models import ModelVersion, Run


class AccuracySerializer(serializers.Serializer):
    n = serializers.IntegerField()
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    source = serializers.ChoiceField(["heldout", "folds"])  # type: ignore[assignment]


class StandingSerializer(serializers.Serializer):
    """How a policy stands in blind comparisons; the figures are null where none is answered."""

    n = serializers.IntegerField()
    wins = serializers.IntegerField()
    ties = serializers.IntegerField()
    losses = serializers.IntegerField()
    identical = serializers.IntegerField()
    open = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    wanted = serializers.IntegerField(
        allow_null=True,
        help_text="Labels that a verdict likely still takes; 0: none, null: too even to say.",
    )


class VersionLinkSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    step = serializers.IntegerField(
        allow_null=True, help_text="Of a checkpoint; null for the state that a run left."
    )


class BatchLinkSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()


class RunSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    project = serializers.SlugField(source="project.slug")
    kind = serializers.ChoiceField(Run.Kind.choices)
    purpose = serializers.ChoiceField(Run.Purpose.choices)
    state = serializers.ChoiceField(Run.State.choices)
    stage = serializers.CharField()
    step = serializers.IntegerField()
    steps = serializers.IntegerField()
    seconds_left = serializers.FloatField(allow_null=True)
    device = serializers.CharField()
    attempt = serializers.IntegerField()
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    queue_position = serializers.SerializerMethodField()
    requested_by = serializers.CharField(
        source="requested_by.username", default=None, allow_null=True
    )
    batch = BatchLinkSerializer(allow_null=True)
    policy = VersionLinkSerializer(allow_null=True)
    reference = VersionLinkSerializer(allow_null=True)
    reward_model = VersionLinkSerializer(allow_null=True)
    version = serializers.SerializerMethodField()
    guard_standing = serializers.SerializerMethodField()

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_queue_position(self, run: Run) -> int | None:
        """How many runs of its queue end first, those at work among them; null once it runs."""
        if run.state != Run.State.QUEUED:
            return None
        at_work = Q(state__in=[Run.State.RUNNING, Run.State.CANCELLING])
        waits = Q(state=Run.State.QUEUED, pk__lt=run.pk)
        return Run.objects.filter(at_work | waits, queue=run.queue).count()

    @extend_schema_field(VersionLinkSerializer(allow_null=True))
    def get_version(self, run: Run) -> dict[str, Any] | None:
        version = ModelVersion.objects.filter(run=run).first()
        return VersionLinkSerializer(version).data if version else None

    @extend_schema_field(serializers.ChoiceField(["quiet", "warning", "stopped"], allow_null=True))
    def get_guard_standing(self, run: Run) -> str | None:
        """Where a fine-tuning's guard stands; null before it has measured its levels."""
        guard = launch.read_guard(run) if run.kind == Run.Kind.POLICY else None
        return guard["standing"] if guard else None


class VersionSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    project = serializers.SlugField(source="project.slug")
    kind = serializers.ChoiceField(ModelVersion.Kind.choices)
    number = serializers.IntegerField()
    stage = serializers.ChoiceField(ModelVersion.Stage.choices)
    step = serializers.IntegerField(allow_null=True)
    is_reference = serializers.BooleanField()
    source = serializers.CharField()  # type: ignore[assignment]
    created_at = serializers.DateTimeField()
    accuracy = serializers.SerializerMethodField()
    win_rate = serializers.SerializerMethodField()

    @extend_schema_field(AccuracySerializer(allow_null=True))
    def get_accuracy(self, version: ModelVersion) -> dict[str, Any] | None:
        """Of a reward model."""
        return gate.accuracy_of(version.metrics)

    @extend_schema_field(StandingSerializer(allow_null=True))
    def get_win_rate(self, version: ModelVersion) -> dict[str, Any] | None:
        """Of a fine-tuned policy, against the reference."""
        rate = win_rate_of(version)
        return StandingSerializer(rate).data if rate else None


class DecisionSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    what = serializers.CharField()
    reason = serializers.CharField()
    figures = serializers.DictField()
    run = serializers.IntegerField(source="run_id", allow_null=True)
    version = serializers.IntegerField(source="version_id", allow_null=True)
    actor = serializers.CharField(source="actor.username", default=None, allow_null=True)
    round = serializers.IntegerField(source="round.number", default=None, allow_null=True)


class BatchRowSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    size = serializers.IntegerField()
    fresh = serializers.IntegerField()
    sha256 = serializers.CharField()
    simulated = serializers.BooleanField()
    created_at = serializers.DateTimeField()


def win_rate_of(version: ModelVersion) -> WinRate | None:
    """How people judge a fine-tuned policy against its project's reference; None before they met.

    One that was chosen among several states is shown by what was asked afresh, once that is there.
    """
    reference = rounds.reference_of(version.project)
    if version.kind != ModelVersion.Kind.POLICY or reference is None or version == reference:
        return None
    rate = meetings.verdict(version)
    if not rate.n:
        rate = arena.standing(version, reference)
    return rate if rate.n or rate.open else None


def runs_of(project: Any) -> Any:
    return Run.objects.filter(project=project).select_related(
        "project", "batch", "policy", "reference", "reward_model", "requested_by"
    )
