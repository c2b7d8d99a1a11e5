"""Make the demo's accounts and projects where they are absent."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from rewardtrain import loop, worker
from rewardtrain.demo.projects import load_demo


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--now",
            action="store_true",
            help="let the policy write its first tales here, not in a worker after the start",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        made = load_demo()
        for project in made:
            loop.advance(project)
        if options["now"]:
            while worker.work_off("infer"):
                pass
        if made:
            names = " and ".join(project.name for project in made)
            self.stdout.write(f"== Loaded {names} in {time.monotonic() - began:.0f} s")
