"""bin/manage import_comparisons PROJECT FILE [--create]"""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.imports import import_comparisons, open_lines
from annotation.models import Project


class Command(BaseCommand):
    help = (
        "Read comparisons, with or without preferences, from JSONL (gzip too): ours, TRL's "
        "prompt/chosen/rejected, or HH's chosen/rejected dialogues. Importing twice adds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Slug of the project.")
        parser.add_argument("file", type=Path)
        parser.add_argument("--create", action="store_true", help="Make the project if absent.")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, path = options["project"], options["file"]
        if not path.is_file():
            raise CommandError(f"FILE {path} does not exist; give a JSONL file.")
        project = Project.objects.filter(slug=slug).first()
        if project is None and not options["create"]:
            raise CommandError(f"PROJECT {slug} does not exist; add --create to make it.")
        if project is None:
            project = Project.objects.create(slug=slug, name=slug, state=Project.State.OPEN)
        began = time.monotonic()
        with path.open("rb") as file:
            report = import_comparisons(project, open_lines(file), source=path.name)
        for error in report.errors:
            self.stderr.write(f"line {error.line}: {error.reason}")
        self.stdout.write(
            f"{report.created} comparisons new, {report.existing} there already, "
            f"{report.preferences} preferences new, {len(report.errors)} lines not read, "
            f"in {time.monotonic() - began:.1f} s."
        )
