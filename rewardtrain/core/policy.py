"""A policy: loading it, sampling from it, and how far it is from its reference."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from rewardtrain.contract import ContractError
from rewardtrain.core.data import by_length, collate
from rewardtrain.core.pretrained import autocast, load_model, load_tokenizer

LOGITS_A_PASS = 1 << 25
"""Full-vocabulary logits held at once while measuring: 128 MiB a float32 table of them."""
LOGITS_ON_CPU = 1 << 20
"""A table of 4 MiB stays in a processor's cache, which was seen to take less than half the time."""


def load_policy(
    source: str, field: str, device: torch.device
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A language model ready to sample, and its tokenizer, which pads on the left.

    Raises:
        ContractError: it cannot be loaded, or has no end token.
    """
    tokenizer = load_tokenizer(source, field, padding_side="left")
    if tokenizer.eos_token_id is None:
        raise ContractError(f"{field} = {source!r}: its tokenizer has no end token to stop at.")
    return load_model(AutoModelForCausalLM, source, field, device).eval(), tokenizer


def end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Every token that ends a response: the tokenizer's and the model's own."""
    own = model.generation_config.eos_token_id
    return sorted({tokenizer.eos_token_id, *([own] if isinstance(own, int) else own or [])})


def seed_of(*parts: int | str) -> int:
    """A 63-bit seed from anything that names a draw."""
    text = " ".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class SeededDraw(LogitsProcessor):
    """Draws each row's token by inverse distribution from numbers of that row's own.

    What a row draws does not hang on which rows share its batch, as it does with one generator
    for all. It leaves the drawn token alone above -inf, so greedy decoding takes it.
    """

    def __init__(self, seeds: Sequence[int], length: int, prompt_length: int) -> None:
        self.prompt_length = prompt_length
        self.uniform = torch.stack(
            [
                torch.rand(length, generator=torch.Generator().manual_seed(s), dtype=torch.float64)
                for s in seeds
            ]
        )

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """input_ids (N, positions), scores (N, vocabulary); the same shape as scores."""
        uniform = self.uniform[:, input_ids.shape[1] - self.prompt_length, None].to(scores.device)
        mass = scores.double().softmax(-1).cumsum(-1)
        # Below the whole mass, so that rounding cannot point past the last possible token.
        token = torch.searchsorted(mass, uniform * mass[:, -1:], right=True)
        token = token.clamp(max=scores.shape[-1] - 1)
        return torch.full_like(scores, -torch.inf).scatter(1, token, 0.0)


class Overheard(LogitsProcessor):
    """Tells `hear` what every row has written, before each of its tokens is drawn."""

    def __init__(self, hear: Callable[[list[list[int]]], None], prompt_length: int) -> None:
        self.hear = hear
        self.prompt_length = prompt_length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """input_ids (N, positions); scores come back as they are."""
        self.hear(input_ids[:, self.prompt_length :].tolist())
        return scores


@torch.inference_mode()
def sample(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    *,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_p: float = 1.0,
    hear: Callable[[list[list[int]]], None] | None = None,
) -> list[list[int]]:
    """One response to each prompt as token ids, with its end token unless it was cut off.

    prompts: N lists of token ids; seeds: N, one a response; hear: gets the N responses as far as
    they are written, token by token, padded behind their ends.
    """
    ends = end_tokens(model, tokenizer)
    batch = collate(prompts, tokenizer.pad_token_id, model.device, side="left")
    width = batch["input_ids"].shape[1]
    draw = LogitsProcessorList()
    if hear is not None:
        draw.append(Overheard(hear, width))
    if temperature != 1.0:
        draw.append(TemperatureLogitsWarper(temperature))
    if top_p < 1.0:
        draw.append(TopPLogitsWarper(top_p))
    draw.append(SeededDraw(seeds, max_new_tokens, width))
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=ends,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        disable_compile=True,
    )
    writer: Any = model
    # The model's own settings would fill in what is left out here, such as a top_k.
    kept, model.generation_config = model.generation_config, settings
    try:
        with autocast(model.device):
            written = writer.generate(**batch, generation_config=settings, logits_processor=draw)
    finally:
        model.generation_config = kept
    return [up_to_end(row, ends) for row in written[:, width:].tolist()]


def up_to_end(tokens: list[int], ends: Sequence[int]) -> list[int]:
    """The tokens up to and with the first end token."""
    for place, token in enumerate(tokens):
        if token in ends:
            return tokens[: place + 1]
    return tokens


@dataclass(frozen=True)
class Measured:
    """One response under a policy: sums over its tokens, in nats, at temperature 1."""

    logprob: float
    kl: float | None
    """Sum over the positions of KL(policy || reference) of the whole next-token distribution."""
    entropy: float
    """Mean a token of the policy's entropy."""


@dataclass(frozen=True)
class Visited:
    """What a policy says at each position of N responses, all (N, positions) in nats.

    Positions outside a response hold figures of no meaning.
    """

    logprob: torch.Tensor
    """Of the drawn token, at the temperature asked for."""
    entropy: torch.Tensor
    kl: torch.Tensor | None
    """KL(policy || reference) of the whole next-token distribution."""
    reference_logprob: torch.Tensor | None

    def summed(self, inside: torch.Tensor) -> list[Measured]:
        """One Measured a response; inside (N, positions) says which positions are its own."""
        logprob = (self.logprob * inside).sum(-1).tolist()
        entropy = ((self.entropy * inside).sum(-1) / inside.sum(-1)).tolist()
        kl = [None] * len(inside) if self.kl is None else (self.kl * inside).sum(-1).tolist()
        return [Measured(*row) for row in zip(logprob, kl, entropy, strict=True)]


@torch.no_grad()
def measure(
    policy: PreTrainedModel,
    reference: PreTrainedModel | None,
    prompts: Sequence[Sequence[int]],
    responses: Sequence[Sequence[int]],
    pad: int,
) -> list[Measured]:
    """Log-probability, exact KL and entropy of N responses to N prompts, as token ids.

    The KL of a sequence is sum_t sum_v pi(v | s_t) (log pi(v | s_t) - log ref(v | s_t)) over the
    positions it visited: its mean over samples is an unbiased estimate of KL(pi || ref), never
    negative and of less variance than the log ratio of the drawn tokens.
    """
    sequences = [[*p, *r] for p, r in zip(prompts, responses, strict=True)]
    longest = max(map(len, responses))
    measured: list[Measured | None] = [None] * len(sequences)
    for part in by_length([len(s) for s in sequences], rows_a_pass(policy, longest)):
        batch = collate([sequences[i] for i in part], pad, policy.device, side="left")
        keep = max(len(responses[i]) for i in part)
        place = torch.arange(keep, device=policy.device)
        lengths = torch.tensor([len(responses[i]) for i in part], device=policy.device)
        inside = place[None] >= keep - lengths[:, None]
        for i, figures in zip(
            part, visit(policy, reference, batch, keep).summed(inside), strict=True
        ):
            measured[i] = figures
    return [m for m in measured if m is not None]


def rows_a_pass(model: PreTrainedModel, positions: int) -> int:
    """So many rows' logits are held at once."""
    vocabulary = model.config.get_text_config().vocab_size
    logits = LOGITS_ON_CPU if model.device.type == "cpu" else LOGITS_A_PASS
    return max(1, logits // (vocabulary * (positions + 1)))


@torch.no_grad()
def visit(
    policy: PreTrainedModel,
    reference: PreTrainedModel | None,
    batch: dict[str, torch.Tensor],
    keep: int,
    temperature: float = 1.0,
) -> Visited:
    """One pass of each model over padded rows, looked at in their last `keep` positions.

    batch: input_ids and attention_mask (N, length). The entropy and the KL are those at
    temperature 1, whatever the drawn tokens' log-probabilities are wanted at.
    """
    tokens = batch["input_ids"][:, -keep:, None]

    def drawn(table: torch.Tensor) -> torch.Tensor:
        cooled = table if temperature == 1 else (table / temperature).log_softmax(-1)
        return cooled.gather(-1, tokens)[..., 0]

    ours = _log_probabilities(policy, batch, keep)
    probability = ours.exp()
    # A token that cannot be drawn gives 0 times minus infinity, and counts for nothing.
    entropy = -(probability * ours).nansum(-1)
    if reference is None:
        return Visited(drawn(ours), entropy, None, None)
    theirs = _log_probabilities(reference, batch, keep)
    kl = (probability * (ours - theirs)).nansum(-1).clamp(min=0)
    return Visited(drawn(ours), entropy, kl, drawn(theirs))


def together(parts: Iterable[Visited]) -> Visited:
    """The rows of several visits of as many positions."""
    columns: Any = zip(
        *((p.logprob, p.entropy, p.kl, p.reference_logprob) for p in parts), strict=True
    )
    joined: Any = (None if column[0] is None else torch.cat(column) for column in columns)
    return Visited(*joined)


def positions_of(attention_mask: torch.Tensor) -> torch.Tensor:
    """Each token's place in its own sequence, whatever is padded where; (N, length) both."""
    return (attention_mask.cumsum(-1) - 1).clamp(min=0)


def _log_probabilities(
    model: PreTrainedModel, batch: dict[str, torch.Tensor], keep: int
) -> torch.Tensor:
    """log P of every token at the last `keep` positions, shape (N, keep, vocabulary)."""
    positions = positions_of(batch["attention_mask"])
    with autocast(model.device):
        logits = model(
            **batch, position_ids=positions, use_cache=False, logits_to_keep=keep + 1
        ).logits
    return logits[:, :-1].float().log_softmax(-1)
