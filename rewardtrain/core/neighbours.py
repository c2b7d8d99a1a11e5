"""The comparisons that taught a reward model, found by how alike it reads their responses.

A reward run leaves, beside its data.jsonl, the states in which its model read every response of the
train split, at unit length. What lies nearest to a new response by cosine is what its score most
likely came from.
"""

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from rewardtrain.contract import DATA, STATES

MOST = 20_000
"""Responses whose states are kept; of more, those that come first."""


def keep_states(directory: Path, states: torch.Tensor, rows: Sequence[int]) -> None:
    """Leave the states (N, hidden) of responses, each with its row of data.jsonl, in half
    precision: a cosine needs no more."""
    unit = torch.nn.functional.normalize(states[:MOST], dim=1).half()
    of_row = torch.tensor(rows[:MOST], dtype=torch.int64)
    save_file({"states": unit.contiguous(), "rows": of_row}, directory / STATES)


def nearest(directory: Path, states: torch.Tensor, count: int) -> list[list[dict[str, Any]]]:
    """For each state (n, hidden) the `count` comparisons with the most alike response.

    Returns:
        {likeness, messages, responses, outcome, tiers} each, most alike first; likeness is the
        cosine. Empty lists where the run left no states.
    """
    path = directory / STATES
    if not path.is_file():
        return [[] for _ in states]
    kept = load_file(path)
    likeness = torch.nn.functional.normalize(states.float(), dim=1) @ kept["states"].float().T
    of_row = kept["rows"].tolist()
    chosen: list[dict[int, float]] = []
    for near in likeness:
        found: dict[int, float] = {}
        for place in near.argsort(descending=True).tolist():
            found.setdefault(of_row[place], near[place].item())
            if len(found) == count:
                break
        chosen.append(found)
    lines = _lines(directory / DATA, {row for found in chosen for row in found})
    return [[{"likeness": value, **lines[row]} for row, value in found.items()] for found in chosen]


def _lines(path: Path, wanted: set[int]) -> dict[int, dict[str, Any]]:
    shown = ("messages", "responses", "outcome", "tiers")
    with path.open(encoding="utf-8") as file:
        picked = {
            number: json.loads(line)
            for number, line in enumerate(islice(file, max(wanted, default=-1) + 1))
            if number in wanted
        }
    return {number: {name: row[name] for name in shown} for number, row in picked.items()}
