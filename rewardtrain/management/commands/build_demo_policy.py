"""Build the demo's policy anew from its grammar of tales; minutes on two cores."""

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from rewardtrain.launch import script_environment


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", nargs="?", help="folder; that of the demo when left out")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        where = [options["out"]] if options["out"] else []
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "rewardtrain.scripts.build_demo_policy",
                *where,
                "--seed",
                str(options["seed"]),
            ],
            cwd=settings.BASE_DIR,
            env=script_environment("build_demo_policy", offline=True),
        )
        if done.returncode:
            raise CommandError("The policy was not built, for the reason above.")
