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
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from rewardtrain.contract import CONFIG, DATA, ComparisonRow, ContractError, RewardConfig
from rewardtrain.core.losses import pairs_of
from rewardtrain.core.metrics import Judged, figures, mean_and_spread, paired_bootstrap
from rewardtrain.core.pretrained import describe_device, prepare_device, sha256, weights_sha256
from rewardtrain.core.reward_fit import (
    Fit,
    Fitting,
    Progress,
    Texts,
    batches_of,
    decided,
    judge_rows,
    read_progress,
)
from rewardtrain.core.reward_model import RewardModel, load_reward_model, start_reward_model
from rewardtrain.core.runlog import Cancelled, RunLog, newest_checkpoint, run


def train_reward(log: RunLog) -> None:
    config: RewardConfig = log.config
    device = prepare_device(config.device)
    log.stage("reading preferences", device=describe_device(device))
    rows: list[ComparisonRow] = log.rows(ComparisonRow)
    check_rows(rows)
    fits = plan_fits(rows, config)
    texts = Texts(start_reward_model(config.backbone, config.max_length, device), rows)

    checkpoint, _ = newest_checkpoint(log.directory)
    progress = read_progress(checkpoint)
    log.stage("starting", steps=sum(fit.steps(config) for fit in fits))
    resumed = progress.fit
    for number in range(resumed, len(fits)):
        log.stage(fits[number].name)
        learnt_from = [rows[i] for i in fits[number].train]
        fitting = Fitting(config, learnt_from, fits[number].steps(config), device)
        if checkpoint and number == resumed:
            fitting.load(checkpoint)
        progress = fit_model(log, fitting, fits[number], rows, texts, progress)
        model = fitting.finish()
        judged = judge_fit(model, fits[number], rows, texts)
        progress = Progress(number + 1, step=progress.step, judged=[*progress.judged, judged])

    log.stage("judging and saving")
    found = model.head_scores(texts.all)
    model.level_members(found)
    mean, spread = mean_and_spread(found.preference.tolist())
    model.save(log.model_dir, replace(model.settings, mean=mean, spread=spread))
    *fold_judged, heldout_judged = progress.judged
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


def fit_model(
    log: RunLog,
    fitting: Fitting,
    fit: Fit,
    rows: Sequence[ComparisonRow],
    texts: Texts,
    progress: Progress,
) -> Progress:
    """Take the steps that are left of a fit.

    Raises:
        Cancelled: after a checkpoint at the current step.
        FloatingPointError: the loss is not a number.
    """
    config: RewardConfig = log.config
    for done, batch in enumerate(batches_of(fit, texts, config), 1):
        if done <= progress.done:
            continue
        step = progress.step + 1
        # Each step seeds its own dropout, so that a resumed run draws the same.
        torch.manual_seed(config.seed + done)
        rate = float(fitting.schedule.get_last_lr()[0])
        loss, right = fitting.step([rows[i] for i in batch], [texts.of_row[i] for i in batch])
        accuracy = blend(progress.accuracy, right)
        log.metrics(step, loss=loss, accuracy=accuracy, learning_rate=rate, fit=progress.fit + 1)
        progress = replace(progress, done=done, step=step, accuracy=accuracy)
        asked_to_stop = log.cancelled
        if asked_to_stop or step % config.checkpoint_every == 0:
            fitting.save(log.checkpoints_dir / f"checkpoint-{step}", progress)
            keep_only(log, step)
        if asked_to_stop:
            raise Cancelled
    return progress


def blend(running: float | None, value: float | None) -> float | None:
    """An exponential mean over about ten steps."""
    if value is None or running is None:
        return running if value is None else value
    return 0.9 * running + 0.1 * value


def keep_only(log: RunLog, step: int) -> None:
    """A resumed fit needs its newest checkpoint alone."""
    for path in log.checkpoints_dir.iterdir():
        if path.name != f"checkpoint-{step}":
            shutil.rmtree(path)


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
