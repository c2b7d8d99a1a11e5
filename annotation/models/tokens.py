"""Keys by which a program acts for a person."""

from django.db import models
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):
    """Only the hash of the token is stored; its first characters name it."""

    name = models.CharField(max_length=60, blank=True)
