"""bin/manage backup FILE"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation import backup


class Command(BaseCommand):
    help = "Writes database and model store into one file, also while people work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a new file, such as vibecheck.tar")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            manifest = backup.write(file)
        except (backup.BackupError, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{file}: {manifest.in_words()}, {file.stat().st_size / 1e6:.1f} MB")
