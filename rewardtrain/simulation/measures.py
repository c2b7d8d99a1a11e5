"""What noise and arena cannot show: the models judged by the taste itself, on fresh texts.

Every figure is that of a run of purpose "measure", whose rows and report stay in its directory.
"""

import random
from collections import defaultdict
from dataclasses import asdict
from itertools import combinations
from typing import Any

from annotation.models import Project
from rewardtrain import arena, contract, ingest, start
from rewardtrain.demo import taste
from rewardtrain.demo.prompts import demo_prompts
from rewardtrain.demo.tales import ending
from rewardtrain.launch import read_data, run_dir
from rewardtrain.models import ModelVersion, Run
from rewardtrain.options import configure
from rewardtrain.rows import Row, seed_for

PAIRS = 2_000
PROMPTS, SAMPLES_A_PROMPT = 300, 5
"""They make about 2,400 decided pairs."""
DUELS = 400
DRAW = "measure"


def fresh_prompts(seed: int, wanted: int) -> list[Row]:
    """PromptRows that no project of the demo holds."""
    known = {str(messages) for messages in demo_prompts()}
    prompts = demo_prompts(seed_for(DRAW, "prompts", seed))
    fresh = [messages for messages in prompts if str(messages) not in known]
    return [{"prompt": place, "messages": m} for place, m in enumerate(fresh[:wanted])]


def write_reference_pairs(project: Project, reference: ModelVersion, seed: int) -> Run:
    """Let the reference answer fresh prompts several times each."""
    options = {"samples_per_prompt": SAMPLES_A_PROMPT}
    return start.create(
        project,
        Run.Kind.GENERATE,
        fresh_prompts(seed, PROMPTS),
        purpose=Run.Purpose.MEASURE,
        configuration=configure(Run.Kind.GENERATE, options, seed=seed_for(DRAW, "pairs", seed)),
        policy=reference,
    )


def decided_pairs(written: Run, seed: int) -> list[Row]:
    """ScoringRows of up to PAIRS pairs that the taste decides without noise, best first."""
    pairs: list[Row] = []
    for messages, ours, _ in by_prompt(written):
        for a, b in combinations(dict.fromkeys(ours), 2):
            qualities = taste.quality(messages, a), taste.quality(messages, b)
            if abs(qualities[0] - qualities[1]) >= taste.TIE_BAND:
                better, worse = (a, b) if qualities[0] > qualities[1] else (b, a)
                pairs.append({"messages": messages, "texts": [better, worse]})
    kept = random.Random(f"{DRAW} {seed}").sample(range(len(pairs)), min(PAIRS, len(pairs)))
    # In the order of their prompts: pairs that share a text are scored together.
    return [
        {
            "row": row,
            "messages": pair["messages"],
            "responses": [[{"role": "assistant", "content": text}] for text in pair["texts"]],
            "tiers": [[0], [1]],
        }
        for row, pair in enumerate(pairs[place] for place in sorted(kept))
    ]


def judge_pairs(project: Project, reward_model: ModelVersion, pairs: list[Row]) -> Run:
    return start.create(
        project,
        Run.Kind.EVALUATE,
        pairs,
        purpose=Run.Purpose.MEASURE,
        configuration=configure(Run.Kind.EVALUATE, {}, seed=0),
        reward_model=reward_model,
    )


def write_duels(project: Project, policy: ModelVersion, reference: ModelVersion, seed: int) -> Run:
    """Let a policy and the reference answer the same fresh prompts once."""
    options = {"samples_per_prompt": 1, "reference_samples": 1}
    return start.create(
        project,
        Run.Kind.GENERATE,
        fresh_prompts(seed, DUELS),
        purpose=Run.Purpose.MEASURE,
        configuration=configure(Run.Kind.GENERATE, options, seed=seed_for(DRAW, "duels", seed)),
        policy=policy,
        reference=reference,
    )


def duels(written: Run) -> dict[str, Any]:
    """The policy's noiseless win rate, its KL, and the share of its endings that differ."""
    results: list[arena.Result] = []
    endings: dict[str, set[str]] = defaultdict(set)
    for messages, (ours, *_), (theirs, *_) in by_prompt(written):
        gap = taste.quality(messages, ours) - taste.quality(messages, theirs)
        results.append("tie" if abs(gap) < taste.TIE_BAND else "win" if gap > 0 else "loss")
        endings["policy"].add(ending(ours))
        endings["reference"].add(ending(theirs))
    rate = arena.win_rate(results)
    assert written.report is not None
    shown = ("wins", "ties", "losses", "value", "low", "high")
    return {
        "win_rate": {"n": rate.n, **{name: asdict(rate)[name] for name in shown}},
        "kl": written.report["kl"],
        "distinct_endings": len(endings["policy"]) / rate.n,
        "distinct_endings_of_reference": len(endings["reference"]) / rate.n,
    }


def by_prompt(written: Run) -> list[tuple[list[dict[str, str]], list[str], list[str]]]:
    """Each prompt's messages with the model's texts and the reference's."""
    ours: dict[int, list[str]] = defaultdict(list)
    theirs: dict[int, list[str]] = defaultdict(list)
    lines, _ = ingest.whole_lines(run_dir(written) / contract.SAMPLES, 0)
    for line in sorted(lines, key=lambda s: (s["prompt"], s["index"])):
        (theirs if line["by_reference"] else ours)[line["prompt"]].append(line["text"])
    return [
        (row["messages"], ours[row["prompt"]], theirs[row["prompt"]]) for row in read_data(written)
    ]
