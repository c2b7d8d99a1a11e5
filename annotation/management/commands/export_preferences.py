"""bin/manage export_preferences PROJECT > FILE"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.exports import as_jsonl, left_out, trl_preferences
from annotation.models import Project


class Command(BaseCommand):
    help = "Write the preferences that stand as TRL's JSONL: prompt, chosen, rejected, margin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Slug of the project.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"PROJECT {options['project']} does not exist.")
        for line in as_jsonl(trl_preferences(project)):
            self.stdout.write(line, ending="")
        if dropped := left_out(project):
            self.stderr.write(
                f"{dropped} preferences without a chosen side (ties, both good, both bad, "
                "unanswerable) have no place in this format and were left out."
            )
