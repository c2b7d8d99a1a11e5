"""The terms that a reward may be made of, and what is watched beside them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from rewardtrain.contract import MODEL_SCORES, READ_BY_MODEL, ContractError, PolicyConfig, Reward
from rewardtrain.core.heads import ATTRIBUTE, FLAG, HeadScores
from rewardtrain.core.metrics import repetition
from rewardtrain.core.proxy import CHECKS, Answer, Prompt, Term
from rewardtrain.core.reward_model import RewardModel, load_reward_model
from verify.checks import share_passed, unavailable

Read = Callable[[Sequence[Answer]], HeadScores]
Score = Callable[[Sequence[Answer]], list[float]]


def reward_terms(
    config: PolicyConfig, prompts: Sequence[Prompt], device: torch.device
) -> tuple[list[Term], list[Term]]:
    """The parts of a run's reward, and what is watched of the same models and checks.

    Raises:
        ContractError: a part asks for what model, prompts or machine do not have.
    """
    watched: list[Term] = []
    read: Read | None = None
    if config.second_opinion and not any(part.kind in MODEL_SCORES for part in config.rewards):
        raise ContractError(
            f"second_opinion = {config.second_opinion!r} speaks of the reward model's score; give "
            f"rewards a part whose kind is {', '.join(MODEL_SCORES)}, or leave it out."
        )
    if reading := [part for part in config.rewards if part.kind in READ_BY_MODEL]:
        if config.reward_model is None:
            raise ContractError(
                f"rewards: {reading[0].kind} is what a reward model says; name one in reward_model."
            )
        reward = load_reward_model(config.reward_model, "reward_model", device)
        check_heads(reading, reward)
        read = head_reader(reward)
        if has_ensemble(reward):
            watched.append(spread_term(read))
    checks = [check for prompt in prompts for check in prompt.checks]
    refusal = unavailable(checks) if checks else "No prompt of data.jsonl has checks to pass."
    paid = any(part.kind == "checks" for part in config.rewards)
    if paid and refusal:
        raise ContractError(f"rewards: kind = 'checks' pays nothing here. {refusal}")
    if not paid and not refusal:
        watched.append(Term(CHECKS, shares_passed, normalised=False))
    terms = [
        Term(
            part.title,
            scores_of(part, read, config.max_new_tokens),
            weight=part.weight,
            normalised=part.kind in MODEL_SCORES,
        )
        for part in config.rewards
    ]
    return terms, watched


def scores_of(part: Reward, read: Read | None, max_new_tokens: int) -> Score:
    """What a part gives answers, before its scale and weight."""
    if part.kind in READ_BY_MODEL:
        assert read is not None
        return lambda answers: column(part, read(answers)).tolist()
    if part.kind == "checks":
        return shares_passed
    if part.kind == "repetition":
        return lambda answers: [-repetition(answer.tokens) for answer in answers]
    return lambda answers: [-len(answer.tokens) / max_new_tokens for answer in answers]


def column(part: Reward, found: HeadScores) -> torch.Tensor:
    """What a part makes of a reward model's heads, shape (n,)."""
    if part.kind == "attribute":
        return torch.sigmoid(found.of(ATTRIBUTE + part.name))
    if part.kind == "flag":
        return -torch.sigmoid(found.of(FLAG + part.name))
    if part.kind == "minimum":
        return found.members.min(dim=1).values
    return found.lower(part.spreads if part.kind == "lower" else 0.0)


def model_term(reward: RewardModel, name: str) -> Term:
    """A reward model's score."""
    return Term(name, scores_of(Reward(), head_reader(reward), 0))


def spread_term(read: Read) -> Term:
    """How far an ensemble's members lie apart, in raw scores."""
    return Term("spread", lambda answers: read(answers).spread.tolist(), normalised=False)


def has_ensemble(reward: RewardModel) -> bool:
    return reward.heads is not None and reward.heads.members > 0


def check_heads(parts: Sequence[Reward], reward: RewardModel) -> None:
    """Whether a reward model has what the parts read.

    Raises:
        ContractError: it has not.
    """
    names = reward.heads.names if reward.heads else []
    for part in parts:
        if part.kind in ("lower", "minimum") and not has_ensemble(reward):
            raise ContractError(
                f"rewards: kind = {part.kind!r} reads an ensemble, and the reward model has none; "
                "use kind = 'model', or train it with members = 2 or more."
            )
        if part.kind in ("attribute", "flag") and part.title not in names:
            known = [name for name in names if name.startswith(f"{part.kind}:")]
            raise ContractError(
                f"rewards: name = {part.name!r}: the reward model has learnt "
                f"{', '.join(known) or f'no {part.kind}'}; leave the part out, or collect answers "
                "that say it and train again."
            )


def head_reader(reward: RewardModel) -> Read:
    """All heads' scores of answers; the same answers, asked for again, are not read again."""
    last: tuple[Sequence[Answer], HeadScores] | None = None

    def read(answers: Sequence[Answer]) -> HeadScores:
        nonlocal last
        if last is None or last[0] is not answers:
            sequences = [
                reward.encode(a.prompt.messages, [{"role": "assistant", "content": a.text}])[0]
                for a in answers
            ]
            last = answers, reward.head_scores(sequences)
        return last[1]

    return read


def shares_passed(answers: Sequence[Answer]) -> list[float]:
    """The share of its prompt's checks that each answer passes, 0 where the prompt has none."""

    def share(answer: Answer) -> float:
        checks = answer.prompt.checks
        return share_passed(checks, answer.text) if checks else 0.0

    # A thread waits for its sandbox, which is a process.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(share, answers))
