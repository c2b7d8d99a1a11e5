"""Comparisons to fit a reward model to, and fitting it."""

import json
from pathlib import Path

from rewardtrain.contract import read_status
from rewardtrain.core.runlog import run
from rewardtrain.scripts.train_reward import train_reward


def say(text: str, role: str = "assistant") -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


def comparison(i: int, **over) -> dict:
    """The longer tale about the lamp is preferred; every fifth thread root is held out."""
    return {
        "comparison": f"c{i}",
        "thread_root": f"root {i // 2}",
        "split": "heldout" if i // 2 % 5 == 0 else "train",
        "messages": say(f"Tell a tale of {i} foxes.", "user"),
        "responses": [
            say("They found a red lamp. All was well. " * (1 + i % 2)),
            say("They lost a blue cup. "),
        ],
        "outcome": "prefer",
        "tiers": [[0], [1]],
        **over,
    }


def report_of(directory: Path) -> dict:
    return json.loads((directory / "report.json").read_text())


def trained(directory: Path) -> dict:
    assert run("reward", train_reward, [str(directory)]) == 0, read_status(directory)
    return report_of(directory)
