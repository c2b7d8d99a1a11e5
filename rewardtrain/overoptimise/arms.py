"""Run the arms of one setting and seed.

    python -m rewardtrain.overoptimise.arms DIRECTORY SETTING SEED

The reward model and the second opinion learn from disjoint prompts. All arms of a seed start alike,
so the guarded one is the unguarded one up to where it stops. result.json has the mean true score of
each arm's checkpoints, on the same held-out prompts with the same draws.
"""

import json
import random
import shutil
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from rewardtrain.contract import MODEL, PromptRow, read_status, write_json
from rewardtrain.core.metrics import mean_figure
from rewardtrain.core.policy import load_policy, sample, seed_of
from rewardtrain.core.proxy import Answer, Term, read_prompt
from rewardtrain.core.runlog import complete_checkpoints, run
from rewardtrain.demo import tales
from rewardtrain.overoptimise.settings import ARMS, SETTINGS, Messages, Setting
from rewardtrain.scripts.train_policy import train_policy
from rewardtrain.scripts.train_reward import train_reward

POLICY = str(Path(__file__).parents[1] / "demo" / "policy")
TOKENS = 64
STEPS = 48
JUDGED_PROMPTS, JUDGED_EACH = 48, 4
CPU = torch.device("cpu")

FINE_TUNING = {
    "kind": "policy",
    "policy": POLICY,
    "reference": POLICY,
    "steps": STEPS,
    "samples_per_step": 32,
    "samples_per_prompt": 4,
    "batch_size": 32,
    "max_new_tokens": TOKENS,
    "learning_rate": 7e-4,
    "beta": 0.0,
    "checkpoint_every": 3,
    "guard": "watch",
    "device": "cpu",
}
DIFFERS: dict[str, dict[str, Any]] = {"guarded": {"guard": "stop"}, "kl": {"beta": 0.05}}


def main(directory: Path, name: str, seed: int) -> None:
    torch.set_num_threads(1)
    setting = SETTINGS[name]
    for half in ("reward", "second"):
        learn_reward(directory / half, setting, seed, half)
    arms = {arm: run_arm(directory, setting, seed, arm) for arm in ARMS}
    write_json(directory / "result.json", {"setting": name, "seed": seed, "arms": arms})


def ask(draw: str, count: int) -> list[Messages]:
    """Requests for tales; each name of a draw gives its own."""
    rng = random.Random(draw)
    return [[{"role": "user", "content": tales.ask(rng, tales.subject(rng))}] for _ in range(count)]


def write(source: str, prompts: Sequence[Messages], seeds: Sequence[int]) -> list[str]:
    """What a policy answers, one answer a prompt."""
    policy, tokenizer = load_policy(source, "policy", CPU)
    rows = [PromptRow(prompt=0, messages=messages) for messages in prompts]
    ids = [read_prompt(row, tokenizer, 400).ids for row in rows]
    written = sample(policy, tokenizer, ids, seeds, max_new_tokens=TOKENS)
    return tokenizer.batch_decode(written, skip_special_tokens=True)


def learn_reward(directory: Path, setting: Setting, seed: int, half: str) -> None:
    """A reward model of what simulated people of the setting say about the reference's tales."""
    asked = ask(f"{half} {seed}", setting.prompts)
    prompts = [asked[i % len(asked)] for i in range(setting.pairs)]
    seeds = [seed_of("label", seed, half, i) for i in range(2 * setting.pairs)]
    texts = write(POLICY, [prompt for prompt in prompts for _ in range(2)], seeds)
    rng = random.Random(f"labels {half} {seed}")
    rows = []
    for i, prompt in enumerate(prompts):
        pair = texts[2 * i : 2 * i + 2]
        first, second = (setting.true(prompt, text) for text in pair)
        luck = rng.uniform(1e-9, 1 - 1e-9)
        wins = first - second > setting.noise * torch.tensor(luck).logit().item()
        rows.append(
            {
                "comparison": str(i),
                "thread_root": prompt[0]["content"],
                "split": "train",
                "messages": prompt,
                "responses": [[{"role": "assistant", "content": text}] for text in pair],
                "outcome": "prefer",
                "tiers": [[0], [1]] if wins else [[1], [0]],
            }
        )
    config = {
        "kind": "reward",
        "backbone": POLICY,
        "folds": 0,
        "curve": False,
        "epochs": setting.epochs,
        "learning_rate": setting.learning_rate,
        "seed": seed,
        "device": "cpu",
    }
    tell(directory, config, rows, "reward", train_reward)


def run_arm(directory: Path, setting: Setting, seed: int, arm: str) -> dict[str, Any]:
    """Fine-tune as the arm does; the true score along the way, and what the guard said."""
    began = time.monotonic()
    config = {
        **FINE_TUNING,
        "reward_model": str(directory / "reward" / MODEL),
        # The true score needs no second opinion.
        **({} if arm == "true" else {"second_opinion": str(directory / "second" / MODEL)}),
        **DIFFERS.get(arm, {}),
        "seed": seed,
    }
    rows = [{"prompt": i, "messages": p} for i, p in enumerate(ask(f"train {seed}", 64))]
    terms = [Term("true", partial(true_scores, setting))] if arm == "true" else None
    tell(directory / arm, config, rows, "policy", partial(train_policy, terms=terms))
    trained = time.monotonic() - began
    report = json.loads((directory / arm / "report.json").read_text("utf-8"))
    sources = {0: Path(POLICY), **complete_checkpoints(directory / arm / "checkpoints")}
    if arm in ("guarded", "kl"):
        # What they leave is all that counts, and the start to count from.
        kept = report["guard"]["kept"]
        sources = {0: Path(POLICY), kept: directory / arm / MODEL}
    truth = {step: judge(str(source), setting, seed) for step, source in sorted(sources.items())}
    shutil.rmtree(directory / arm / "checkpoints")
    return {
        "truth": truth,
        "guard": {name: report["guard"][name] for name in ("standing", "kept", "stop")},
        "kl": report["after"]["kl"]["mean"],
        "seconds": round(trained, 1),
    }


def true_scores(setting: Setting, answers: Sequence[Answer]) -> list[float]:
    return [setting.true(a.prompt.messages, a.text) for a in answers]


def judge(source: str, setting: Setting, seed: int) -> dict[str, Any]:
    """The mean true score on held-out prompts."""
    prompts = [p for p in ask(f"judge {seed}", JUDGED_PROMPTS) for _ in range(JUDGED_EACH)]
    texts = write(source, prompts, [seed_of("judge", seed, i) for i in range(len(prompts))])
    return mean_figure([setting.true(p, text) for p, text in zip(prompts, texts, strict=True)])


def tell(directory: Path, config: dict, rows: list[dict], kind: str, story: Any) -> None:
    """Tell a script's story in a directory of its own."""
    directory.mkdir(parents=True)
    write_json(directory / "config.json", config)
    (directory / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if run(kind, story, [str(directory)]) != 0:
        status = read_status(directory)
        raise SystemExit(f"{directory}: {status.error if status else 'it did not start'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
