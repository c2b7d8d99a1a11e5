"""Fine-tune on a learnt reward, with and without a guard, and see what true score is kept."""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rewardtrain.overoptimise.results import figures_of, table, together
from rewardtrain.overoptimise.settings import SETTINGS


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--setting", choices=[*SETTINGS], help="one alone; else all")
        parser.add_argument("--seeds", default="5-7", help="such as 5-7 or 5; 5-14 are reported")
        parser.add_argument("--json", action="store_true", help="one JSON object, not a table")

    def handle(self, *args: Any, **options: Any) -> None:
        names = [options["setting"]] if options["setting"] else [*SETTINGS]
        wanted = [(name, seed) for name in names for seed in seeds_of(options["seeds"])]
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
            results = pool.map(lambda one: self.run_seed(Path(folder), *one), wanted)
            seeds = [figures_of(result) for result in results]
        by_setting = {
            name: together([seed for seed in seeds if seed["setting"] == name]) for name in names
        }
        if options["json"]:
            found = {"settings": by_setting, "seeds": seeds}
            self.stdout.write(json.dumps(found, indent=1))
        else:
            self.stdout.write("\n".join([*table(seeds), json.dumps(by_setting, indent=1)]))

    def run_seed(self, folder: Path, name: str, seed: int) -> dict[str, Any]:
        directory = folder / f"{name}-{seed}"
        directory.mkdir()
        command = [sys.executable, "-m", "rewardtrain.overoptimise.arms", str(directory), name]
        with (directory / "log.txt").open("w") as log:
            done = subprocess.run(
                [*command, str(seed)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
            )
        if done.returncode:
            end = (directory / "log.txt").read_text(encoding="utf-8")[-2000:]
            raise CommandError(f"{name}, seed {seed} failed:\n{end}")
        self.stderr.write(f"== {name}, seed {seed} is done")
        return json.loads((directory / "result.json").read_text(encoding="utf-8"))


def seeds_of(text: str) -> list[int]:
    """ "5-7" as 5, 6, 7."""
    first, _, last = text.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal() and int(first) <= int(last or first)):
        raise CommandError(f"--seeds is {text!r}: it must be a number or a range such as 5-7.")
    return list(range(int(first), int(last or first) + 1))
