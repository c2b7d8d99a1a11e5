"""The keys that people have given to actions of the pages."""

from django.conf import settings
from django.db import models


class OwnKeys(models.Model):
    """One person's; what they did not change is not there."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="own_keys")
    keys = models.JSONField(default=dict, blank=True, help_text="Action to key.")

    class Meta:
        verbose_name_plural = "own keys"

    def __str__(self) -> str:
        return f"{self.user}: {len(self.keys)} keys"
