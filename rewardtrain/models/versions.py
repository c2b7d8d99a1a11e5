"""Model versions with their lineage, what they wrote, and how they met."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models import Batch, Comparison, Project, Prompt, Response
from rewardtrain.models.runs import Run


class ModelVersion(models.Model):
    class Kind(models.TextChoices):
        REWARD = "reward", "reward model"
        POLICY = "policy", "policy"

    class Stage(models.TextChoices):
        CANDIDATE = "candidate"
        PROVISIONAL = "provisional"
        PROMOTED = "promoted"
        ARCHIVED = "archived"

    IN_SERVICE = (Stage.PROVISIONAL, Stage.PROMOTED)

    project = models.ForeignKey(Project, models.PROTECT, related_name="versions")
    kind = models.CharField(max_length=6, choices=Kind)
    number = models.PositiveIntegerField()
    stage = models.CharField(max_length=11, choices=Stage, default=Stage.CANDIDATE)
    is_reference = models.BooleanField(default=False)
    source = models.CharField(max_length=300, help_text="Path under a model root, or a hub name.")
    run = models.OneToOneField(Run, models.PROTECT, null=True, blank=True, related_name="version")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    checkpoint_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="checkpoints",
        help_text="The policy of whose run it is an earlier state; it bears that one's number.",
    )
    step = models.PositiveIntegerField(null=True, blank=True, help_text="Of a checkpoint.")
    reward_model = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="policies",
        help_text="What a policy was optimised against.",
    )
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="versions")
    weights_sha256 = models.CharField(max_length=64, blank=True)
    data_sha256 = models.CharField(max_length=64, blank=True)
    config_sha256 = models.CharField(max_length=64, blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    tainted = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["project", "kind", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind", "number", "step"],
                name="version_number_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(checkpoint_of__isnull=True, step__isnull=True)
                | Q(checkpoint_of__isnull=False, step__isnull=False, run__isnull=True),
                name="checkpoint_has_a_step",
            ),
            models.UniqueConstraint(
                fields=["project", "kind"],
                condition=Q(stage__in=["provisional", "promoted"]),
                name="one_version_in_service",
            ),
            models.UniqueConstraint(
                fields=["project"], condition=Q(is_reference=True), name="one_reference_a_project"
            ),
            models.CheckConstraint(
                condition=Q(is_reference=False) | Q(kind="policy"),
                name="reference_is_a_policy",
            ),
        ]

    def __str__(self) -> str:
        at = "" if self.step is None else f" at step {self.step}"
        return f"{self.get_kind_display()} {self.number}{at}".capitalize()

    @property
    def last_state(self) -> "ModelVersion":
        """The policy that a checkpoint belongs to; any other version itself."""
        return self.checkpoint_of or self

    @property
    def trained_by(self) -> Run | None:
        """The run in which it came to be; None for a model that was named."""
        return self.last_state.run


class Generation(models.Model):
    """A response as a model version wrote it, in a run or a talk, with what the sampler knew."""

    response = models.ForeignKey(Response, models.PROTECT, related_name="generations")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="generations")
    run = models.ForeignKey(Run, models.PROTECT, null=True, blank=True, related_name="generations")
    turn = models.ForeignKey(
        "Turn", models.PROTECT, null=True, blank=True, related_name="generations"
    )
    index = models.PositiveIntegerField(
        help_text="Which of the samples for its prompt, in that run or turn."
    )
    logprob = models.FloatField(null=True)
    kl = models.FloatField(null=True, help_text="Exact KL to the reference, in nats.")
    tokens = models.PositiveIntegerField(default=0)
    truncated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "version", "response", "index"], name="generation_once_a_sample"
            ),
            models.UniqueConstraint(fields=["turn", "index"], name="generation_once_a_reply"),
            models.CheckConstraint(
                condition=Q(run__isnull=False, turn__isnull=True)
                | Q(run__isnull=True, turn__isnull=False),
                name="generation_of_run_or_turn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.response}"


class Match(models.Model):
    """A blind meeting of two policies on a held-out prompt.

    `comparison` is null when both wrote the same text: a tie that nobody is asked.
    """

    run = models.ForeignKey(Run, models.PROTECT, related_name="matches")
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="+")
    policy = models.ForeignKey(ModelVersion, models.PROTECT, related_name="matches")
    opponent = models.ForeignKey(ModelVersion, models.PROTECT, related_name="matches_against")
    policy_response = models.ForeignKey(Response, models.PROTECT, related_name="+")
    opponent_response = models.ForeignKey(Response, models.PROTECT, related_name="+")
    comparison = models.ForeignKey(
        Comparison, models.PROTECT, null=True, blank=True, related_name="matches"
    )

    class Meta:
        verbose_name_plural = "matches"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "prompt", "policy", "opponent"], name="match_once_a_prompt"
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy} against {self.opponent}"


class Suspect(models.Model):
    """A sample that may have fooled the reward model, beside the reference's to the same prompt.

    Those on training prompts the guard found while the policy trained, those on held-out ones were
    written afterwards by the same checkpoint. `comparison` is null when both texts are the same.
    """

    run = models.ForeignKey(
        Run, models.PROTECT, related_name="suspects", help_text="The policy run it comes from."
    )
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="+")
    response = models.ForeignKey(Response, models.PROTECT, related_name="+")
    reference_response = models.ForeignKey(Response, models.PROTECT, related_name="+")
    comparison = models.ForeignKey(
        Comparison, models.PROTECT, null=True, blank=True, related_name="suspects"
    )
    step = models.PositiveIntegerField()
    why = models.CharField(max_length=40)
    kl = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "response"], name="suspect_once_a_run")
        ]

    def __str__(self) -> str:
        return f"{self.why}: {self.response}"

    @property
    def policy_response_id(self) -> int:
        """As a match calls it."""
        return self.response_id


class Score(models.Model):
    """What a reward model gives a response."""

    response = models.ForeignKey(Response, models.PROTECT, related_name="scores")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="scores")
    head = models.CharField(max_length=40, default="preference")
    value = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["response", "version", "head"], name="score_once_a_head"
            )
        ]

    def __str__(self) -> str:
        return f"{self.value:.3f} by {self.version}"


class ModelCheck(models.Model):
    """Whether a worker can load a name that a manager entered, and why not."""

    class State(models.TextChoices):
        WAITING = "waiting"
        LOADABLE = "loadable"
        REFUSED = "refused"

    project = models.ForeignKey(Project, models.PROTECT, related_name="model_checks")
    source = models.CharField(max_length=300)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.TextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.source}: {self.state}"
