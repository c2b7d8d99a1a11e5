"""bin/manage prune_runs"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from rewardtrain import prune


class Command(BaseCommand):
    help = "Shows what runs left behind that nothing needs, and with --delete removes it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="remove what is shown")

    def handle(self, *args: Any, delete: bool, **options: Any) -> None:
        spare = prune.spare()
        for found in spare:
            why = prune.WORDS[found.why].format(run=found.run)
            self.stdout.write(f"{found.size / 1e6:10.1f} MB  {found.path}  ({why})")
            if delete:
                prune.delete(found)
        total = sum(found.size for found in spare) / 1e6
        done = "removed" if delete else "may be removed with --delete"
        self.stdout.write(f"{total:10.1f} MB in {len(spare)} folders {done}.")
