"""What a policy's responses look like to the reward model and next to the reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from rewardtrain.contract import Message, PromptRow
from rewardtrain.core.data import encode_prompt
from rewardtrain.core.metrics import distinct, mean_figure, repetition
from rewardtrain.core.policy import Measured, end_tokens, measure, sample
from rewardtrain.core.reward_model import RewardModel


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


def read_prompt(row: PromptRow, tokenizer: PreTrainedTokenizerBase, room: int) -> Prompt:
    """A prompt in at most `room` tokens, without its oldest turns if need be."""
    ids, messages = encode_prompt(tokenizer, row.messages, max(room, 1))
    whole, _ = encode_prompt(tokenizer, messages, 1 << 30)
    cut = len(messages) < len(row.messages) or len(whole) > len(ids)
    return Prompt(row.prompt, messages, ids, shortened=cut, fits=len(whole) <= room)


@dataclass(frozen=True)
class Seen:
    """One response, scored and measured."""

    text: str
    tokens: list[int]
    truncated: bool
    reward: float
    """Normalised score of the reward model."""
    measured: Measured


class Proxy:
    """A reward model and a reference, through which a policy's responses are seen."""

    def __init__(
        self,
        reward: RewardModel,
        reference: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
    ) -> None:
        self.reward = reward
        self.reference = reference
        self.tokenizer = tokenizer
        self.ends = end_tokens(reference, tokenizer)

    def see(
        self, policy: PreTrainedModel, prompts: Sequence[Prompt], responses: Sequence[list[int]]
    ) -> list[Seen]:
        """Score and measure one response (token ids) to each prompt."""
        texts = self.tokenizer.batch_decode(list(responses), skip_special_tokens=True)
        asked = [
            self.reward.encode(prompt.messages, [{"role": "assistant", "content": text}])[0]
            for prompt, text in zip(prompts, texts, strict=True)
        ]
        measured = measure(
            policy,
            self.reference,
            [prompt.ids for prompt in prompts],
            responses,
            self.tokenizer.pad_token_id,
        )
        return [
            Seen(text, tokens, tokens[-1] not in self.ends, self.reward.normalise(score), m)
            for text, tokens, score, m in zip(
                texts, responses, self.reward.scores(asked), measured, strict=True
            )
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


def step_values(seen: Sequence[Seen]) -> dict[str, float]:
    """The means of a step's samples, as metrics.jsonl has them."""

    def mean(values: list[float]) -> float:
        return sum(values) / len(seen)

    return {
        "reward": mean([s.reward for s in seen]),
        "kl": mean([s.measured.kl or 0.0 for s in seen]),
        "entropy": mean([s.measured.entropy for s in seen]),
        "length": mean([len(s.tokens) for s in seen]),
        "truncated": mean([s.truncated for s in seen]),
        "repetition": mean([repetition(s.tokens) for s in seen]),
    }


def summary(seen: Sequence[Seen]) -> dict[str, Any]:
    """The same with intervals of reward and KL, and the variety over all responses."""
    return {
        **step_values(seen),
        "reward": mean_figure([s.reward for s in seen]),
        "kl": mean_figure([s.measured.kl or 0.0 for s in seen]),
        "distinct": distinct([s.tokens for s in seen]),
    }
