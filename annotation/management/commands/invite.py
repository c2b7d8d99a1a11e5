"""bin/manage invite PROJECT --role labeler --seats 10 --days 7: print a link to join it by."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.invitations import invite
from annotation.models import Project
from annotation.models.projects import Role


class Command(BaseCommand):
    help = "Print a link by which people make an account and join a project."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="its slug, as in its address")
        parser.add_argument("--role", choices=Role.values, default=Role.LABELER)
        parser.add_argument("--seats", type=int, default=1, help="how many may join by it")
        parser.add_argument("--days", type=int, default=7, help="until it expires")

    def handle(self, *, project: str, role: str, seats: int, days: int, **options: object) -> None:
        if seats < 1 or days < 1:
            raise CommandError("--seats and --days must be 1 or more.")
        row = Project.objects.filter(slug=project).first()
        if row is None:
            known = ", ".join(Project.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"There is no project {project!r}; there are: {known}.")
        _, path = invite(project=row, actor=None, role=role, seats=seats, days=days)
        self.stdout.write(settings.SITE_ROOT + path)
