"""What anybody who labels may ring when a model does harm, and who looked at it."""

from django.conf import settings
from django.db import models

from annotation.models.projects import Project


class Alarm(models.Model):
    """Somebody says that something is broken; open until a manager has looked at it."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="alarms")
    labeler = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.labeler}: {self.note[:60] or 'something is broken'}"
