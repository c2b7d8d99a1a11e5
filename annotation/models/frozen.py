"""What is fixed for good: batches that training reads, and the story of who changed what."""

from django.conf import settings
from django.db import models

from annotation.models.answers import Preference
from annotation.models.projects import Project


class Batch(models.Model):
    """A frozen, cumulative list of countable preferences."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    preferences = models.ManyToManyField(Preference, through="BatchItem", related_name="batches")
    size = models.PositiveIntegerField()
    fresh = models.PositiveIntegerField(help_text="Preferences that no earlier batch holds.")
    sha256 = models.CharField(max_length=64, help_text="Of the canonical JSONL.")
    simulated = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["project", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="batch_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.project}, batch {self.number}"


class BatchItem(models.Model):
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="items")
    preference = models.ForeignKey(Preference, models.PROTECT, related_name="batch_items")
    place = models.PositiveIntegerField()

    class Meta:
        ordering = ["batch", "place"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "preference"], name="preference_once_a_batch"),
            models.UniqueConstraint(fields=["batch", "place"], name="batch_place_once"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}[{self.place}]"


class Event(models.Model):
    """Who changed what state, when."""

    project = models.ForeignKey(Project, models.PROTECT, null=True, related_name="events")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=40)
    subject = models.CharField(max_length=80, help_text="Which row: project tales, member lena.")
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "-id"], name="event_of_project")]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"
