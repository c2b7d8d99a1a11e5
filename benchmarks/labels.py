"""What the options of a reward run are worth, on the demo's tales with simulated labelers.

    .venv/bin/python benchmarks/labels.py --labels 1000 --seeds 5
    .venv/bin/python benchmarks/labels.py --labels 400 --seeds 3 --warm

Labels are noisy (rewardtrain/demo/taste.py), the judges are not: accuracy is on 2,000 pairs by the
taste without noise. The model is one linear head on the frozen states of the demo's policy, fitted
to the end with our losses, so that nothing but the loss differs between two lines of a table.
--warm trains whole models by train_reward instead: from the backbone, and from the model that the
first half of the labels gave.
"""
# ruff: noqa: E402

import argparse
import io
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# In place of this folder, whose queue.py would be taken for the library's.
sys.path[0] = str(ROOT)

import numpy as np
import torch

from rewardtrain.contract import (
    CONFIG,
    DATA,
    MODEL,
    ComparisonRow,
    RewardConfig,
    encode,
    write_json,
)
from rewardtrain.core.crowd import believed
from rewardtrain.core.losses import preference_loss, terms_of
from rewardtrain.core.objective import Objective
from rewardtrain.core.pretrained import prepare_device
from rewardtrain.core.reward_model import load_reward_model, start_reward_model
from rewardtrain.core.runlog import run
from rewardtrain.demo import tales, taste
from rewardtrain.scripts.train_reward import train_reward

DEMO = ROOT / "rewardtrain" / "demo" / "policy"
JUDGED = 2000
LABELERS, OVERLAP = 20, 0.2
CLEAR, VERY_CLEAR = 1.0, 2.5
"""Differences in quality from which a preference is of strength 2 and 3."""


@dataclass(frozen=True)
class Pair:
    """Two tales to one request, their qualities, and what the backbone makes of them (2, H)."""

    request: str
    texts: list[str]
    better: tuple[float, float]
    states: torch.Tensor


def write_pairs(count: int) -> list[Pair]:
    rng = random.Random(0)
    pairs = []
    for _ in range(count):
        about = tales.subject(rng)
        request = tales.ask(rng, about)
        texts = [tales.tell(rng, about).text, tales.tell(rng, about).text]
        first, second = (taste.quality(request, text) for text in texts)
        pairs.append(Pair(request, texts, (first, second), torch.empty(0)))
    return pairs


def read_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs with their states, at unit scale."""
    model = start_reward_model(str(DEMO), 256, prepare_device("cpu"))
    encoded = [model.encode(*said(pair.request, text))[0] for pair in pairs for text in pair.texts]
    _, states = model.read(encoded)
    states = (states - states.mean(0)) / (states.std(0) + 1e-6) / states.shape[1] ** 0.5
    return [replace(pair, states=states[2 * i : 2 * i + 2]) for i, pair in enumerate(pairs)]


def said(request: str, text: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    return [{"role": "user", "content": request}], [{"role": "assistant", "content": text}]


def answer(
    number: int, who: int, pair: Pair, rng: random.Random, *, opposite: bool
) -> ComparisonRow:
    """What a wavering labeler says of a pair; an adversary says the opposite of it."""
    a, b = pair.better
    verdict = taste.prefer(a, b, rng)
    tiers, strength = [[0, 1]], None
    if verdict != "tie":
        tiers = [[0], [1]] if (verdict == "a") != opposite else [[1], [0]]
        gap = abs(a - b)
        strength = 1 + (gap >= CLEAR) + (gap >= VERY_CLEAR)
    return ComparisonRow(
        comparison=str(number),
        thread_root=str(number),
        split="train",
        messages=said(pair.request, "")[0],
        responses=[said(pair.request, text)[1] for text in pair.texts],
        outcome="tie" if verdict == "tie" else "prefer",
        tiers=tiers,
        strength=strength,
        levels=3,
        labeler=f"labeler {who}",
    )


def answers(pairs: Sequence[Pair], seed: int, *, adversaries: bool) -> list[ComparisonRow]:
    """Every pair is asked once, and one in five of a second labeler too."""
    rng = random.Random(seed)
    rows = []
    for number, pair in enumerate(pairs):
        for who in rng.sample(range(LABELERS), 2 if rng.random() < OVERLAP else 1):
            luck = random.Random(f"{seed} {number} {who}")
            opposite = adversaries and who % 5 == 0
            rows.append(answer(number, who, pair, luck, opposite=opposite))
    return rows


def majority(rows: list[ComparisonRow]) -> list[ComparisonRow]:
    """One row a comparison: what most said, or nothing where they stand even."""
    said: dict[str, list[ComparisonRow]] = {}
    for row in rows:
        said.setdefault(row.comparison, []).append(row)
    kept = []
    for given in said.values():
        sum_ = sum(row.tiers == [[0], [1]] for row in given) - sum(
            row.tiers == [[1], [0]] for row in given
        )
        if sum_ or given[0].outcome == "tie":
            tiers = [[0], [1]] if sum_ > 0 else [[1], [0]] if sum_ < 0 else [[0, 1]]
            outcome = "prefer" if sum_ else "tie"
            kept.append(replace(given[0], tiers=tiers, outcome=outcome, strength=None))
    return kept


def accuracy(
    pairs: Sequence[Pair], rows: list[ComparisonRow], judged: Sequence[Pair], **options: Any
) -> float:
    config = RewardConfig(backbone="", members=0, **options)
    if config.labelers == "dawid_skene":
        rows, _ = believed(rows)
    objective = Objective(rows, config)
    inputs = torch.cat([pairs[int(row.comparison)].states for row in rows])
    terms = terms_of(rows, config, labelers=objective.labelers)
    weight = torch.zeros(inputs.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weight, *objective.parameters()], max_iter=300, line_search_fn="strong_wolfe"
    )
    whole = objective.weight(rows)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = preference_loss(inputs @ weight, objective.levels, terms) / whole
        loss = loss + 0.5 * weight.square().sum() / len(rows)
        loss.backward()
        return loss

    optimiser.step(closure)
    margins = [((pair.states[0] - pair.states[1]) @ weight).item() for pair in judged]
    gaps = [pair.better[0] - pair.better[1] for pair in judged]
    return float(np.mean([(m > 0) == (g > 0) for m, g in zip(margins, gaps, strict=True)]))


def trained(rows: list[ComparisonRow], seed: int, directory: Path, **options: Any) -> Path:
    """The model that train_reward makes of the rows, in a run directory."""
    directory.mkdir(parents=True)
    config = RewardConfig(backbone=str(DEMO), folds=0, curve=False, members=0, seed=seed, **options)
    write_json(directory / CONFIG, config)
    (directory / DATA).write_text("".join(encode(row) + "\n" for row in rows), encoding="utf-8")
    with redirect_stdout(io.StringIO()):
        assert run("reward", train_reward, [str(directory)]) == 0
    return directory / MODEL


def whole_accuracy(model_dir: Path, judged: Sequence[Pair]) -> float:
    model = load_reward_model(str(model_dir), "model", prepare_device("cpu"))
    encoded = [model.encode(*said(pair.request, text))[0] for pair in judged for text in pair.texts]
    scores = model.scores(encoded)
    margins = [a - b for a, b in zip(scores[::2], scores[1::2], strict=True)]
    gaps = [pair.better[0] - pair.better[1] for pair in judged]
    return float(np.mean([(m > 0) == (g > 0) for m, g in zip(margins, gaps, strict=True)]))


def compare_starts(taught: list[list[Pair]], judged: Sequence[Pair], work: Path) -> None:
    """From the backbone, and from the model of the first half of the labels."""

    def cold(seed: int) -> float:
        rows = answers(taught[seed], seed, adversaries=False)
        return whole_accuracy(trained(rows, seed, work / f"cold-{seed}"), judged)

    def warm(seed: int) -> float:
        rows = answers(taught[seed], seed, adversaries=False)
        half = [row for row in rows if int(row.comparison) < len(taught[seed]) // 2]
        champion = trained(half, seed, work / f"half-{seed}")
        options = {"champion": str(champion), "warm_start": True}
        return whole_accuracy(trained(rows, seed, work / f"warm-{seed}", **options), judged)

    table("starts from", {"the backbone": cold, "the model before": warm}, len(taught))


def table(head: str, lines: dict[str, Callable[[int], float]], seeds: int) -> None:
    """Each line's mean over the seeds, and its paired difference from the first line's."""
    print(f"\n| {head} | accuracy | points against the first (range of {seeds} seeds) |")
    print("| --- | --- | --- |")
    first: np.ndarray | None = None
    for name, measure in lines.items():
        found = np.array([measure(seed) for seed in range(seeds)])
        first = found if first is None else first
        gap = 100 * (found - first)
        print(
            f"| {name} | {100 * found.mean():.1f} % | {gap.mean():+.1f} "
            f"({gap.min():+.1f} to {gap.max():+.1f}) |",
            flush=True,
        )


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    given.add_argument("--labels", type=int, default=1000)
    given.add_argument("--seeds", type=int, default=5)
    given.add_argument("--warm", action="store_true", help="compare a warm start instead")
    arguments = given.parse_args()
    torch.set_num_threads(1)
    count, seeds = arguments.labels, arguments.seeds
    # Of two tales some are equally good: those judge nothing.
    written = write_pairs(seeds * count + 2 * JUDGED)
    written = written if arguments.warm else read_pairs(written)
    taught = [written[seed * count : (seed + 1) * count] for seed in range(seeds)]
    judged = [pair for pair in written[seeds * count :] if pair.better[0] != pair.better[1]]
    judged = judged[:JUDGED]
    print(f"{count} pairs a seed, judged on {len(judged)} noiseless ones")

    if arguments.warm:
        with tempfile.TemporaryDirectory() as work:
            compare_starts(taught, judged, Path(work))
        return

    def measured(rows: Callable[[list[ComparisonRow]], list[ComparisonRow]] = list, **options: Any):
        adversaries = options.pop("adversaries", False)

        def measure(seed: int) -> float:
            given = answers(taught[seed], seed, adversaries=adversaries)
            return accuracy(taught[seed], rows(given), judged, **options)

        return measure

    table(
        "strength",
        {how: measured(strength=how) for how in ("ignore", "scale", "margin")},
        seeds,
    )
    table("ties", {how: measured(ties=how) for how in ("half", "rao_kupper")}, seeds)
    bad = {"adversaries": True, "strength": "ignore"}
    table(
        "one labeler in five says the opposite",
        {
            "nobody does, all labels": measured(strength="ignore"),
            "no correction": measured(**bad),
            "majority": measured(majority, **bad),
            "one-coin Dawid-Skene": measured(labelers="dawid_skene", **bad),
            "crowd-BT": measured(labelers="crowd_bt", **bad),
        },
        seeds,
    )


if __name__ == "__main__":
    main()
