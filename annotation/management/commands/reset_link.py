"""bin/manage reset_link USERNAME: print a link to set a new password by."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.accounts import reset_path
from annotation.events import record


class Command(BaseCommand):
    help = "Print a link, good once and for a day, to set an account's password by."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *, username: str, **options: object) -> None:
        user = get_user_model().objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active account {username!r}.")
        record(project=None, actor=None, verb="made a reset link", subject=f"account {username}")
        self.stdout.write(settings.SITE_ROOT + reset_path(user))
