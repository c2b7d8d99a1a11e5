"""Fine-tune a policy, anchored to a reference by KL, by the `method` of its configuration.

    python -m rewardtrain.scripts.train_policy runs/17
    accelerate launch -m rewardtrain.scripts.train_policy runs/17

Reads a PolicyConfig and, by method:

    rloo                PromptRows: against a reward (core/rollout_trainer.py names the papers)
    grpo                the same
    rejection_sampling  the same: the likelihood of each prompt's best sample, no gradient of reward
    dpo                 ComparisonRows: on the decided ones, with no reward
    sft                 DemonstrationRows: the likelihood of what people wrote

The optimisation is TRL's. Departures: the rows' order is fixed beforehand, so that a resumed run
sees the same ones; the KL that is shown is exact, summed over a response (core/policy.py), where
TRL logs a noisy mean a token. Killed at any moment and started again, the run goes on from its last
complete checkpoint and ends with the same weights (not where vLLM lets the policy write, which has
a generator of its own).

Each line of metrics.jsonl, on the step's samples before its update; where the policy writes nothing
to learn from, on what it is let write every `sample_every` steps:
    reward        mean of the weighted sum of its parts (contract.Reward); a reward model's are
                  normalised: 0 and 1 are the mean and spread of the reference's samples
    part_NAME     mean of a part before its weight, where there is more than one
    passed        share of the answers that pass all checks of their prompts, where those have any
    kl            mean exact KL(policy || reference) of a response, in nats
    entropy       nats a token; length: tokens a response; truncated: share cut off
    repetition    mean of 1 - unique 4-grams / 4-grams
    beta          the KL coefficient, where it adapts
    loss, grad_norm, learning_rate, seconds (of the step)

report.json:
    before, after  the starting and the final policy on the same prompts with the same draws:
                   reward and kl (n, mean, low, high), entropy, length, truncated, repetition,
                   distinct (unique bigrams / bigrams)
    prompts, shortened, left_out (prompts whose last turn alone leaves no room for a response)
    device, seconds (of this attempt), hashes (sha256 of weights, data, config)
"""

import sys
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
from transformers import PreTrainedModel

from rewardtrain.contract import CONFIG, DATA, OFFLINE, ContractError, PolicyConfig
from rewardtrain.core.fine_tuning import roll_back, take_steps
from rewardtrain.core.meter import Meter, calibrated_guard
from rewardtrain.core.methods import (
    ROWS,
    asked_in_order,
    check_config,
    distinct,
    examples_of,
    prompts_of,
    settings_of,
    shown_in_order,
    trainer_of,
)
from rewardtrain.core.policy import load_policy, seed_of
from rewardtrain.core.proxy import Prompt, Proxy, Term, summary
from rewardtrain.core.reward_model import load_reward_model
from rewardtrain.core.rewards import model_term, reward_terms
from rewardtrain.core.runlog import RunLog, run

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
    rows = log.rows(ROWS[config.method])
    room = context_length(policy, tokenizer) - config.max_new_tokens
    read = prompts_of(rows, tokenizer, room)
    prompts = [prompt for prompt in read if prompt.fits]
    if not prompts:
        raise ContractError(
            f"data.jsonl: none of the {len(rows)} prompts leaves room for max_new_tokens = "
            f"{config.max_new_tokens} in the policy's {room + config.max_new_tokens}."
        )

    if config.method in OFFLINE:
        prompts = distinct(prompts)
    watched: list[Term] = []
    if terms is None:
        terms, watched = reward_terms(config, prompts, device)
    proxy = Proxy(terms, reference, tokenizer, [*watched_terms(config, device), *watched])
    settings = settings_of(log, device)
    with settings.main_process_first(local=False):
        guard = calibrated_guard(log, proxy, prompts)
    meter = Meter(log, proxy, policy, prompts, guard)
    if config.method in OFFLINE:
        dataset = shown_in_order(examples_of(rows, read, tokenizer, config), config)
    else:
        dataset = asked_in_order(prompts, config)
    trainer = trainer_of(meter, settings, dataset, policy, reference, tokenizer)
    take_steps(trainer, meter)
    told = roll_back(trainer, policy, meter)
    if not log.leads:
        return

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
            "left_out": sum(not prompt.fits for prompt in read),
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


if __name__ == "__main__":
    sys.exit(run("policy", train_policy, sys.argv[1:]))
