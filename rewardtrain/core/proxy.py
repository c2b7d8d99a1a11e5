"""What a policy's responses look like to the reward and next to the reference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from rewardtrain.contract import MODEL_SCORES, Message, PromptRow
from rewardtrain.core.data import encode_prompt
from rewardtrain.core.metrics import (
    distinct,
    mean_and_spread,
    mean_figure,
    repetition,
    share_figure,
)
from rewardtrain.core.policy import Measured, end_tokens, measure, sample

FLAT = 1e-6
"""A group whose rewards lie this close together teaches nothing."""
CHECKS = "checks"
"""The term that says which share of its prompt's checks an answer passes."""


@dataclass(frozen=True)
class Prompt:
    """A prompt as the policy reads it."""

    row: int
    """The id that the run's data gave it."""
    messages: list[Message]
    ids: list[int]
    shortened: bool
    fits: bool
    """False where even its last turn is too long."""
    checks: list[dict[str, Any]] = field(default_factory=list)


def read_prompt(row: PromptRow, tokenizer: PreTrainedTokenizerBase, room: int) -> Prompt:
    """A prompt in at most `room` tokens, without its oldest turns if need be."""
    ids, messages = encode_prompt(tokenizer, row.messages, max(room, 1))
    whole, _ = encode_prompt(tokenizer, messages, 1 << 30)
    cut = len(messages) < len(row.messages) or len(whole) > len(ids)
    fits = len(whole) <= room
    return Prompt(row.prompt, messages, ids, shortened=cut, fits=fits, checks=row.checks)


@dataclass(frozen=True)
class Answer:
    """One response to a prompt."""

    prompt: Prompt
    text: str
    tokens: list[int]
    truncated: bool


@dataclass(frozen=True)
class Term:
    """One weighted part of the reward: a score of each answer, brought to its own scale."""

    name: str
    score: Callable[[Sequence[Answer]], list[float]]
    weight: float = 1.0
    normalised: bool = True
    """Whether 0 and 1 shall be the mean and spread of the reference's samples."""
    mean: float = 0.0
    spread: float = 1.0

    def __call__(self, answers: Sequence[Answer]) -> list[float]:
        return [(score - self.mean) / self.spread for score in self.score(answers)]


@dataclass(frozen=True)
class Seen:
    """One response, scored and measured."""

    answer: Answer
    reward: float
    """The weighted sum of its parts."""
    measured: Measured
    parts: dict[str, float] = field(default_factory=dict)
    """What each term of the reward gives it, unweighted."""
    watched: dict[str, float] = field(default_factory=dict)
    """What nobody optimises: a second opinion, an ensemble's spread."""

    @property
    def surprise(self) -> float:
        """Cross-entropy to the reference, in nats: the sum over the positions visited of
        -sum_v pi(v) log ref(v), which is the policy's entropy plus its KL."""
        return self.measured.entropy * len(self.answer.tokens) + (self.measured.kl or 0.0)

    @property
    def gap(self) -> float:
        """How far the reward model's part leads the second opinion, in spreads."""
        ours = next(self.parts[name] for name in MODEL_SCORES if name in self.parts)
        return ours - self.watched["second"]

    @property
    def passed(self) -> bool | None:
        """Whether the answer passes all its prompt's checks; None where nobody looked."""
        share = {**self.parts, **self.watched}.get(CHECKS)
        return None if share is None or not self.answer.prompt.checks else share == 1


class Proxy:
    """A reward and a reference, through which a policy's responses are seen.

    The reward is a sum of terms; what is `watched` is scored as well and optimised by nobody.
    """

    def __init__(
        self,
        terms: Sequence[Term],
        reference: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        watched: Sequence[Term] = (),
    ) -> None:
        self.terms = list(terms)
        self.watched = list(watched)
        self.reference = reference
        self.tokenizer = tokenizer
        self.ends = end_tokens(reference, tokenizer)

    def see(
        self,
        policy: PreTrainedModel,
        prompts: Sequence[Prompt],
        responses: Sequence[list[int]],
        measured: Sequence[Measured] | None = None,
    ) -> list[Seen]:
        """Score one response (token ids) to each prompt, and measure what is not yet `measured`."""
        texts = self.tokenizer.batch_decode(list(responses), skip_special_tokens=True)
        answers = [
            Answer(prompt, text, tokens, tokens[-1] not in self.ends)
            for prompt, text, tokens in zip(prompts, texts, responses, strict=True)
        ]
        measured = measured or measure(
            policy,
            self.reference,
            [prompt.ids for prompt in prompts],
            responses,
            self.tokenizer.pad_token_id,
        )
        parts = _columns(self.terms, answers)
        watched = _columns(self.watched, answers)
        return [
            Seen(
                answer,
                sum(term.weight * parts[i][term.name] for term in self.terms),
                measured[i],
                parts[i],
                watched[i],
            )
            for i, answer in enumerate(answers)
        ]

    def write_and_see(
        self,
        policy: PreTrainedModel,
        prompts: Sequence[Prompt],
        seeds: Sequence[int],
        *,
        batch_size: int,
        max_new_tokens: int,
        temperature: float,
    ) -> list[Seen]:
        """Let the policy answer each prompt once, and see the answers."""
        seen: list[Seen] = []
        for start in range(0, len(prompts), batch_size):
            part = prompts[start : start + batch_size]
            written = sample(
                policy,
                self.tokenizer,
                [prompt.ids for prompt in part],
                seeds[start : start + batch_size],
                max_new_tokens=max_new_tokens,
                temperature=temperature,
            )
            seen += self.see(policy, part, written)
        return seen

    def calibrate(self, seen: Sequence[Seen]) -> list[Seen]:
        """Bring each term that is to be normalised to mean 0 and spread 1 on `seen`, the samples
        of the reference as scored so far; the same samples on the new scales."""
        scales = {}
        for term in [*self.terms, *self.watched]:
            if term.normalised:
                mean, spread = mean_and_spread([{**s.parts, **s.watched}[term.name] for s in seen])
                scales[term.name] = (term.mean + term.spread * mean, term.spread * spread)
        before = self.scales
        self.scales = scales
        return [self._again(s, before) for s in seen]

    @property
    def scales(self) -> dict[str, tuple[float, float]]:
        """Mean and spread of each term that is normalised."""
        terms = [*self.terms, *self.watched]
        return {term.name: (term.mean, term.spread) for term in terms if term.normalised}

    @scales.setter
    def scales(self, scales: dict[str, tuple[float, float]]) -> None:
        def scaled(term: Term) -> Term:
            mean, spread = scales.get(term.name, (term.mean, term.spread))
            return replace(term, mean=mean, spread=spread)

        self.terms = [scaled(term) for term in self.terms]
        self.watched = [scaled(term) for term in self.watched]

    def _again(self, seen: Seen, before: dict[str, tuple[float, float]]) -> Seen:
        """An answer scored on the scales `before`, on those in force now."""

        def moved(term: Term, value: float) -> float:
            mean, spread = before.get(term.name, (term.mean, term.spread))
            return (mean + spread * value - term.mean) / term.spread

        parts = {t.name: moved(t, seen.parts[t.name]) for t in self.terms}
        watched = {t.name: moved(t, seen.watched[t.name]) for t in self.watched}
        reward = sum(term.weight * parts[term.name] for term in self.terms)
        return replace(seen, reward=reward, parts=parts, watched=watched)


def step_values(seen: Sequence[Seen], group: int) -> dict[str, float]:
    """What metrics.jsonl says of a step's samples, `group` of them to each prompt in turn."""

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    groups = [seen[i : i + group] for i in range(0, len(seen), group)]
    parts = {f"part_{name}": [s.parts[name] for s in seen] for name in seen[0].parts}
    watched = {name: [s.watched[name] for s in seen] for name in seen[0].watched if name != CHECKS}
    if "second" in watched:
        watched["gap"] = [s.gap for s in seen]
    return {
        "reward": mean([s.reward for s in seen]),
        # One part alone would be the reward again.
        **{name: mean(values) for name, values in parts.items() if len(parts) > 1},
        **{name: mean(values) for name, values in watched.items()},
        **behaviour(seen),
        "flat": mean([float(max(r) - min(r) < FLAT) for r in map(_rewards, groups)]),
        **({"passed": passed} if (passed := share_passed(seen)) is not None else {}),
    }


def share_passed(seen: Sequence[Seen]) -> float | None:
    """The share of answers that pass all checks of theirs; None where there are none."""
    told = [s.passed for s in seen if s.passed is not None]
    return sum(told) / len(told) if told else None


def behaviour(seen: Sequence[Seen]) -> dict[str, float]:
    """How the responses read, whatever they are paid."""

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    return {
        "kl": mean([s.measured.kl or 0.0 for s in seen]),
        "surprise": sum(s.surprise for s in seen) / sum(len(s.answer.tokens) for s in seen),
        "entropy": mean([s.measured.entropy for s in seen]),
        "length": mean([float(len(s.answer.tokens)) for s in seen]),
        "truncated": mean([float(s.answer.truncated) for s in seen]),
        "repetition": mean([repetition(s.answer.tokens) for s in seen]),
        "distinct": distinct([s.answer.tokens for s in seen]),
    }


def summary(seen: Sequence[Seen]) -> dict[str, Any]:
    """How a policy does, with intervals of reward and KL."""
    share, told = share_passed(seen), sum(s.passed is not None for s in seen)
    return {
        **behaviour(seen),
        **({} if share is None else {"passed": share_figure(share * told, told)}),
        "reward": mean_figure([s.reward for s in seen]),
        "kl": mean_figure([s.measured.kl or 0.0 for s in seen]),
    }


def _rewards(seen: Sequence[Seen]) -> list[float]:
    return [s.reward for s in seen]


def _columns(terms: Sequence[Term], answers: Sequence[Answer]) -> list[dict[str, float]]:
    scores = [term(answers) for term in terms]
    return [
        {term.name: column[i] for term, column in zip(terms, scores, strict=True)}
        for i in range(len(answers))
    ]
