"""What a fit of a reward model learns from: its rows as tokens, its batches, its steps."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch.utils.data import Dataset

from rewardtrain.contract import RANDOM, ComparisonRow, RewardConfig
from rewardtrain.core.data import mixed_batches
from rewardtrain.core.losses import decided_pairs
from rewardtrain.core.metrics import Judged, judge
from rewardtrain.core.packing import Budget, Layout, Pass, Tokens, pack
from rewardtrain.core.reward_model import RewardModel
from rewardtrain.core.tokens import encode_all


@dataclass(frozen=True)
class Fit:
    """A model to fit: the rows it learns from and those it is judged on, as indices."""

    name: str
    role: Literal["fold", "curve", "labelers", "whole", "second", "final"]
    """One of a cross-validation, one to part of the labels, one to both halves of them, the second
    opinion's, or the model's own."""
    train: list[int]
    judged: list[int]

    def steps(self, config: RewardConfig) -> int:
        """Optimiser steps of the whole fit."""
        return config.epochs * -(-len(self.train) // config.batch_size)


def decided(row: ComparisonRow) -> bool:
    """Whether the comparison puts one response above another."""
    return row.outcome == "prefer" and bool(decided_pairs(row.tiers))


def judges(row: ComparisonRow) -> bool:
    """Whether a model may be judged by the comparison: decided, and steered by no strategy."""
    return decided(row) and row.stream == RANDOM


class Texts:
    """Every response of every row as tokens, read once for all fits."""

    def __init__(
        self, model: RewardModel, rows: Sequence[ComparisonRow], cache: Path | None = None
    ) -> None:
        encoded = encode_all(
            model, [(row.messages, r) for row in rows for r in row.responses], cache
        )
        self.all = [ids for ids, _ in encoded]
        self.shortened = sum(cut for _, cut in encoded)
        each = iter(self.all)
        self.of_row = [[next(each) for _ in row.responses] for row in rows]

    def longest(self, row: int) -> int:
        """Tokens of a row's longest response with its prompt."""
        return max(len(ids) for ids in self.of_row[row])


def batches_of(fit: Fit, texts: Texts, config: RewardConfig) -> Iterator[list[int]]:
    """The rows of each step; their order hangs on the seed, the fit's name and the epoch alone."""
    lengths = [texts.longest(i) for i in fit.train]
    for epoch in range(config.epochs):
        draw = random.Random(f"{config.seed} {fit.name} {epoch}")
        order = draw.sample(range(len(lengths)), len(lengths))
        for batch in mixed_batches(order, lengths, config.batch_size, draw):
            yield [fit.train[i] for i in batch]


@dataclass(frozen=True)
class Part:
    """One pass of a step: the comparisons that are wholly in it.

    place (R,) int64: where the score of each of their responses stands among the pass's, one
    comparison after another. Comparisons of one prompt share its trunk, and equal responses are
    computed once.
    """

    packed: Pass
    rows: list[ComparisonRow]
    place: torch.Tensor


@dataclass(frozen=True)
class Step:
    """The comparisons of one optimiser step, and their tokens."""

    rows: list[ComparisonRow]
    tokens: list[list[list[int]]]

    def parts(self, budget: Budget, layout: Layout) -> list[Part]:
        """The step in passes of a budget; their losses add up to the step's."""
        groups, members = merge(self.rows, self.tokens)
        parts = []
        for packed in pack(groups, budget, layout):
            at = {number: place for place, number in enumerate(packed.sequence.tolist())}
            chosen = [member for group in packed.groups for member in members[group]]
            place = [at[number] for _, numbers in chosen for number in numbers]
            rows = [self.rows[row] for row, _ in chosen]
            parts.append(Part(packed, rows, torch.tensor(place)))
        return parts


def merge(
    rows: Sequence[ComparisonRow], tokens: Sequence[list[list[int]]]
) -> tuple[list[list[Tokens]], list[list[tuple[int, list[int]]]]]:
    """Different sequences grouped by prompt, and each group's rows with their sequences' numbers.

    Sequences are numbered through all groups, as `pack` counts them.
    """
    by_prompt: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        by_prompt.setdefault(json.dumps(row.messages), []).append(number)
    groups: list[list[Tokens]] = []
    members: list[list[tuple[int, list[int]]]] = []
    first = 0
    for numbers in by_prompt.values():
        different: dict[tuple[int, ...], int] = {}
        for number in numbers:
            for ids in tokens[number]:
                different.setdefault(tuple(ids), first + len(different))
        groups.append(list(different))
        members.append([(n, [different[tuple(ids)] for ids in tokens[n]]) for n in numbers])
        first += len(different)
    return groups, members


class Steps(Dataset):
    """Every optimiser step of a fit, in order, through all epochs."""

    def __init__(
        self, fit: Fit, rows: Sequence[ComparisonRow], texts: Texts, config: RewardConfig
    ) -> None:
        self.rows, self.texts = rows, texts
        self.batches = list(batches_of(fit, texts, config))

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> Step:
        batch = self.batches[number]
        return Step([self.rows[i] for i in batch], [self.texts.of_row[i] for i in batch])


def judge_rows(rows: Sequence[ComparisonRow], scores: Sequence[float]) -> list[Judged]:
    """How well the flat scores order each decided row, one comparison after another."""
    judged, offset = [], 0
    for row in rows:
        count = len(row.responses)
        if decided(row):
            judged.append(judge(scores[offset : offset + count], decided_pairs(row.tiers)))
        offset += count
    return judged
