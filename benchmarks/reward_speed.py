"""Reward training, ours beside TRL's RewardTrainer: same model, pairs, steps and data order.

    .venv/bin/python benchmarks/reward_speed.py                  HH, and four responses a prompt
    .venv/bin/python benchmarks/reward_speed.py --json out.json
    .venv/bin/python benchmarks/reward_speed.py --device cuda --shape 0.5B --pairs 10000

TRL runs by its defaults, and tuned: of a grid (checkpointing off; float32 and bf16; fused attention
and plain; how many pairs a pass) the fastest on a part of the pairs is taken. Tuned, it also gets
our order, in which a step's pairs are of like length, so that it pads less. K = 4 is an HH prompt
with its two responses and those of the next dialogue, as all six pairs. The tokenizer is trained on
HH: the demo's knows tales, and would cut English into twice as many tokens. Every run is a process
of its own, on one CPU thread, and ends with the same judgement of the same pairs: the loss it
arrived at. Runs are repeated in turn; the table shows medians and the range of how many times as
fast ours is, in CPU seconds (on a GPU in seconds). `tokens` are those of every side of every pair,
the work as TRL counts it.
"""
# ruff: noqa: E402

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT)

import torch
from transformers import (
    AutoTokenizer,
    LlamaConfig,
    LlamaForSequenceClassification,
    Qwen2Config,
    Qwen2ForSequenceClassification,
)

from benchmarks.real_figures import read_hh
from rewardtrain.contract import ComparisonRow, RewardConfig
from rewardtrain.core.losses import decided_pairs
from rewardtrain.core.objective import Objective
from rewardtrain.core.packed_trainer import Learner, PackedRewardTrainer, rise_and_fall
from rewardtrain.core.packing import plant
from rewardtrain.core.pretrained import prepare_device
from rewardtrain.core.reward_fit import Fit, Steps, Texts
from rewardtrain.core.reward_model import start_reward_model
from rewardtrain.core.runlog import RunLog

DEMO = ROOT / "rewardtrain" / "demo" / "policy"
LENGTH, RATE, SEED, VOCABULARY = 512, 1e-4, 0, 8000
SHAPES = {
    "demo": LlamaConfig(
        hidden_size=128, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4
    ),
    "512": LlamaConfig(
        hidden_size=512, intermediate_size=2048, num_hidden_layers=4, num_attention_heads=8
    ),
    "0.5B": Qwen2Config(
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
    ),
}
QUIET = {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "PYTHONWARNINGS": "ignore"}
GPU_PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense bf16 operations a second, by what the device's name holds."""


@dataclass(frozen=True)
class Setting:
    """One run. comparisons: an optimiser step's; passes: pairs a pass through TRL's model."""

    who: str
    pairs: int
    responses: int = 2
    comparisons: int = 16
    passes: int = 8
    checkpointing: bool = True
    bf16: bool = True
    attention: str = "sdpa"
    like_length: bool = False


def rows_of(setting: Setting) -> list[ComparisonRow]:
    """The first comparisons of a seeded shuffle of HH; with four responses, the next one's too."""
    rows = random.Random(SEED).sample(read_hh(), 2312)
    if setting.responses == 4:
        rows = [
            replace(row, responses=[*row.responses, *other.responses], tiers=[[0], [1], [2], [3]])
            for row, other in zip(rows, [*rows[1:], rows[0]], strict=True)
        ]
    each = pairs_of_one(setting)
    return [rows[i % len(rows)] for i in range(setting.pairs // each)]


def pairs_of_one(setting: Setting) -> int:
    """Of a comparison."""
    return setting.responses * (setting.responses - 1) // 2


def write_model(shape: str, folder: Path) -> None:
    demo = AutoTokenizer.from_pretrained(DEMO)
    texts = (m["content"] for row in read_hh() for m in [*row.messages, *chain(*row.responses)])
    tokenizer = demo.train_new_from_iterator(texts, VOCABULARY)
    tokenizer.model_max_length = LENGTH
    config = SHAPES[shape]
    config.update({"vocab_size": len(tokenizer), "num_labels": 1, "pad_token_id": 0})
    torch.manual_seed(SEED)
    qwen = isinstance(config, Qwen2Config)
    model = (Qwen2ForSequenceClassification if qwen else LlamaForSequenceClassification)(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def measure(setting: Setting, model: Path, device: str) -> dict[str, Any]:
    """One run, in this process: what it took and the loss that it arrived at."""
    on = prepare_device(device)
    rows = rows_of(setting)
    config = RewardConfig(
        backbone=str(model),
        epochs=1,
        batch_size=setting.comparisons,
        learning_rate=RATE,
        weight_decay=0.0,
        centring=0.0,
        members=0,
        max_length=LENGTH,
        checkpoint_every=10**6,
        device=device,
    )
    reward = start_reward_model(str(model), LENGTH, on)
    texts = Texts(reward, rows)
    fit = Fit("speed", "final", list(range(len(rows))), [])
    steps = Steps(fit, rows, texts, config)
    with tempfile.TemporaryDirectory() as folder:
        make = ours if setting.who == "ours" else theirs
        train = make(setting, config, reward, rows, texts, steps, Path(folder))
        began, cpu = time.perf_counter(), time.process_time()
        train()
        if on.type == "cuda":
            torch.cuda.synchronize()
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if on.type == "cuda":
        peak = torch.cuda.max_memory_allocated()
    places = [(i, a, b) for i, row in enumerate(rows) for a, b, _ in decided_pairs(row.tiers)]
    tokens = sum(len(texts.of_row[i][a]) + len(texts.of_row[i][b]) for i, a, b in places)
    reward.model.eval()
    scores = iter(reward.scores(texts.all))
    scored = [[next(scores) for _ in row.responses] for row in rows]
    margins = torch.tensor([scored[i][a] - scored[i][b] for i, a, b in places])
    return {
        "steps": len(steps),
        "pairs": len(places),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "pairs_a_second": len(places) / seconds,
        "tokens_a_second": tokens / seconds,
        "peak_gib": peak / 2**30,
        "loss": -torch.nn.functional.logsigmoid(margins).mean().item(),
        "mfu": utilisation(reward.model, texts, seconds) if on.type == "cuda" else None,
    }


def utilisation(model, texts: Texts, seconds: float) -> float | None:
    """Model operations (6 a weight and needed token, embeddings apart) over the device's peak."""
    name = torch.cuda.get_device_name()
    peak = next((value for key, value in GPU_PEAK.items() if key in name), None)
    embedded = model.get_input_embeddings().weight.numel()
    weights = sum(p.numel() for p in model.parameters()) - embedded
    trees = [tree for group in texts.of_row for tree in plant(group, 0, 10**9, "tree")]
    needed = sum(tree.tokens for tree in trees)
    return 6 * weights * needed / seconds / peak if peak else None


def ours(setting, config, reward, rows, texts, steps, folder: Path):
    (folder / "config.json").write_text('{"attempt": 1}')
    log = RunLog(folder, config)
    log.say = lambda words: None
    learner = Learner(reward, Objective(rows, config).to(reward.device))
    return PackedRewardTrainer(learner, steps, log, folder / "checkpoints").take_steps


def theirs(setting: Setting, config, reward, rows, texts, steps, folder: Path):
    from datasets import Dataset
    from trl import RewardConfig as Arguments
    from trl import RewardTrainer

    order = [i for batch in steps.batches for i in batch]
    if not setting.like_length:
        order = random.Random(SEED).sample(order, len(order))
    pairs = [
        {"chosen_ids": texts.of_row[i][a], "rejected_ids": texts.of_row[i][b]}
        for i in order
        for a, b, _ in decided_pairs(rows[i].tiers)
    ]
    each = pairs_of_one(setting)
    on_gpu = reward.device.type == "cuda"
    reward.model.set_attn_implementation(setting.attention)
    arguments = Arguments(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=setting.passes,
        gradient_accumulation_steps=setting.comparisons * each // setting.passes,
        train_sampling_strategy="sequential",
        max_length=LENGTH,
        gradient_checkpointing=setting.checkpointing,
        bf16=setting.bf16,
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=SEED,
    )
    weights = reward.model.parameters()
    optimiser = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rise_and_fall(len(steps)))
    trainer = RewardTrainer(
        model=reward.model,
        args=arguments,
        train_dataset=Dataset.from_list(pairs),
        processing_class=reward.tokenizer,
        optimizers=(optimiser, schedule),
    )
    return trainer.train


def in_its_own_process(setting: Setting, model: Path, device: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--device", device, "--model", str(model)]
    found = subprocess.run(
        [*command, "--one", json.dumps(asdict(setting))],
        env={"OMP_NUM_THREADS": "1", **QUIET, **os.environ},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(found.stdout.splitlines()[-1])


def tune(part: Setting, model: Path, device: str) -> Setting:
    """The fastest of the grid on a part of the pairs; the grid is printed."""
    tried = []
    for bf16, attention in [(False, "sdpa"), (True, "sdpa"), (True, "eager")]:
        for passes in (4, 8, 16):
            setting = replace(part, bf16=bf16, attention=attention, passes=passes)
            seconds = cost(in_its_own_process(setting, model, device), device)
            tried.append((seconds, setting))
            print(
                f"  {'bf16' if bf16 else 'float32':7}  {attention:5}  {passes:2} pairs a pass "
                f"{seconds:7.2f} s",
                flush=True,
            )
    return min(tried, key=lambda found: found[0])[1]


def cost(row: dict[str, Any], device: str) -> float:
    """One thread's CPU seconds are its seconds on a machine of its own, whoever shares it."""
    return row["seconds" if device == "cuda" else "cpu_seconds"]


def compare(name: str, setting: Setting, model: Path, device: str, repeats: int) -> dict[str, Any]:
    part = setting.pairs // 4
    print(f"\n{name}: {setting.pairs} pairs; TRL's grid on {part} of them", flush=True)
    base = replace(setting, who="TRL", checkpointing=False, like_length=True)
    tuned = replace(tune(replace(base, pairs=part), model, device), pairs=setting.pairs)
    runs = {"TRL, default": replace(setting, who="TRL"), "TRL, tuned": tuned, "ours": setting}
    found: dict[str, list[dict[str, Any]]] = {who: [] for who in runs}
    for _ in range(repeats):
        for who, run in runs.items():
            found[who].append(in_its_own_process(run, model, device))
    print("  who           steps  seconds  CPU s  pairs/s  tokens/s  GiB  loss     ours is")
    for who, rows in found.items():
        row = {key: median([r[key] for r in rows]) for key in rows[0]}
        times = [
            cost(t, device) / cost(o, device) for t, o in zip(rows, found["ours"], strict=True)
        ]
        print(
            f"  {who:13} {row['steps']:5.0f} {row['seconds']:8.2f} {row['cpu_seconds']:6.1f} "
            f"{row['pairs_a_second']:8.2f} {row['tokens_a_second']:9.0f} {row['peak_gib']:4.1f} "
            f"{row['loss']:8.5f}  {median(times):.2f} ({min(times):.2f} to {max(times):.2f}) times "
            "as fast" + (f"  MFU {row['mfu']:.0%}" if row["mfu"] else ""),
            flush=True,
        )
    return {"name": name, "settings": {w: asdict(r) for w, r in runs.items()}, "runs": found}


def median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="demo")
    parser.add_argument("--pairs", type=int, default=192, help="a multiple of 96")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        found = measure(Setting(**options.one), options.model, options.device)
        print(json.dumps(found))
        return
    print(f"shape {options.shape}, {options.pairs} pairs, at most {LENGTH} tokens, rate {RATE}")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder)
        write_model(options.shape, model)
        two = Setting("ours", options.pairs)
        four = Setting("ours", options.pairs, responses=4, comparisons=8)
        found = [
            compare("HH", two, model, options.device, options.repeats),
            compare("K = 4", four, model, options.device, options.repeats),
        ]
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
