"""How a policy may be fine-tuned: each method's data, its settings and its trainer of TRL's."""

import os
import random
from collections.abc import Sequence
from typing import Any, Literal

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback
from trl import DPOConfig, GRPOConfig, RLOOConfig, SFTConfig
from trl.import_utils import is_vllm_available

from rewardtrain.contract import (
    OFFLINE,
    ComparisonRow,
    ContractError,
    DemonstrationRow,
    PolicyConfig,
    PromptRow,
)
from rewardtrain.core.data import mixed_batches
from rewardtrain.core.meter import Meter
from rewardtrain.core.offline_trainer import (
    DPO,
    SFT,
    Lookout,
    demonstration_examples,
    preference_examples,
)
from rewardtrain.core.proxy import Prompt, read_prompt
from rewardtrain.core.rollout_trainer import MeasuredGRPO, MeasuredRLOO, RejectionSampling
from rewardtrain.core.runlog import RunLog

ROWS: dict[str, type] = {
    "rloo": PromptRow,
    "grpo": PromptRow,
    "rejection_sampling": PromptRow,
    "dpo": ComparisonRow,
    "sft": DemonstrationRow,
}
TRAINERS: dict[str, tuple[type, type]] = {
    "rloo": (MeasuredRLOO, RLOOConfig),
    "grpo": (MeasuredGRPO, GRPOConfig),
    "rejection_sampling": (RejectionSampling, RLOOConfig),
    "dpo": (DPO, DPOConfig),
    "sft": (SFT, SFTConfig),
}


def check_config(config: PolicyConfig) -> None:
    """Group sizes must divide one another, and the method have what it needs.

    Raises:
        ContractError: they do not, or a launcher shards the weights.
    """
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        raise ContractError(
            "Fine-tuning does not shard a model over devices (FSDP); launch it with `accelerate "
            "launch --multi_gpu`, so that each device holds the model."
        )
    if config.samples_per_prompt < 2:
        raise ContractError(
            f"samples_per_prompt = {config.samples_per_prompt} must be 2 or more; each response "
            "is judged against the others to its prompt."
        )
    for name in ("samples_per_prompt", "batch_size"):
        if config.samples_per_step % getattr(config, name):
            raise ContractError(
                f"samples_per_step = {config.samples_per_step} must be a multiple of {name} = "
                f"{getattr(config, name)}."
            )
    if config.samples_per_step % (batch_of(config) * processes()):
        raise ContractError(
            f"samples_per_step = {config.samples_per_step} must be a multiple of batch_size = "
            f"{config.batch_size} times the {processes()} processes."
        )
    if config.method == "dpo" and not config.beta:
        raise ContractError("beta = 0 leaves DPO nothing to learn; give one above 0, such as 0.1.")
    if config.target_kl is not None:
        check_target(config)


def check_target(config: PolicyConfig) -> None:
    """An adaptive coefficient needs a target and something to multiply.

    Raises:
        ContractError: it has none, or its method has no KL term.
    """
    if not isinstance(config.target_kl, int | float) or config.target_kl <= 0:
        raise ContractError(f"target_kl = {config.target_kl!r} must be a number of nats above 0.")
    if config.method in OFFLINE:
        raise ContractError(
            f"target_kl = {config.target_kl:g} is of no use to {config.method}, which has no KL "
            "that could be steered; leave it out."
        )
    if not config.beta:
        raise ContractError(
            "beta = 0 stays 0 whatever target_kl is; give the coefficient to start from."
        )


def processes() -> int:
    """How many a launcher has started beside this one, itself included."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def batch_of(config: PolicyConfig) -> int:
    """What a process takes in one pass: its share of a step, where that is less."""
    return max(1, min(config.batch_size, config.samples_per_step // processes()))


def prompts_of(
    rows: Sequence[PromptRow | ComparisonRow | DemonstrationRow],
    tokenizer: PreTrainedTokenizerBase,
    room: int,
) -> list[Prompt]:
    """The prompt of every row, by its place in the file, in at most `room` tokens."""
    asked = [
        row if isinstance(row, PromptRow) else PromptRow(prompt=place, messages=row.messages)
        for place, row in enumerate(rows)
    ]
    return [read_prompt(row, tokenizer, room) for row in asked]


def distinct(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Each once, however many rows share it."""
    return list({tuple(prompt.ids): prompt for prompt in reversed(prompts)}.values())[::-1]


def examples_of(
    rows: Sequence[Any],
    prompts: Sequence[Prompt],
    tokenizer: PreTrainedTokenizerBase,
    config: PolicyConfig,
) -> list[dict[str, Any]]:
    """What an offline method learns from.

    Raises:
        ContractError: there is nothing.
    """
    read = preference_examples if config.method == "dpo" else demonstration_examples
    examples = read(rows, prompts, tokenizer, config.max_new_tokens)
    if not examples:
        what = "decided comparison" if config.method == "dpo" else "demonstration"
        raise ContractError(
            f"data.jsonl: none of the {len(rows)} rows is a {what} that {config.method} could "
            "learn from."
        )
    return examples


def asked_in_order(prompts: Sequence[Prompt], config: PolicyConfig) -> Dataset:
    """The prompts of every step of a method that lets the policy write."""
    table = [{"prompt": p.messages, "place": place} for place, p in enumerate(prompts)]
    each_step = config.samples_per_step // config.samples_per_prompt
    return Dataset.from_list(table).select(
        in_order([len(prompt.ids) for prompt in prompts], each_step, config)
    )


def shown_in_order(examples: Sequence[dict[str, Any]], config: PolicyConfig) -> Dataset:
    """The examples of every step of a method that does not."""
    lengths = [sum(map(len, example.values())) for example in examples]
    return Dataset.from_list(list(examples)).select(
        in_order(lengths, config.samples_per_step, config)
    )


def in_order(lengths: Sequence[int], each_step: int, config: PolicyConfig) -> list[int]:
    """What every step takes: one seeded pass through all after another.

    A step takes what is of like length, because one long row makes all its neighbours as slow.
    """
    draw = random.Random(config.seed)
    order: list[int] = []
    while len(order) < config.steps * each_step:
        order += draw.sample(range(len(lengths)), len(lengths))
    # Within less than a pass, so that few prompts do not meet themselves in a step.
    window = max(1, min(8, len(lengths) // each_step))
    wanted = order[: config.steps * each_step]
    steps = mixed_batches(wanted, lengths, each_step, draw, window)
    return [place for step in steps for place in step]


def settings_of(log: RunLog, device: torch.device) -> Any:
    """The trainer's settings."""
    config: PolicyConfig = log.config
    on_gpu = device.type == "cuda"
    return TRAINERS[config.method][1](
        **own_settings(config, on_gpu),
        output_dir=str(log.checkpoints_dir),
        max_steps=config.steps,
        per_device_train_batch_size=batch_of(config),
        gradient_accumulation_steps=config.samples_per_step // (batch_of(config) * processes()),
        learning_rate=config.learning_rate,
        lr_scheduler_type="constant",
        seed=config.seed,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        gradient_checkpointing=on_gpu,
        dataloader_pin_memory=on_gpu,
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=config.keep_checkpoints,
        logging_steps=1,
        # Otherwise a NaN loss would be shown as the mean of those before it.
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
    )


def own_settings(config: PolicyConfig, on_gpu: bool) -> dict[str, Any]:
    """Those that the method alone has."""
    if config.method == "sft":
        return {"max_length": None}
    if config.method == "dpo":
        return {"max_length": None, "beta": config.beta, "disable_dropout": True}
    return {
        "beta": config.beta,
        "disable_dropout": True,
        "num_generations": config.samples_per_prompt,
        "max_completion_length": config.max_new_tokens,
        "temperature": config.temperature,
        "shuffle_dataset": False,
        "use_vllm": writer(config.rollouts, on_gpu) == "vllm",
        "vllm_mode": "colocate",
    }


def writer(rollouts: str, on_gpu: bool) -> Literal["transformers", "vllm"]:
    """Which library lets the policy write: vLLM where it is installed and there is a GPU."""
    return "vllm" if rollouts == "auto" and on_gpu and is_vllm_available() else "transformers"


def trainer_of(
    meter: Meter,
    settings: Any,
    dataset: Dataset,
    policy: PreTrainedModel,
    reference: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
) -> Any:
    """The method's trainer, told of nothing yet."""
    config: PolicyConfig = meter.log.config
    options: dict[str, Any] = {
        "model": policy,
        "args": settings,
        "train_dataset": dataset,
        "processing_class": tokenizer,
        "peft_config": LoraConfig(target_modules="all-linear") if config.lora else None,
    }
    kind = TRAINERS[config.method][0]
    if config.method == "sft":
        trainer = kind(**options)
    elif config.method == "dpo":
        trainer = kind(ref_model=reference, **options)
    else:
        trainer = kind(meter, reference, **options)
    trainer.remove_callback(PrinterCallback)
    if config.method in OFFLINE:
        trainer.add_callback(Lookout(meter))
    return trainer
