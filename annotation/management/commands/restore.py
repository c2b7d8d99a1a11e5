"""bin/manage restore FILE"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation import backup


class Command(BaseCommand):
    help = "Replaces database and model store by those of a backup; stop bin/start before."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what bin/manage backup wrote")
        parser.add_argument(
            "--force", action="store_true", help="even where there are accounts or projects"
        )

    def handle(self, *args: Any, file: Path, force: bool, **options: Any) -> None:
        try:
            manifest = backup.restore(file, force)
        except (backup.BackupError, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{file}: {manifest.in_words()}, restored")
