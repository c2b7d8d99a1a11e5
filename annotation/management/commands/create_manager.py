"""bin/manage create_manager USERNAME: the first account, which may create projects."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.accounts import open_account, reset_path
from annotation.refused import Refused


class Command(BaseCommand):
    help = "Make an account that may create projects, and print a link to choose its password by."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument(
            "--admin", action="store_true", help="may also see and change every row, in /admin/"
        )

    def handle(self, *, username: str, admin: bool, **options: object) -> None:
        try:
            user = open_account(username=username, password=None, is_staff=True, is_superuser=admin)
        except Refused as refused:
            raise CommandError(f"{refused.message} {refused.fix}") from None
        self.stdout.write(settings.SITE_ROOT + reset_path(user))
