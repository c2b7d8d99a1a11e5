"""Runs and the metrics they write."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models import Batch, Project
from rewardtrain.models.loop import Round


class Run(models.Model):
    class Kind(models.TextChoices):
        GENERATE = "generate"
        REWARD = "reward"
        POLICY = "policy"
        EVALUATE = "evaluate"
        SELECT = "select"

    class Purpose(models.TextChoices):
        """What a generate or evaluate run is for; the others have one purpose."""

        ASK = "ask"
        POOL = "pool"
        ARENA = "arena"
        CONFIRM = "confirm"
        SUSPECT = "suspect"
        WATCH = "watch"
        TRAIN = "train"
        MEASURE = "measure"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        CANCELLING = "cancelling"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ASKING = (Purpose.ASK, Purpose.POOL)
    """What people compare comes of it, at once or after a strategy has drawn from it."""

    MEETINGS = (Purpose.ARENA, Purpose.CONFIRM)
    """Policies meet on what such a run writes; CONFIRM is the second time, on fresh prompts."""

    TRAINING = (Kind.REWARD, Kind.POLICY)

    ACTIVE = (State.QUEUED, State.RUNNING, State.CANCELLING)

    project = models.ForeignKey(Project, models.PROTECT, related_name="runs")
    round = models.ForeignKey(Round, models.PROTECT, null=True, blank=True, related_name="runs")
    kind = models.CharField(max_length=8, choices=Kind)
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.TRAIN)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    queue = models.CharField(max_length=8, default="train")
    configuration = models.JSONField(
        default=dict, help_text="The contract's Config without attempt and lineage."
    )
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="runs")
    policy = models.ForeignKey(
        "ModelVersion", models.PROTECT, null=True, blank=True, related_name="runs_from"
    )
    reference = models.ForeignKey(
        "ModelVersion", models.PROTECT, null=True, blank=True, related_name="runs_anchored"
    )
    reward_model = models.ForeignKey(
        "ModelVersion", models.PROTECT, null=True, blank=True, related_name="runs_rewarded"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    attempt = models.PositiveIntegerField(default=0)
    lost = models.PositiveSmallIntegerField(
        default=0, help_text="How often its process or worker vanished."
    )
    worker = models.CharField(
        max_length=200, blank=True, help_text="Host, process and its start, of who looks after it."
    )
    pid = models.IntegerField(null=True, blank=True, help_text="Leader of its process group.")
    sent_at = models.DateTimeField(
        null=True, blank=True, help_text="When a worker was last told that it waits."
    )
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    step = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=200, blank=True)
    device = models.CharField(max_length=120, blank=True)
    seconds_left = models.FloatField(null=True, blank=True)
    ingested_bytes = models.BigIntegerField(default=0)
    report = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["generate", "reward", "policy", "evaluate", "select"]),
                name="run_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "queued",
                        "running",
                        "cancelling",
                        "succeeded",
                        "failed",
                        "cancelled",
                    ]
                ),
                name="run_state_known",
            ),
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(kind="reward") & ~Q(state__in=["failed", "cancelled"]),
                name="one_reward_run_a_batch",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                name="run_active",
                condition=Q(state__in=["queued", "running", "cancelling"]),
            )
        ]

    def __str__(self) -> str:
        return f"run {self.pk} ({self.kind}, {self.state})"


class Metric(models.Model):
    """One log step of a run; the latest attempt wins a step."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="metrics")
    attempt = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    time = models.DateTimeField()
    values = models.JSONField()

    class Meta:
        ordering = ["run", "step"]
        constraints = [
            models.UniqueConstraint(fields=["run", "attempt", "step"], name="metric_step_once")
        ]

    def __str__(self) -> str:
        return f"run {self.run_id}, step {self.step}"
