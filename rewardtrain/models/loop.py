"""A project's rules for its circle, and the story of what was decided on which figures."""

from django.conf import settings
from django.db import models

from annotation.models import Project


class LoopPolicy(models.Model):
    """What a project trains with, and when."""

    project = models.OneToOneField(Project, models.PROTECT, related_name="loop_policy")
    reward_backbone = models.CharField(
        max_length=300, blank=True, help_text="Path or hub name; empty: the reference policy."
    )

    class Promotion(models.TextChoices):
        MANAGER = "manager"
        ARENA = "arena"

    class Selection(models.TextChoices):
        RANDOM = "random"
        D_OPTIMAL = "d_optimal"
        UNCERTAIN = "uncertain"

    autopilot = models.BooleanField(
        default=False, help_text="Fine-tune and ask again without a click."
    )
    promotion = models.CharField(
        max_length=7,
        choices=Promotion,
        default=Promotion.MANAGER,
        help_text="Who puts a policy into service: a manager, or the arena's verdict.",
    )
    freeze_hours = models.PositiveIntegerField(
        null=True, blank=True, help_text="Freeze what is new after so many hours, however few."
    )
    freeze_early = models.BooleanField(
        default=True,
        help_text="Freeze once the reward model orders new labels clearly worse than at its gate.",
    )
    second_opinion = models.BooleanField(
        default=False,
        help_text="Learn from half of the threads; a model of the others watches fine-tuning.",
    )
    step_budget = models.PositiveIntegerField(
        null=True, blank=True, help_text="Steps of fine-tuning that autopilot may take a round."
    )
    minute_budget = models.PositiveIntegerField(
        null=True, blank=True, help_text="Minutes of training a round; what is over is cancelled."
    )
    prompts_per_round = models.PositiveIntegerField(
        default=60, help_text="Prompts the policy answers for each round of comparisons."
    )
    selection = models.CharField(
        max_length=9,
        choices=Selection,
        default=Selection.RANDOM,
        help_text="How comparisons are chosen once there are enough labels to choose by.",
    )
    samples_per_prompt = models.PositiveSmallIntegerField(default=2)
    arena_prompts = models.PositiveIntegerField(
        default=20, help_text="Held-out prompts of a blind comparison with the reference."
    )
    arena_checkpoints = models.PositiveSmallIntegerField(
        default=3, help_text="Earlier states of a policy that people compare beside the last one."
    )
    equal_length = models.BooleanField(
        default=False, help_text="Rate policies as if all wrote texts of equal length."
    )
    reward_options = models.JSONField(
        default=dict, blank=True, help_text="Fields of RewardConfig that differ from its defaults."
    )
    policy_options = models.JSONField(
        default=dict, blank=True, help_text="Fields of PolicyConfig that differ from its defaults."
    )
    generate_options = models.JSONField(
        default=dict, blank=True, help_text="Fields of GenerateConfig that differ."
    )
    seed = models.PositiveIntegerField(
        default=0, help_text="Every run's seed, and which prompts are asked, follow from it."
    )

    class Meta:
        verbose_name_plural = "loop policies"

    def __str__(self) -> str:
        return f"loop policy of {self.project}"


class Round(models.Model):
    """One turn of the circle: ask, freeze, reward model, fine-tune, arena."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="rounds")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["project", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="round_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.project}, round {self.number}"


class Decision(models.Model):
    """A line of the story: what was decided, why, on which figures, by whom (null: the loop)."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="decisions")
    round = models.ForeignKey(Round, models.PROTECT, null=True, related_name="decisions")
    what = models.CharField(max_length=40)
    reason = models.TextField()
    figures = models.JSONField(default=dict, blank=True)
    run = models.ForeignKey("Run", models.PROTECT, null=True, blank=True, related_name="decisions")
    version = models.ForeignKey(
        "ModelVersion", models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.what}: {self.reason[:60]}"
