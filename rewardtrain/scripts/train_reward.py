"""Fit a reward model to people's preferences.

    python -m rewardtrain.scripts.train_reward runs/17

Reads a RewardConfig and ComparisonRows. First a cross-validation by thread root over all rows says
how good such a model is on prompts it has not seen; then the model itself is fitted on the train
split, judged on the held-out split, and saved as model/. Killed at any moment and started again,
it goes on from its last complete checkpoint and ends with the same weights.

report.json:
    counts         preferences, train, heldout, decided, tie, both_good, ... (a number for each
                   outcome), responses, shortened (responses whose prompt was cut to fit)
    heldout        n, accuracy, low, high, nll on the decided comparisons of the held-out split
    folds          the same over all rows, each judged by the fit that did not see its thread root,
                   and by_fold; null without cross-validation
    longer         the same (but nll) for preferring the longer response: heldout and folds
    champion       the reward model in service on the same held-out comparisons, and this model
                   minus it: accuracy and nll, each n, difference, low, high; null without one
    normalisation  mean and spread of the model's scores over all responses
    device, seconds (of this attempt), hashes (sha256 of weights, data, config)
"""

import hashlib
import json
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from rewardtrain.contract import (
    CONFIG,
    DATA,
    ComparisonRow,
    ContractError,
    RewardConfig,
    write_json,
)
from rewardtrain.core.losses import pairs_of
from rewardtrain.core.metrics import Judged, figures, mean_and_spread, paired_bootstrap
from rewardtrain.core.objective import Objective
from rewardtrain.core.packed_trainer import Learner, PackedRewardTrainer
from rewardtrain.core.pretrained import describe_device, prepare_device, sha256, weights_sha256
from rewardtrain.core.reward_fit import Fit, Steps, Texts, decided, judge_rows
from rewardtrain.core.reward_model import RewardModel, load_reward_model, start_reward_model
from rewardtrain.core.runlog import RunLog, run


def train_reward(log: RunLog) -> None:
    config: RewardConfig = log.config
    device = prepare_device(config.device)
    log.stage("reading preferences", device=describe_device(device))
    rows: list[ComparisonRow] = log.rows(ComparisonRow)
    check_rows(rows)
    fits = plan_fits(rows, config)
    texts = Texts(start_reward_model(config.backbone, config.max_length, device), rows)

    log.stage("starting", steps=sum(fit.steps(config) for fit in fits))
    judged: list[list[Judged]] = []
    for number in range(1, len(fits)):
        judged.append(judge_fold(log, number, fits, rows, texts, device))
    model = fit_model(log, len(fits), fits, rows, texts, device)
    judged.append(judge_fit(model, fits[-1], rows, texts))

    log.stage("judging and saving")
    found = model.head_scores(texts.all)
    model.level_members(found)
    mean, spread = mean_and_spread(found.preference.tolist())
    model.save(log.model_dir, replace(model.settings, mean=mean, spread=spread))
    *fold_judged, heldout_judged = judged
    heldout = [rows[i] for i in fits[-1].judged]
    log.report(
        {
            "counts": count_rows(rows, texts),
            "heldout": figures(heldout_judged),
            "folds": fold_figures(fold_judged),
            "longer": {
                "heldout": longer_figures(heldout),
                "folds": longer_figures([rows[i] for fit in fits[:-1] for i in fit.judged]),
            },
            "champion": meet_champion(config, heldout, heldout_judged, device),
            "normalisation": {"mean": mean, "spread": spread},
            "device": describe_device(device),
            "seconds": round(log.seconds, 2),
            "hashes": {
                "weights": weights_sha256(log.model_dir),
                "data": sha256(log.directory / DATA),
                "config": sha256(log.directory / CONFIG),
            },
        }
    )
    shutil.rmtree(log.checkpoints_dir, ignore_errors=True)


def check_rows(rows: Sequence[ComparisonRow]) -> None:
    """Every row must make sense, and the train split must prefer something.

    Raises:
        ContractError: it does not.
    """
    for row in rows:
        pairs_of(row)
    train = [row for row in rows if row.split == "train"]
    if not any(decided(row) for row in train):
        raise ContractError(
            f"data.jsonl: none of the {len(train)} preferences of the train split prefers a "
            "response; a reward model learns from decided ones, so collect some first."
        )


def plan_fits(rows: Sequence[ComparisonRow], config: RewardConfig) -> list[Fit]:
    """The folds, if any, and then the fit on the train split, which is kept."""
    usable = [i for i, row in enumerate(rows) if pairs_of(row)]
    folds = split_by_root(rows, config.folds, config.seed)
    cross_validation = [
        Fit(
            name=f"fold {number} of {len(folds)}",
            train=[i for i in usable if i not in fold],
            judged=[i for i in usable if i in fold and decided(rows[i])],
        )
        for number, fold in enumerate(folds, 1)
    ]
    final = Fit(
        name="final fit",
        train=[i for i in usable if rows[i].split == "train"],
        judged=[i for i in usable if rows[i].split == "heldout" and decided(rows[i])],
    )
    return [*cross_validation, final]


def split_by_root(rows: Sequence[ComparisonRow], count: int, seed: int) -> list[set[int]]:
    """Row indices in `count` folds of like size; those that share a thread root stay together.

    Fewer roots than folds give one fold each; less than two folds are none.
    """
    by_root: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        by_root[row.thread_root].append(i)
    count = min(count, len(by_root))
    if count < 2:
        return []
    folds: list[set[int]] = [set() for _ in range(count)]
    for root in sorted(by_root, key=lambda r: hashlib.sha256(f"{seed} {r}".encode()).digest()):
        min(folds, key=len).update(by_root[root])
    return folds


def judge_fold(
    log: RunLog,
    number: int,
    fits: Sequence[Fit],
    rows: Sequence[ComparisonRow],
    texts: Texts,
    device: torch.device,
) -> list[Judged]:
    """How a fold's fit judges the rows it did not see; kept in place of its checkpoints."""
    folder = log.checkpoints_dir / f"fit-{number}"
    known = folder / "judged.json"
    if known.is_file():
        return [Judged(**found) for found in json.loads(known.read_text(encoding="utf-8"))]
    model = fit_model(log, number, fits, rows, texts, device)
    judged = judge_fit(model, fits[number - 1], rows, texts)
    write_json(known, [asdict(found) for found in judged])
    for path in folder.glob("checkpoint-*"):
        shutil.rmtree(path)
    return judged


def fit_model(
    log: RunLog,
    number: int,
    fits: Sequence[Fit],
    rows: Sequence[ComparisonRow],
    texts: Texts,
    device: torch.device,
) -> RewardModel:
    """The model of a fit, from its newest complete checkpoint if there is one.

    Raises:
        Cancelled: after a checkpoint at the current step.
        FloatingPointError: a loss or gradient is not a number.
    """
    config: RewardConfig = log.config
    fit = fits[number - 1]
    log.stage(fit.name)
    torch.manual_seed(config.seed)
    reward = start_reward_model(config.backbone, config.max_length, device)
    objective = Objective([rows[i] for i in fit.train], config).to(device)
    reward.add_heads(objective.names)
    folder = log.checkpoints_dir / f"fit-{number}"
    offset = sum(fit.steps(config) for fit in fits[: number - 1])
    trainer = PackedRewardTrainer(
        Learner(reward, objective), Steps(fit, rows, texts, config), log, folder, offset
    )
    trainer.take_steps()
    reward.settings = replace(reward.settings, tau=objective.tau.item())
    reward.model.eval()
    return reward


def judge_fit(
    model: RewardModel, fit: Fit, rows: Sequence[ComparisonRow], texts: Texts
) -> list[Judged]:
    scores = model.scores([ids for i in fit.judged for ids in texts.of_row[i]])
    return judge_rows([rows[i] for i in fit.judged], scores)


def fold_figures(judged: list[list[Judged]]) -> dict[str, Any] | None:
    if not judged:
        return None
    pooled = figures([j for fold in judged for j in fold])
    return {**pooled, "by_fold": [figures(fold) for fold in judged]}


def longer_figures(rows: Sequence[ComparisonRow]) -> dict[str, Any]:
    """How often the longer response, in characters, was the preferred one."""
    lengths = [float(len(r[-1]["content"]) if r else 0) for row in rows for r in row.responses]
    found = figures(judge_rows(rows, lengths))
    del found["nll"]
    return found


def meet_champion(
    config: RewardConfig,
    rows: Sequence[ComparisonRow],
    judged: Sequence[Judged],
    device: torch.device,
) -> dict[str, Any] | None:
    """The reward model in service on the same comparisons, and the paired differences from it."""
    if config.champion is None:
        return None
    champion = load_reward_model(config.champion, "champion", device)
    theirs = judge_rows(rows, champion.scores(Texts(champion, rows).all))
    pairs = list(zip(judged, theirs, strict=True))
    return {
        **figures(theirs),
        "accuracy_difference": paired_bootstrap([a.accuracy - b.accuracy for a, b in pairs]),
        "nll_difference": paired_bootstrap([a.nll - b.nll for a, b in pairs]),
    }


def count_rows(rows: Sequence[ComparisonRow], texts: Texts) -> dict[str, int]:
    splits = Counter(row.split for row in rows)
    return {
        "preferences": len(rows),
        "train": splits["train"],
        "heldout": splits["heldout"],
        "decided": sum(map(decided, rows)),
        **Counter(row.outcome for row in rows if row.outcome != "prefer"),
        "responses": len(texts.all),
        "shortened": texts.shortened,
    }


if __name__ == "__main__":
    sys.exit(run("reward", train_reward, sys.argv[1:]))
