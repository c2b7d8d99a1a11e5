"""One fit of a reward model: its state, its step, its checkpoint."""

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from safetensors.torch import load_model as load_weights
from safetensors.torch import save_model as save_weights

from rewardtrain.contract import ComparisonRow, RewardConfig, write_json
from rewardtrain.core.data import mixed_batches
from rewardtrain.core.losses import decided_pairs
from rewardtrain.core.metrics import Judged, judge
from rewardtrain.core.objective import Objective
from rewardtrain.core.reward_model import RewardModel, start_reward_model
from rewardtrain.core.runlog import complete_checkpoint

TOKENS_A_PASS = {"cpu": 2048, "cuda": 16384}
"""A step's comparisons go through the model in passes of at most so many padded tokens: what a
CPU's cache holds, what keeps a GPU busy."""
WARM_UP = 0.1
"""Share of a fit's steps over which the learning rate rises; then it falls to 0."""


@dataclass(frozen=True)
class Fit:
    """A model to fit: the rows it learns from and those it is judged on, as indices."""

    name: str
    train: list[int]
    judged: list[int]

    def steps(self, config: RewardConfig) -> int:
        """Optimiser steps of the whole fit."""
        return config.epochs * -(-len(self.train) // config.batch_size)


@dataclass(frozen=True)
class Progress:
    """Where a run of several fits stands; kept in each checkpoint."""

    fit: int = 0
    done: int = 0
    """Optimiser steps of this fit."""
    step: int = 0
    """Optimiser steps of all fits."""
    accuracy: float | None = None
    """Running share of decided pairs that were in order before the step that learnt them."""
    judged: list[list[Judged]] = field(default_factory=list)
    """The finished fits, each row by row."""


def decided(row: ComparisonRow) -> bool:
    """Whether the comparison puts one response above another."""
    return row.outcome == "prefer" and bool(decided_pairs(row.tiers))


class Texts:
    """Every response of every row as tokens, read once for all fits."""

    def __init__(self, model: RewardModel, rows: Sequence[ComparisonRow]) -> None:
        encoded = [[model.encode(row.messages, r) for r in row.responses] for row in rows]
        self.of_row = [[ids for ids, _ in responses] for responses in encoded]
        self.all = [ids for responses in self.of_row for ids in responses]
        self.shortened = sum(cut for responses in encoded for _, cut in responses)

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


class Fitting:
    """The model being fitted to `rows`, with its objective, its optimiser and its schedule."""

    def __init__(
        self,
        config: RewardConfig,
        rows: Sequence[ComparisonRow],
        steps: int,
        device: torch.device,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.reward = start_reward_model(config.backbone, config.max_length, device)
        self.reward.model.train()
        self.objective = Objective(rows, config).to(device)
        self.reward.add_heads(self.objective.names)
        groups = self.objective.parameter_groups(self.reward)
        self.parameters = [p for group in groups for p in group["params"]]
        self.optimiser = torch.optim.AdamW(groups, weight_decay=config.weight_decay)
        warm = max(1, round(WARM_UP * steps))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser,
            lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm)),
        )

    def step(
        self, rows: Sequence[ComparisonRow], sequences: Sequence[list[list[int]]]
    ) -> tuple[float, float | None]:
        """One optimiser step; the batch's loss, and its accuracy before the step if any decided."""
        loss, judged = 0.0, []
        whole = self.objective.weight(rows)
        for part in passes(sequences, TOKENS_A_PASS[self.reward.device.type]):
            chosen = [rows[i] for i in part]
            scores = self.reward.all_rewards([ids for i in part for ids in sequences[i]])
            partial = self.objective.loss(scores, chosen) / whole
            partial.backward()
            loss += partial.item()
            judged += judge_rows(chosen, scores[:, 0].tolist())
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.schedule.step()
        return loss, sum(j.accuracy for j in judged) / len(judged) if judged else None

    def finish(self) -> RewardModel:
        """The fitted model, ready to score."""
        self.reward.settings = replace(self.reward.settings, tau=self.objective.tau.item())
        self.reward.model.eval()
        return self.reward

    def save(self, path: Path, progress: Progress) -> None:
        """Write a checkpoint and mark it complete."""
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        save_weights(self.reward.model, str(path / "model.safetensors"))
        state = {
            "objective": self.objective.state_dict(),
            "heads": self.reward.heads.state_dict() if self.reward.heads else {},
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        torch.save(state, path / "state.pt")
        write_json(path / "progress.json", asdict(progress))
        complete_checkpoint(path)

    def load(self, path: Path) -> None:
        """Take up a checkpoint's state."""
        device = self.reward.device
        load_weights(self.reward.model, str(path / "model.safetensors"), device=str(device))
        state = torch.load(path / "state.pt", map_location=device, weights_only=True)
        self.objective.load_state_dict(state["objective"])
        if self.reward.heads is not None:
            self.reward.heads.load_state_dict(state["heads"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])


def read_progress(checkpoint: Path | None) -> Progress:
    """Where the checkpoint stood; the beginning without one."""
    if checkpoint is None:
        return Progress()
    values = json.loads((checkpoint / "progress.json").read_text(encoding="utf-8"))
    judged = [[Judged(**row) for row in fit] for fit in values.pop("judged")]
    return Progress(**values, judged=judged)


def passes(sequences: Sequence[list[list[int]]], tokens: int) -> list[list[int]]:
    """Comparisons in groups of at most `tokens` padded tokens, neighbours in length together."""
    order = sorted(range(len(sequences)), key=lambda i: -max(map(len, sequences[i])))
    groups: list[list[int]] = [[]]
    for i in order:
        group = [*groups[-1], i]
        width = max(len(ids) for ids in sequences[group[0]])
        if groups[-1] and width * sum(len(sequences[j]) for j in group) > tokens:
            groups.append([])
        groups[-1].append(i)
    return groups


def judge_rows(rows: Sequence[ComparisonRow], scores: Sequence[float]) -> list[Judged]:
    """How well the flat scores order each decided row, one comparison after another."""
    judged, offset = [], 0
    for row in rows:
        count = len(row.responses)
        if decided(row):
            judged.append(judge(scores[offset : offset + count], decided_pairs(row.tiers)))
        offset += count
    return judged
