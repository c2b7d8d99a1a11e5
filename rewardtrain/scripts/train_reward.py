"""Fit a reward model to people's preferences.

    python -m rewardtrain.scripts.train_reward runs/17
    accelerate launch -m rewardtrain.scripts.train_reward runs/17

Reads a RewardConfig and ComparisonRows. First a cross-validation by thread root over all rows says
how good such a model is on prompts it has not seen, and fits to parts of the train split say what
more labels bring; then the model itself is fitted on the train split, judged on the held-out split,
and saved as model/. Where a second opinion is asked for, the model and its folds learn from one
half of the threads only, another model, saved as model/second/, learns from the other half, and a
fit to both says what the halving costs. Killed at any moment and started again, it goes on from its
last complete checkpoint and ends with the same weights. Comparisons that a
strategy steered teach, and judge nothing (`stream`).

report.json:
    counts         preferences, train, heldout, steered (of another stream than random), decided,
                   tie, both_good, ... (a number for each outcome), responses, shortened (responses
                   whose prompt was cut to fit)
    heldout        n, accuracy, low, high, nll on the decided comparisons of the held-out split
    folds          the same over all rows, each judged by the fit that did not see its thread root,
                   and by_fold; null without cross-validation
    longer         the same (but nll) for preferring the longer response: heldout and folds
    champion       the reward model in service on the same held-out comparisons, and this model
                   minus it: accuracy and nll, each n, difference, low, high, and mcnemar; null
                   without one
    knowledge      calibration, accuracy by strength, length, labelers, sources and kinds
                   (core/knowledge.py), on the held-out comparisons or, where they are few, by the
                   folds; `source` says which. Golds, in kinds, are those on threads that the model
                   did not learn from; labelers, where five or more labelled, come from a fit of
                   its own that leaves some of them out
    curve          accuracy by labels and what more would bring (core/learning_curve.py)
    halves         second: the second opinion's figures on the held-out comparisons; whole: those of
                   a fit to both halves; cost: this model's accuracy minus that one's, on the same;
                   labels: what each of the three learnt from; null without a second opinion
    heads          members, their spread, and the flags (reward_report.head_figures)
    labelers       each one's reliability where the fit learnt it, else null
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
from pathlib import Path

import torch

from rewardtrain.contract import (
    CONFIG,
    DATA,
    GOLD,
    SECOND,
    TEACHING,
    ComparisonRow,
    ContractError,
    RewardConfig,
    write_json,
)
from rewardtrain.core.crowd import believed
from rewardtrain.core.heads import HeadScores
from rewardtrain.core.knowledge import Case
from rewardtrain.core.learning_curve import FRACTIONS, LEAST_LABELS
from rewardtrain.core.losses import pairs_of
from rewardtrain.core.metrics import Judged, figures, mean_and_spread
from rewardtrain.core.neighbours import keep_states
from rewardtrain.core.objective import Objective
from rewardtrain.core.packed_trainer import (
    Learner,
    PackedRewardTrainer,
    bytes_on_disk,
    check_surroundings,
)
from rewardtrain.core.pretrained import describe_device, prepare_device, sha256, weights_sha256
from rewardtrain.core.reward_fit import Fit, Steps, Texts, decided, judge_rows, judges
from rewardtrain.core.reward_model import RewardModel, load_reward_model, start_reward_model
from rewardtrain.core.reward_report import (
    champion_figures,
    count_rows,
    curve_figures,
    fold_figures,
    halves_figures,
    head_figures,
    knowledge_figures,
    longer_figures,
)
from rewardtrain.core.runlog import RunLog, run

LEAST_LABELERS = 5
"""Fewer cannot be split into those the model learns from and others."""


def train_reward(log: RunLog) -> None:
    config: RewardConfig = log.config
    check_surroundings(config)
    device = prepare_device(config.device)
    log.stage("reading preferences", device=describe_device(device))
    given: list[ComparisonRow] = log.rows(ComparisonRow)
    rows = [row for row in given if row.kind in TEACHING]
    golds = [row for row in given if row.kind == GOLD]
    check_rows(rows)
    fits = plan_fits(rows, config)
    check_fits(fits, rows)
    fresh = start_reward_model(config.backbone, config.max_length, device)
    texts = Texts(fresh, rows, Path(config.cache) if config.cache else None)

    log.stage("starting", steps=sum(fit.steps(config) for fit in fits))
    judged = [judge_aside(log, n, fits, rows, texts, device) for n in range(1, len(fits))]
    model, reliability = fit_model(log, len(fits), fits, rows, texts, device)
    judged.append(judge_fit(model, fits[-1], rows, texts))
    if not log.leads:
        return

    log.stage("judging and saving")
    found, states = save(model, texts, log.model_dir)
    mean, spread = mean_and_spread(found.preference.tolist())
    of_row = [i for i, responses in enumerate(texts.of_row) for _ in responses]
    taught = set(fits[-1].train)
    chosen = [place for place, row in enumerate(of_row) if row in taught]
    keep_states(log.directory, states[chosen], [of_row[place] for place in chosen])
    taught_roots = {rows[i].thread_root for i in taught}
    golds = [row for row in golds if row.thread_root not in taught_roots]
    champion = None
    if config.champion is not None:
        theirs = load_reward_model(config.champion, "champion", device)
        heldout = [rows[i] for i in fits[-1].judged]
        met = judge_rows(heldout, theirs.scores(Texts(theirs, heldout).all))
        champion = champion_figures(judged[-1], met)
    log.report(
        {
            "counts": count_rows(rows, texts, sum(map(decided, rows))),
            "heldout": figures(judged[-1]),
            "folds": fold_figures(fits, judged),
            "longer": {
                "heldout": longer_figures(rows, "final", fits),
                "folds": longer_figures(rows, "fold", fits),
            },
            "champion": champion,
            "knowledge": knowledge_figures(rows, fits, judged, cases_of(model, golds)),
            "curve": curve_figures(fits, judged),
            "halves": halves_figures(fits, judged),
            "heads": head_figures(found, fits[-1], rows, texts, spread),
            "labelers": reliability,
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


def check_fits(fits: Sequence[Fit], rows: Sequence[ComparisonRow]) -> None:
    """What is kept must have something to learn from.

    Raises:
        ContractError: it has not.
    """
    for fit in fits:
        if fit.role in ("second", "final") and not any(decided(rows[i]) for i in fit.train):
            raise ContractError(
                "data.jsonl: a second opinion needs two halves of the train split's threads, and "
                "one of them prefers no response; collect more labels, or leave "
                "second_opinion = true out."
            )


def save(model: RewardModel, texts: Texts, directory: Path) -> tuple[HeadScores, torch.Tensor]:
    """Keep a fitted model with the scale of its scores; they, and its states, of all responses."""
    found, states = model.read(texts.all)
    found = model.level_members(found)
    mean, spread = mean_and_spread(found.preference.tolist())
    model.save(directory, replace(model.settings, mean=mean, spread=spread))
    return found, states


def plan_fits(rows: Sequence[ComparisonRow], config: RewardConfig) -> list[Fit]:
    """The folds and the smaller fits, if any, and then the fit on the train split: it is kept.

    With a second opinion all of these leave out one half of the threads, from which that learns.
    """
    usable = [i for i, row in enumerate(rows) if pairs_of(row)]
    half = other_half(rows, config.seed) if config.second_opinion else set()
    ours = [i for i in usable if i not in half]
    train = [i for i in usable if rows[i].split == "train"]
    folds = split_by_root(rows, config.folds, config.seed)
    cross_validation = [
        Fit(
            name=f"fold {number} of {len(folds)}",
            role="fold",
            train=[i for i in ours if i not in fold],
            judged=[i for i in usable if i in fold and judges(rows[i])],
        )
        for number, fold in enumerate(folds, 1)
    ]
    final = Fit(
        name="final fit",
        role="final",
        train=[i for i in train if i not in half],
        judged=[i for i in usable if rows[i].split == "heldout" and judges(rows[i])],
    )
    smaller = smaller_fits(rows, final, config) if config.curve else []
    strangers = fit_to_other_labelers(rows, final, config)
    halves = [
        replace(final, name="fit to both halves", role="whole", train=train),
        replace(final, name="second opinion", role="second", train=[i for i in train if i in half]),
    ]
    return [
        *cross_validation,
        *smaller,
        *strangers,
        *(halves if config.second_opinion else []),
        final,
    ]


def other_half(rows: Sequence[ComparisonRow], seed: int) -> set[int]:
    """The rows that only a second opinion learns from: half of the train split, by threads."""
    train = [i for i, row in enumerate(rows) if row.split == "train"]
    # In an order of its own, lest a half be made of folds.
    halves = split_by_root([rows[i] for i in train], 2, f"halves of {seed}")
    return {train[place] for place in halves[1]} if halves else set()


def smaller_fits(rows: Sequence[ComparisonRow], final: Fit, config: RewardConfig) -> list[Fit]:
    """Fits to growing parts of the train split by whole threads, each part within the next, judged
    on what the final fit is judged on and on the threads that the part leaves out."""
    roots = in_hash_order({rows[i].thread_root for i in final.train}, config.seed)
    fits = []
    for fraction in FRACTIONS:
        part = set(roots[: round(fraction * len(roots))])
        train = [i for i in final.train if rows[i].thread_root in part]
        rest = [i for i in final.train if rows[i].thread_root not in part and judges(rows[i])]
        if len(train) >= LEAST_LABELS and any(decided(rows[i]) for i in train):
            name = f"fit to {len(train)} labels"
            fits.append(Fit(name=name, role="curve", train=train, judged=[*rest, *final.judged]))
    return fits


def fit_to_other_labelers(
    rows: Sequence[ComparisonRow], final: Fit, config: RewardConfig
) -> list[Fit]:
    """A fit that leaves out labelers with a fifth of the labels, judged on what the final fit is
    judged on and on what the others said of threads that it did not see; none where few labelled.
    """
    said = Counter(rows[i].labeler for i in final.train)
    if len(said) < LEAST_LABELERS:
        return []
    left_out: set[str] = set()
    for labeler in in_hash_order(set(said), f"labelers of {config.seed}"):
        if sum(said[name] for name in left_out) < len(final.train) / 5:
            left_out.add(labeler)
    train = [i for i in final.train if rows[i].labeler not in left_out]
    roots = {rows[i].thread_root for i in train}
    rest = [i for i in final.train if rows[i].thread_root not in roots and judges(rows[i])]
    if not any(decided(rows[i]) for i in train):
        return []
    judged = [*rest, *final.judged]
    return [Fit(name="fit without some labelers", role="labelers", train=train, judged=judged)]


def in_hash_order(names: set[str], seed: int | str) -> list[str]:
    """Names in an order that the seed decides, the same wherever they come from."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())


def split_by_root(rows: Sequence[ComparisonRow], count: int, seed: int | str) -> list[set[int]]:
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
    for root in in_hash_order(set(by_root), seed):
        min(folds, key=len).update(by_root[root])
    return folds


def judge_aside(
    log: RunLog,
    number: int,
    fits: Sequence[Fit],
    rows: Sequence[ComparisonRow],
    texts: Texts,
    device: torch.device,
) -> list[Judged]:
    """How a fit beside the model's judges rows it did not see; kept in place of its checkpoints,
    and a second opinion whole."""
    folder = log.checkpoints_dir / f"fit-{number}"
    known = folder / "judged.json"
    if known.is_file():
        return [Judged(**found) for found in json.loads(known.read_text(encoding="utf-8"))]
    model, _ = fit_model(log, number, fits, rows, texts, device)
    judged = judge_fit(model, fits[number - 1], rows, texts)
    if log.leads:
        if fits[number - 1].role == "second":
            save(model, texts, log.model_dir / SECOND)
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
) -> tuple[RewardModel, dict[str, float] | None]:
    """The model of a fit, from its newest complete checkpoint if there is one, and how reliable
    each labeler was found, where the configuration asks whom to believe.

    Raises:
        Cancelled: after a checkpoint at the current step.
        FloatingPointError: a loss or gradient is not a number.
    """
    config: RewardConfig = log.config
    fit = fits[number - 1]
    log.stage(fit.name)
    torch.manual_seed(config.seed)
    # What the champion learnt from may be what a fold is judged on: only the final fit starts warm.
    warm = config.warm_start and fit.role == "final" and config.champion
    reward = start_reward_model(warm or config.backbone, config.max_length, device)
    taught, reliability = list(rows), None
    if config.labelers == "dawid_skene":
        weighed, reliability = believed([rows[i] for i in fit.train])
        for i, row in zip(fit.train, weighed, strict=True):
            taught[i] = row
    objective = Objective([taught[i] for i in fit.train], config).to(device)
    reward.add_heads(objective.names)
    folder = log.checkpoints_dir / f"fit-{number}"
    offset = sum(fit.steps(config) for fit in fits[: number - 1])
    learner = Learner(reward, objective)
    log.check_room(bytes_on_disk(learner))
    trainer = PackedRewardTrainer(learner, Steps(fit, taught, texts, config), log, folder, offset)
    trainer.take_steps()
    reward.settings = replace(reward.settings, tau=objective.tau.item())
    reward.model.eval()
    if objective.labelers:
        found = objective.levels.reliability.tolist()
        reliability = dict(zip(objective.labelers, found, strict=True))
    return reward, reliability


def judge_fit(
    model: RewardModel, fit: Fit, rows: Sequence[ComparisonRow], texts: Texts
) -> list[Judged]:
    scores = model.scores([ids for i in fit.judged for ids in texts.of_row[i]])
    return judge_rows([rows[i] for i in fit.judged], scores)


def cases_of(model: RewardModel, rows: Sequence[ComparisonRow]) -> list[Case]:
    """How a model does on decided rows that are none of its run's."""
    rows = [row for row in rows if decided(row)]
    scores = model.scores(Texts(model, rows).all)
    return [Case(row, found) for row, found in zip(rows, judge_rows(rows, scores), strict=True)]


if __name__ == "__main__":
    sys.exit(run("reward", train_reward, sys.argv[1:]))
