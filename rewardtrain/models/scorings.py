"""Texts that somebody had scored by a reward model."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from rewardtrain.models.versions import ModelVersion


class Scoring(models.Model):
    """A prompt and responses with a reward model's scores; the same texts are scored once."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="scorings")
    messages = models.JSONField()
    responses = models.JSONField(help_text="Each a list of messages.")
    sha256 = models.CharField(max_length=64, help_text="Of messages and responses.")
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "sha256"], name="scoring_once_a_version")
        ]

    def __str__(self) -> str:
        return f"{len(self.responses)} responses scored by {self.version}"
