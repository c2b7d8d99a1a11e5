"""Which comparisons to ask: at random, D-optimal or by uncertainty, by what labels then teach.

    .venv/bin/python benchmarks/selection.py                 the demo's people and HH's, 40 seeds
    .venv/bin/python benchmarks/selection.py --seeds 8 --only hh --json

demo: prompts of the demo, each answered three times by its policy; simulated people, who waver and
call ties, answer; judged is the order of pairs that their taste decides without noise, on prompts
that were never asked. hh: the 2,312 comparisons of HH-RLHF's harmless test split in ../shared/data,
30 % of the threads held out. Both: logistic regression on frozen features (the demo backbone's mean
and last state; of HH the 256 first directions of its words' TF-IDF) of the differences.

As the product asks: the first 200 labels at random, then before each batch a pool of four times as
many prompts, of which core/selection.py draws 80 %, and 20 % always at random. Every seed splits,
draws and answers anew, and all strategies of a seed share its first 200: the differences are paired
by seed, with Student's t at 95 %. On HH all seeds share the same comparisons, so the interval holds
for these alone.
"""
# ruff: noqa: E402

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# In place of this folder, whose queue.py would be taken for the library's.
sys.path[0] = str(ROOT)

import numpy as np
from scipy import stats
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.real_figures import DATA, DEMO, features, read_hh, text_of
from rewardtrain.contract import ComparisonRow, SampleRow, read_rows
from rewardtrain.core.runlog import run
from rewardtrain.core.selection import STRATEGIES, Pool, select
from rewardtrain.demo import taste
from rewardtrain.demo.prompts import demo_prompts
from rewardtrain.scripts.generate import generate

SIZES = (100, 200, 300, 400, 600, 800, 1100, 1500)
AT_RANDOM = 200
RANDOM_SHARE = 0.2
POOL = 4
HELD_OUT = {"demo": 0.2, "hh": 0.3}
DEMO_PROMPTS, SAMPLES = 1_800, 3
DIRECTIONS = 256


@dataclass(frozen=True)
class World:
    """Every comparison that can be asked: its prompt, its features' difference, and its people.

    answer(i, draw) is 1, -1 or 0 (a tie); truth(i) the same without noise.
    """

    name: str
    prompt: np.ndarray
    difference: np.ndarray
    answer: Callable[[int, random.Random], int]
    truth: Callable[[int], int]


def demo_world(work: Path) -> World:
    prompts = [messages for seed in range(4) for messages in demo_prompts(seed)][:DEMO_PROMPTS]
    directory = work / "demo"
    directory.mkdir(exist_ok=True)
    config = {"kind": "generate", "model": str(DEMO), "samples_per_prompt": SAMPLES, "seed": 1}
    (directory / "config.json").write_text(json.dumps(config))
    lines = [json.dumps({"prompt": i, "messages": m}) + "\n" for i, m in enumerate(prompts)]
    (directory / "data.jsonl").write_text("".join(lines))
    if not (directory / "report.json").is_file() and run("generate", generate, [str(directory)]):
        sys.exit("The demo's policy could not write.")
    said: list[dict[str, None]] = [{} for _ in prompts]
    for row in read_rows(directory / "samples.jsonl", SampleRow):
        said[row.prompt][row.text] = None
    told = [(i, list(texts)) for i, texts in enumerate(said) if len(texts) > 1]
    rows = [
        ComparisonRow(
            comparison=f"{i} {place}",
            thread_root=str(i),
            split="train",
            messages=prompts[i],
            responses=[[{"role": "assistant", "content": text}]],
            outcome="unanswerable",
            tiers=[],
        )
        for i, texts in told
        for place, text in enumerate(texts)
    ]
    states = features(rows, "demo", str(DEMO), work)[:, 0]
    quality = [taste.quality(row.messages, text_of(row, 0)) for row in rows]
    pairs: list[tuple[int, int, int]] = []
    first = 0
    for i, texts in told:
        pairs += ((i, first + a, first + b) for a, b in combinations(range(len(texts)), 2))
        first += len(texts)

    def answer(pair: int, draw: random.Random) -> int:
        _, a, b = pairs[pair]
        return {"a": 1, "b": -1, "tie": 0}[taste.prefer(quality[a], quality[b], draw)]

    def truth(pair: int) -> int:
        _, a, b = pairs[pair]
        gap = quality[a] - quality[b]
        return 0 if abs(gap) < taste.TIE_BAND else 1 if gap > 0 else -1

    difference = np.stack([states[a] - states[b] for _, a, b in pairs])
    return World("demo", np.array([i for i, *_ in pairs]), scaled(difference), answer, truth)


def hh_world() -> World:
    rows = read_hh()
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
    texts = [text_of(row, place) for row in rows for place in (0, 1)]
    states = TruncatedSVD(DIRECTIONS, random_state=0).fit_transform(words.fit_transform(texts))
    roots = {root: n for n, root in enumerate(dict.fromkeys(row.thread_root for row in rows))}
    side = np.array([1 if i % 2 else -1 for i in range(len(rows))])
    difference = (states[0::2] - states[1::2]) * side[:, None]

    def truth(pair: int) -> int:
        return int(side[pair])

    prompt = np.array([roots[row.thread_root] for row in rows])
    return World("hh", prompt, scaled(difference), lambda pair, _: truth(pair), truth)


def scaled(difference: np.ndarray) -> np.ndarray:
    return difference / (difference.std(axis=0) + 1e-6) / np.sqrt(difference.shape[1])


def curve(world: World, strategy: str, seed: int) -> list[float]:
    """Accuracy on what is held out, at each of SIZES."""
    chance = random.Random(f"{world.name} {seed}")
    prompts = sorted(set(world.prompt.tolist()))
    chance.shuffle(prompts)
    held = set(prompts[: round(HELD_OUT[world.name] * len(prompts))])
    inside = np.array([p in held for p in world.prompt.tolist()])
    judged = np.array([i for i in np.flatnonzero(inside) if world.truth(i)])
    truth = np.array([world.truth(i) for i in judged])
    free = np.flatnonzero(~inside).tolist()
    chance.shuffle(free)
    asked: list[int] = []
    answers: dict[int, int] = {}
    found = []
    model: LogisticRegression | None = None
    for size in SIZES:
        wanted = min(size - len(asked), len(free))
        if size <= AT_RANDOM or strategy == "random":
            new = free[:wanted]
        else:
            assert model is not None
            known = world.difference[[i for i in asked if answers[i]]]
            new = steered(world, strategy, model, known, free, wanted, seed * 10_000 + size)
        taken = set(new)
        free = [i for i in free if i not in taken]
        asked += new
        # The same pair is answered the same way in every strategy of a seed.
        answers |= {i: world.answer(i, random.Random(f"{seed} {i}")) for i in new}
        model = fitted(world, asked, answers)
        margin = model.decision_function(world.difference[judged])
        found.append(float(np.mean(np.sign(margin) == truth)))
    return found


def steered(
    world: World,
    strategy: str,
    model: LogisticRegression,
    known: np.ndarray,
    free: Sequence[int],
    wanted: int,
    seed: int,
) -> list[int]:
    """A fifth at random, the others as drawn from a pool of POOL times as many prompts."""
    at_random = round(RANDOM_SHARE * wanted)
    new = list(free[:at_random])
    prompts = list(dict.fromkeys(world.prompt[list(free[at_random:])].tolist()))
    within = set(prompts[: POOL * (wanted - at_random)])
    pool = np.array([i for i in free[at_random:] if world.prompt[i] in within])
    difference = world.difference[pool]
    drawn = select(
        Pool(world.prompt[pool], difference, model.decision_function(difference), known),
        strategy,
        wanted - at_random,
        seed,
    )
    new += [int(pool[place]) for place, _ in drawn]
    if len(new) < wanted:  # Few prompts are left, and each is drawn once.
        taken = set(new)
        new += [i for i in free if i not in taken][: wanted - len(new)]
    return new


def fitted(world: World, asked: Sequence[int], answers: dict[int, int]) -> LogisticRegression:
    decided = [i for i in asked if answers[i]]
    sign = np.array([answers[i] for i in decided])
    # Each pair both ways round, so that both classes are there and no side is favoured.
    both = np.concatenate([world.difference[decided], -world.difference[decided]])
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=2000)
    return model.fit(both, np.concatenate([sign, -sign]) > 0)


def interval(values: np.ndarray) -> dict[str, float]:
    """Mean over seeds with Student's t at 95 %."""
    mean, n = float(values.mean()), len(values)
    half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def measure(world: World, seeds: int) -> dict[str, Any]:
    curves = {
        name: np.array([curve(world, name, seed) for seed in range(seeds)])
        for name in ("random", *STRATEGIES)
    }
    return {
        "world": world.name,
        "comparisons": len(world.prompt),
        "seeds": seeds,
        "rows": [
            {
                "labels": size,
                "accuracy": {name: interval(found[:, at]) for name, found in curves.items()},
                "against_random": {
                    name: interval(found[:, at] - curves["random"][:, at])
                    for name, found in curves.items()
                    if name != "random"
                },
            }
            for at, size in enumerate(SIZES)
        ],
    }


def show(found: dict[str, Any]) -> None:
    print(f"\n{found['world']}: {found['comparisons']} comparisons, {found['seeds']} seeds\n")
    print("| labels | random | D-optimal, points against random | uncertain, points |")
    print("| --- | --- | --- | --- |")
    for row in found["rows"]:
        rate = row["accuracy"]["random"]
        cells = [f"{100 * rate['mean']:.1f} % ({100 * rate['low']:.1f}–{100 * rate['high']:.1f})"]
        for gap in row["against_random"].values():
            ends = f"{100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}"
            cells.append(f"{100 * gap['mean']:+.1f} ({ends})")
        print(f"| {row['labels']} | " + " | ".join(cells) + " |")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, default=40)
    options.add_argument("--only", choices=["demo", "hh"])
    options.add_argument("--work", type=Path, help="Where texts and features are kept.")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        if given.only != "hh":
            found.append(measure(demo_world(work), given.seeds))
        if given.only != "demo":
            if (DATA / "hh_harmless_test.jsonl.gz").is_file():
                found.append(measure(hh_world(), given.seeds))
            else:
                print(f"hh is left out: {DATA} holds no HH data.", file=sys.stderr)
    if given.json:
        print(json.dumps(found, indent=1))
    else:
        for one in found:
            show(one)


if __name__ == "__main__":
    main()
