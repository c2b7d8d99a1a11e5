"""Projects, their guidelines, and who belongs to them."""

import secrets

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

SHARE = [MinValueValidator(0), MaxValueValidator(1)]


def opaque_key() -> str:
    """A key that says nothing of order, kind or time: 96 random bits."""
    return secrets.token_urlsafe(12)


class Project(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    class Form(models.TextChoices):
        PAIRWISE = "pairwise"
        RANKING = "ranking"
        BEST_OF_K = "best_of_k", "best of K"

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    modality = models.CharField(max_length=20, default="chat")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    response_form = models.CharField(max_length=12, choices=Form, default=Form.PAIRWISE)
    levels_per_side = models.PositiveSmallIntegerField(
        default=3, help_text="Steps of strength a side, the tie apart: 1, 3 or 4."
    )
    flags = models.JSONField(default=list, blank=True, help_text="Names a response can be given.")
    attributes = models.JSONField(default=list, blank=True, help_text="Rated 0 to 4 a response.")
    span_categories = models.JSONField(
        default=list, blank=True, help_text="What words of a response can be marked as."
    )
    rationale_required = models.BooleanField(
        default=False, help_text="An answer must say why in words."
    )
    rewrites = models.BooleanField(
        default=False, help_text="Labelers may write a response anew, better."
    )
    write_first_share = models.FloatField(
        default=0,
        validators=SHARE,
        help_text="Of the prompts: labelers write their own answer before they see the responses.",
    )
    write_first_since = models.DateTimeField(
        default=timezone.now,
        help_text="When that share was set; what was asked before may have been seen.",
    )
    overlap = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Labels wanted a comparison."
    )
    gold_share = models.FloatField(default=0, validators=SHARE)
    anchor_share = models.FloatField(default=0, validators=SHARE)
    heldout_share = models.FloatField(default=0.2, validators=SHARE)
    freeze_after = models.PositiveIntegerField(
        default=200,
        validators=[MinValueValidator(1)],
        help_text="New preferences until a batch is frozen and a reward model trained.",
    )
    grace_seconds = models.PositiveIntegerField(
        default=20, help_text="How long an answer can be undone before a batch may take it."
    )
    talk_replies = models.PositiveSmallIntegerField(
        default=0,
        help_text="Replies of the policy to compare at each turn of a talk, 2 to 4; 0: no talks.",
    )
    simulated = models.BooleanField(
        default=False, help_text="Answered by simulated labelers; said on every page."
    )
    additions = models.PositiveBigIntegerField(
        default=0, help_text="How often comparisons were added: a trigger counts."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    membership: "Membership"  # of the user for whom access.py fetched the project

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(levels_per_side__in=[1, 3, 4]), name="project_levels_1_3_or_4"
            ),
            models.CheckConstraint(
                condition=Q(talk_replies__in=[0, 2, 3, 4]), name="project_talk_replies_0_2_3_4"
            ),
            models.CheckConstraint(condition=Q(overlap__gte=1), name="project_overlap_positive"),
            models.CheckConstraint(
                condition=Q(heldout_share__gte=0, heldout_share__lte=1),
                name="project_heldout_share_in_unit",
            ),
            models.CheckConstraint(
                condition=Q(write_first_share__gte=0, write_first_share__lte=1),
                name="project_write_first_share_in_unit",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "open", "paused", "closed"]),
                name="project_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class Guidelines(models.Model):
    """What labelers are asked to look for; a change is a new version."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="guidelines")
    version = models.PositiveIntegerField()
    text = models.TextField(help_text="Markdown.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "guidelines"
        ordering = ["project", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="guidelines_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.project}, version {self.version}"


class Acknowledgement(models.Model):
    guidelines = models.ForeignKey(Guidelines, models.PROTECT, related_name="acknowledgements")
    labeler = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["guidelines", "labeler"], name="acknowledged_once")
        ]

    def __str__(self) -> str:
        return f"{self.labeler} read {self.guidelines}"


class Role(models.TextChoices):
    LABELER = "labeler"
    REVIEWER = "reviewer"
    MANAGER = "manager"


class Membership(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    project = models.ForeignKey(Project, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.LABELER)
    simulated = models.BooleanField(default=False, help_text="A program answers for this account.")
    places = models.JSONField(
        default=dict, blank=True, help_text="How far they have come in each lane of the queue."
    )
    answers = models.PositiveIntegerField(default=0, help_text="Answers of theirs that stand.")
    answers_today = models.PositiveIntegerField(
        default=0, help_text="Those of them that were stored on answers_day."
    )
    answers_day = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="member_once"),
            models.CheckConstraint(
                condition=Q(role__in=["labeler", "reviewer", "manager"]), name="member_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.project}"


class Invitation(models.Model):
    """A link that lets `seats` people join with `role` until it expires."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="invitations")
    key_sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.LABELER)
    seats = models.PositiveIntegerField(default=1)
    used = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    revoked = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(used__lte=models.F("seats")), name="invitation_seats_not_exceeded"
            )
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.project}, {self.used} of {self.seats} seats"
