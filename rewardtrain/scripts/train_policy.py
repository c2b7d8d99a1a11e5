"""Fine-tune a policy by RLOO against a reward model, anchored to a reference by KL.

    python -m rewardtrain.scripts.train_policy runs/17

Reads a PolicyConfig and PromptRows. The policy optimisation is TRL's RLOO (Ahmadian et al. 2024,
arXiv:2402.14740). Departures: the prompts' order is fixed beforehand, so that a resumed run sees
the same ones; the KL that is shown is exact, summed over a response (core/policy.py), where TRL
logs a noisy mean a token. Killed at any moment and started again, the run goes on from its last
complete checkpoint and ends with the same weights.

Each line of metrics.jsonl, on the step's samples before its update:
    reward        mean of the weighted sum of its parts (contract.Reward); a reward model's are
                  normalised: 0 and 1 are the mean and spread of the reference's samples
    part_NAME     mean of a part before its weight, where there is more than one
    passed        share of the answers that pass all checks of their prompts, where those have any
    kl            mean exact KL(policy || reference) of a response, in nats
    entropy       nats a token; length: tokens a response; truncated: share cut off
    repetition    mean of 1 - unique 4-grams / 4-grams
    loss, grad_norm, learning_rate, seconds (of the step)

report.json:
    before, after  the starting and the final policy on the same prompts with the same draws:
                   reward and kl (n, mean, low, high), entropy, length, truncated, repetition,
                   distinct (unique bigrams / bigrams)
    prompts, shortened, left_out (prompts whose last turn alone leaves no room for a response)
    device, seconds (of this attempt), hashes (sha256 of weights, data, config)
"""

import random
import sys
import time
from collections.abc import Sequence
from typing import Any

# Before TRL, because it keeps the libraries from calling home.
from rewardtrain.core.pretrained import (  # isort: skip
    context_length,
    describe_device,
    prepare_device,
    sha256,
    weights_sha256,
)

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PreTrainedModel, PrinterCallback, TrainerCallback
from trl import RLOOConfig, RLOOTrainer

from rewardtrain.contract import CONFIG, DATA, ContractError, PolicyConfig, PromptRow
from rewardtrain.core.data import mixed_batches
from rewardtrain.core.guard import Guard
from rewardtrain.core.meter import (
    Meter,
    calibrated_guard,
    resume_guard,
    save_guard,
    tell_guard,
)
from rewardtrain.core.policy import load_policy, seed_of
from rewardtrain.core.proxy import Prompt, Proxy, Term, read_prompt, summary
from rewardtrain.core.reward_model import load_reward_model
from rewardtrain.core.rewards import model_term, reward_terms
from rewardtrain.core.rollout_trainer import MeasuredRLOO
from rewardtrain.core.runlog import (
    Cancelled,
    RunLog,
    complete_checkpoint,
    complete_checkpoints,
    newest_checkpoint,
    run,
)

JUDGED = 128
"""Responses on which the policy is compared before and after."""


def train_policy(log: RunLog, terms: Sequence[Term] | None = None) -> None:
    """The whole run. `terms` are the reward's where its configuration cannot name them."""
    config: PolicyConfig = log.config
    check_config(config)
    device = prepare_device(config.device)
    log.stage("loading models", steps=config.steps, device=describe_device(device))
    policy, tokenizer = load_policy(config.policy, "policy", device)
    reference, _ = load_policy(config.reference, "reference", device)
    check_vocabulary(policy, reference, config)
    rows = log.rows(PromptRow)
    room = context_length(policy, tokenizer) - config.max_new_tokens
    read = [read_prompt(row, tokenizer, room) for row in rows]
    prompts = [prompt for prompt in read if prompt.fits]
    if not prompts:
        raise ContractError(
            f"data.jsonl: none of the {len(rows)} prompts leaves room for max_new_tokens = "
            f"{config.max_new_tokens} in the policy's {room + config.max_new_tokens}."
        )

    watched: list[Term] = []
    if terms is None:
        terms, watched = reward_terms(config, prompts, device)
    proxy = Proxy(terms, reference, tokenizer, [*watched_terms(config, device), *watched])
    guard = calibrated_guard(log, proxy, prompts)
    meter = Meter(log, proxy, policy, prompts, guard)
    trainer = MeasuredRLOO(
        meter,
        reference,
        model=policy,
        args=trainer_settings(log, device),
        train_dataset=in_order(prompts, config),
        processing_class=tokenizer,
        callbacks=[Teller(log, meter)],
        peft_config=LoraConfig(target_modules="all-linear") if config.lora else None,
    )
    trainer.remove_callback(PrinterCallback)
    anchor(trainer, reference, config)
    take_steps(log, trainer, guard)
    told = roll_back(log, trainer, policy, guard)

    log.stage("comparing with the start")
    if config.lora:
        adapted: Any = trainer.model
        adapted.merge_and_unload()
    after = judge(proxy, policy.eval(), prompts, config)
    before = judge(proxy, load_policy(config.policy, "policy", device)[0], prompts, config)
    log.stage("saving")
    policy.save_pretrained(log.model_dir, safe_serialization=True)
    tokenizer.save_pretrained(log.model_dir)
    log.report(
        {
            "before": before,
            "after": after,
            "guard": told,
            "prompts": len(rows),
            "shortened": sum(prompt.shortened for prompt in prompts),
            "left_out": len(rows) - len(prompts),
            "device": describe_device(device),
            "seconds": round(log.seconds, 2),
            "hashes": {
                "weights": weights_sha256(log.model_dir),
                "data": sha256(log.directory / DATA),
                "config": sha256(log.directory / CONFIG),
            },
        }
    )


def watched_terms(config: PolicyConfig, device: torch.device) -> list[Term]:
    """What is scored beside the reward and optimised by nobody."""
    if not config.second_opinion:
        return []
    second = load_reward_model(config.second_opinion, "second_opinion", device)
    return [model_term(second, "second")]


def check_config(config: PolicyConfig) -> None:
    """Group sizes must divide one another, and the guard be one that there is.

    Raises:
        ContractError: they do not.
    """
    if config.guard not in ("stop", "watch"):
        raise ContractError(f"guard = {config.guard!r} must be 'stop' or 'watch'.")
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


def check_vocabulary(
    policy: PreTrainedModel, reference: PreTrainedModel, config: PolicyConfig
) -> None:
    """KL compares distributions over the same tokens.

    Raises:
        ContractError: the two models have different vocabularies.
    """
    ours = policy.config.get_text_config().vocab_size
    theirs = reference.config.get_text_config().vocab_size
    if ours != theirs:
        raise ContractError(
            f"reference = {config.reference!r} has {theirs} tokens where the policy has {ours}; "
            "give a reference of the same family."
        )


def in_order(prompts: list[Prompt], config: PolicyConfig) -> Dataset:
    """The prompts of every step: one seeded pass through all of them after another.

    A step asks prompts of like length, because one long prompt makes all its neighbours as slow.
    """
    each_step = config.samples_per_step // config.samples_per_prompt
    draw = random.Random(config.seed)
    order: list[int] = []
    while len(order) < config.steps * each_step:
        order += draw.sample(range(len(prompts)), len(prompts))
    lengths = [len(prompt.ids) for prompt in prompts]
    # Within less than a pass, so that few prompts do not meet themselves in a step.
    window = max(1, min(8, len(prompts) // each_step))
    wanted = order[: config.steps * each_step]
    steps = mixed_batches(wanted, lengths, each_step, draw, window)
    table = [{"prompt": p.messages, "place": place} for place, p in enumerate(prompts)]
    return Dataset.from_list(table).select([place for step in steps for place in step])


def trainer_settings(log: RunLog, device: torch.device) -> RLOOConfig:
    config: PolicyConfig = log.config
    on_gpu = device.type == "cuda"
    return RLOOConfig(
        output_dir=str(log.checkpoints_dir),
        max_steps=config.steps,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.samples_per_step // config.batch_size,
        num_generations=config.samples_per_prompt,
        max_completion_length=config.max_new_tokens,
        temperature=config.temperature,
        learning_rate=config.learning_rate,
        lr_scheduler_type="constant",
        beta=config.beta,
        seed=config.seed,
        shuffle_dataset=False,
        disable_dropout=True,
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


def anchor(trainer: RLOOTrainer, reference: PreTrainedModel, config: PolicyConfig) -> None:
    """Make the KL term of the reward measure the distance to our reference.

    TRL would take the weights that the policy started from, which are the reference only in a
    project's first round.
    """
    if config.beta:
        trainer.ref_model = reference


def take_steps(log: RunLog, trainer: RLOOTrainer, guard: Guard) -> None:
    """Train to the last step or to where the guard stops, from the newest complete checkpoint if
    there is one.

    Raises:
        Cancelled: after a checkpoint at the current step.
    """
    checkpoint, step = newest_checkpoint(log.checkpoints_dir)
    resume_guard(guard, checkpoint)
    log.stage("training")
    if checkpoint and (step >= log.config.steps or stopped(log, guard)):
        # Resuming here would take one step too many.
        trainer._load_from_checkpoint(str(checkpoint))
        return
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if trainer.state.global_step < log.config.steps and not stopped(log, guard):
        raise Cancelled


def stopped(log: RunLog, guard: Guard) -> bool:
    """Whether the guard has ended the run."""
    return log.config.guard == "stop" and guard.stop is not None


def roll_back(
    log: RunLog, trainer: RLOOTrainer, policy: PreTrainedModel, guard: Guard
) -> dict[str, Any]:
    """After a stop, take up the weights of the last clean checkpoint; what the report says of it.

    Clean is a checkpoint whose own samples came before the first of the warnings that led to the
    stop. Where there is none yet, the policy is the one that the run started from.
    """
    if not stopped(log, guard):
        return tell_guard(log, standing=guard.standing, kept=log.config.steps)
    assert guard.stop is not None
    clean = [
        step for step in complete_checkpoints(log.checkpoints_dir) if step + 1 < guard.stop.since
    ]
    kept = max(clean, default=0)
    log.stage(f"going back to step {kept}")
    if kept:
        trainer._load_from_checkpoint(str(log.checkpoints_dir / f"checkpoint-{kept}"))
    else:
        start_over(policy, log.config)
    return tell_guard(log, standing=guard.standing, kept=kept)


def start_over(policy: PreTrainedModel, config: PolicyConfig) -> None:
    """Give the policy the weights it started from."""
    if config.lora:
        # An adapter whose second factor is 0 changes nothing.
        for name, weights in policy.named_parameters():
            if "lora_B" in name:
                weights.data.zero_()
        return
    start, _ = load_policy(config.policy, "policy", policy.device)
    policy.load_state_dict(start.state_dict())


def judge(
    proxy: Proxy, policy: PreTrainedModel, prompts: list[Prompt], config: PolicyConfig
) -> dict[str, Any]:
    """How a policy does on fixed prompts with fixed draws."""
    asked = [prompts[i % len(prompts)] for i in range(JUDGED)]
    seen = proxy.write_and_see(
        policy,
        asked,
        [seed_of("judge", config.seed, i) for i in range(JUDGED)],
        batch_size=config.batch_size,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
    )
    return summary(seen)


class Teller(TrainerCallback):
    """Tells the run's log what the trainer does, and the trainer when to stop."""

    def __init__(self, log: RunLog, meter: Meter) -> None:
        self.log, self.meter = log, meter
        self.last = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.last = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.log.cancelled:
            control.should_save = control.should_training_stop = True
        if stopped(self.log, self.meter.guard):
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        self.log.metrics(
            state.global_step,
            **self.meter.values,
            **{name: logs[name] for name in ("loss", "grad_norm", "learning_rate")},
            seconds=time.monotonic() - self.last,
        )

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        checkpoint = self.log.checkpoints_dir / f"checkpoint-{state.global_step}"
        save_guard(self.meter.guard, checkpoint)
        complete_checkpoint(checkpoint)


if __name__ == "__main__":
    sys.exit(run("policy", train_policy, sys.argv[1:]))
