"""Who was asked what, and what they answered.

A foreign key has no index of its own where another index begins with it: these tables are written
at every answer.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from annotation.models.asked import Comparison, Prompt, Response
from annotation.models.projects import Guidelines, Project, opaque_key


class Assignment(models.Model):
    class State(models.TextChoices):
        LEASED = "leased"
        ANSWERED = "answered"
        SKIPPED = "skipped"
        RELEASED = "released"
        EXPIRED = "expired"

    key = models.CharField(max_length=32, unique=True, default=opaque_key)
    comparison = models.ForeignKey(
        Comparison, models.PROTECT, related_name="assignments", db_index=False
    )
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments", db_index=False
    )
    state = models.CharField(max_length=8, choices=State, default=State.LEASED)
    order = ArrayField(
        models.PositiveSmallIntegerField(),
        help_text="The comparison's place shown at each position, left first.",
    )
    token = models.UUIDField(default=uuid.uuid4)
    expires_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=40, blank=True)
    skip_note = models.TextField(blank=True)
    draft = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"], name="assignment_expiry", condition=Q(state="leased")
            ),
            models.Index(fields=["labeler", "state"], name="assignment_of_labeler"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["comparison", "labeler"], name="asked_once_a_labeler"),
            models.CheckConstraint(
                condition=Q(state__in=["leased", "answered", "skipped", "released", "expired"]),
                name="assignment_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.labeler}: {self.comparison_id} ({self.state})"


class Preference(models.Model):
    """One answer, immutable: a correction is a new row that supersedes this one."""

    class Origin(models.TextChoices):
        HUMAN = "human"
        SIMULATED = "simulated"
        IMPORT = "import"
        ADJUDICATION = "adjudication"

    class Outcome(models.TextChoices):
        PREFER = "prefer"
        TIE = "tie"
        BOTH_GOOD = "both_good", "both good"
        BOTH_BAD = "both_bad", "both bad"
        ALL_GOOD = "all_good", "all good"
        ALL_BAD = "all_bad", "all bad"
        UNANSWERABLE = "unanswerable"

    class Ranking(models.TextChoices):
        COMPLETE = "complete"
        BEST = "best"

    project = models.ForeignKey(Project, models.PROTECT, related_name="preferences", db_index=False)
    assignment = models.ForeignKey(
        Assignment, models.PROTECT, null=True, related_name="preferences", db_index=False
    )
    comparison = models.ForeignKey(Comparison, models.PROTECT, related_name="preferences")
    labeler = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="preferences",
        db_index=False,
    )
    origin = models.CharField(max_length=12, choices=Origin)
    revision = models.PositiveIntegerField(default=1)
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    retracted = models.BooleanField(default=False)
    surplus = models.BooleanField(default=False)
    outcome = models.CharField(max_length=12, choices=Outcome)
    tiers = models.JSONField(help_text="Response ids, best tier first.")
    ranking = models.CharField(max_length=8, choices=Ranking, default=Ranking.COMPLETE)
    strength = models.PositiveSmallIntegerField(null=True, blank=True)
    levels = models.PositiveSmallIntegerField(default=1)
    order = ArrayField(
        models.BigIntegerField(), default=list, help_text="Response ids as shown, left first."
    )
    flags = models.JSONField(default=dict, blank=True, help_text="Response id to names.")
    ratings = models.JSONField(default=dict, blank=True, help_text="Response id to attributes.")
    spans = models.JSONField(
        default=list,
        blank=True,
        help_text="Response id, message, start and end in code points, quote, category.",
    )
    rationale = models.TextField(blank=True)
    active_ms = models.PositiveIntegerField(null=True, blank=True)
    guidelines = models.ForeignKey(Guidelines, models.PROTECT, null=True, blank=True)
    idempotency_key = models.UUIDField(unique=True, default=uuid.uuid4)
    request_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the answer as sent: a replay must be the same."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["labeler", "-created_at"], name="preference_of_labeler"),
            models.Index(fields=["project", "-created_at"], name="preference_of_project"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "revision"], name="revision_once_an_assignment"
            ),
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        "prefer",
                        "tie",
                        "both_good",
                        "both_bad",
                        "all_good",
                        "all_bad",
                        "unanswerable",
                    ]
                ),
                name="preference_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(assignment__isnull=False) | Q(origin__in=["import", "adjudication"]),
                name="preference_of_a_person_has_assignment",
            ),
            models.CheckConstraint(
                condition=Q(strength__isnull=True)
                | Q(strength__gte=1, strength__lte=models.F("levels")),
                name="preference_strength_within_levels",
            ),
            models.CheckConstraint(
                condition=Q(revision=1) | Q(supersedes__isnull=False),
                name="preference_revision_supersedes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} on {self.comparison_id} by {self.labeler}"


class Demonstration(models.Model):
    """An ideal answer that a person wrote, before seeing any or as a rewrite of one.

    A rewrite came with a preference, and stands as long as that does.
    """

    class How(models.TextChoices):
        WRITTEN = "written"
        REWRITE = "rewrite"

    project = models.ForeignKey(Project, models.PROTECT, related_name="demonstrations")
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="demonstrations")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    assignment = models.ForeignKey(Assignment, models.PROTECT, null=True, blank=True)
    rewrite_of = models.ForeignKey(Response, models.PROTECT, null=True, blank=True)
    preference = models.ForeignKey(
        Preference, models.PROTECT, null=True, blank=True, related_name="rewrites"
    )
    how = models.CharField(max_length=8, choices=How)
    text = models.TextField()
    seconds = models.FloatField(null=True, blank=True, help_text="Active time to write it.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(how="written") | Q(rewrite_of__isnull=False),
                name="rewrite_names_its_response",
            ),
            models.CheckConstraint(
                condition=Q(how="written") | Q(preference__isnull=False),
                name="rewrite_came_with_a_preference",
            ),
            models.UniqueConstraint(
                fields=["author", "prompt"],
                condition=Q(how="written"),
                name="written_once_a_prompt",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]
