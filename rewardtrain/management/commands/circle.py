"""Turn the whole circle with simulated labelers, on real parts, and print its figures."""

import json
import signal
import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from rewardtrain.simulation.people import RefusedByServer
from rewardtrain.simulation.servers import ServersEnded
from rewardtrain.simulation.story import CircleStands, turn


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rounds", type=int, default=2)
        parser.add_argument(
            "--labels", type=int, default=240, help="a round; those of the arena come on top"
        )
        parser.add_argument("--seed", type=int, default=0, help="the same seed, the same figures")
        parser.add_argument("--steps", type=int, help="of each fine-tuning")
        parser.add_argument("--json", action="store_true", help="one JSON object, not a table")

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        call_command("migrate", verbosity=0)
        try:
            figures = turn(
                turns=options["rounds"],
                labels=options["labels"],
                seed=options["seed"],
                steps=options["steps"],
                say=lambda text: self.stderr.write(f"== {text}"),
            )
        except (CircleStands, RefusedByServer, ServersEnded) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=1))
        else:
            self.stdout.write("\n".join(table(figures)))


def table(figures: dict[str, Any]) -> list[str]:
    columns = "{:>5} {:>6} {:>13} {:>10} {:>13} {:>6} {:>9} {:>9} {:>8}"
    heads = [
        "round",
        "labels",
        "acc(folds)",
        "acc(fresh)",
        "proxy",
        "KL",
        "win(arena)",
        "win(fresh)",
        "endings",
    ]
    lines = [columns.format(*heads)]
    for turned in figures["rounds"]:
        reward, policy = turned["reward_model"], turned["policy"]
        folds = reward["accuracy"]
        proxy = f"{policy['proxy_before']['mean']:.2f}>{policy['proxy_after']['mean']:.2f}"
        endings = policy["distinct_endings"] / policy["distinct_endings_of_reference"]
        lines.append(
            columns.format(
                turned["round"],
                turned["preferences"],
                f"{folds['value']:.3f}" if folds else "-",
                f"{reward['noiseless_accuracy']['accuracy']:.3f}",
                proxy,
                f"{policy['kl']['mean']:.1f}",
                f"{policy['arena']['value']:.3f}",
                f"{policy['win_rate']['value']:.3f}",
                f"{endings:.2f}",
            )
        )
    return [*lines, f"{figures['seconds']:.0f} s in all; project {figures['project']}"]
