"""Conversations of labelers with the policy in service."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotation.models import Comparison, Project, Prompt, Response
from annotation.models.projects import opaque_key
from rewardtrain.models.versions import ModelVersion


class Talk(models.Model):
    """One person's conversation; the newest one of theirs in a project goes on."""

    key = models.CharField(max_length=32, unique=True, default=opaque_key)
    project = models.ForeignKey(Project, models.PROTECT, related_name="talks")
    labeler = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="talks")
    draft = models.TextField(blank=True, help_text="Typed and not yet said.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["labeler", "project", "-id"], name="talk_of_labeler")]

    def __str__(self) -> str:
        return f"{self.labeler} in {self.project}, talk {self.pk}"


class Turn(models.Model):
    """What the labeler said, the policy's replies to it, and the comparison made of them.

    `attempt` fences: a writer whose attempt is over can change nothing.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        WRITING = "writing"
        READY = "ready"
        FAILED = "failed"

    BEING_WRITTEN = (State.WAITING, State.WRITING)

    talk = models.ForeignKey(Talk, models.PROTECT, related_name="turns")
    number = models.PositiveIntegerField()
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="turns")
    policy = models.ForeignKey(
        ModelVersion,
        models.PROTECT,
        null=True,
        related_name="turns",
        help_text="Which writes the replies, from when it begins.",
    )
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    attempt = models.PositiveSmallIntegerField(default=1)
    texts = models.JSONField(
        default=list, help_text="The replies as far as they are written, in the order shown."
    )
    heard_at = models.DateTimeField(
        default=timezone.now, help_text="The writer's last sign of life, or when it was asked."
    )
    error = models.TextField(blank=True)
    comparison = models.ForeignKey(
        Comparison, models.PROTECT, null=True, blank=True, related_name="turns"
    )
    reply = models.ForeignKey(
        Response,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where all replies were the same text: nobody needs to be asked.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["talk", "number"]
        constraints = [
            models.UniqueConstraint(fields=["talk", "number"], name="turn_number_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "writing", "ready", "failed"]),
                name="turn_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.talk}, turn {self.number} ({self.state})"
