"""Conversations as tokens: the template, shortening, padded batches."""

import random
from collections.abc import Sequence

import torch
from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from rewardtrain.contract import ContractError, Message


def encode(
    tokenizer: PreTrainedTokenizerBase,
    messages: list[Message],
    response: list[Message],
    max_length: int,
) -> tuple[list[int], bool]:
    """Token ids of a prompt and its response, and whether the prompt had to be shortened.

    The response's last message follows the generation prompt, as it did when it was written, and
    no end token follows it: a decoder's last position is the last token of content. What is too
    long loses the prompt's oldest turns first, then tokens from the left, keeping the first (a
    begin or class token).
    """
    for start in turn_starts(messages):
        ids = _encode_whole(tokenizer, messages[start:], response)
        if len(ids) <= max_length:
            return ids, start > 0
    return ids[:1] + ids[len(ids) - max_length + 1 :], True


def turn_starts(messages: list[Message]) -> list[int]:
    """Where a conversation may begin: at its start, and at each later turn of the user."""
    return [i for i, m in enumerate(messages) if i == 0 or m["role"] == "user"] or [0]


def encode_prompt(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message], max_length: int
) -> tuple[list[int], list[Message]]:
    """Token ids up to where the response begins, and the messages kept to fit `max_length`."""
    for start in turn_starts(messages):
        ids = _encode_whole(tokenizer, messages[start:], [])
        if len(ids) <= max_length:
            return ids, messages[start:]
    return ids[:1] + ids[len(ids) - max_length + 1 :], messages[start:]


def _encode_whole(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message], response: list[Message]
) -> list[int]:
    try:
        turns = messages + response[:-1]
        text = str(tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False))
    except TemplateError as error:
        roles = ", ".join(m["role"] for m in turns)
        raise ContractError(
            f"The chat template refuses the turns {roles} ({error}); "
            "use a model whose template allows them."
        ) from error
    # An encoder wants its class and separator tokens; a decoder's template writes its own.
    special = tokenizer.cls_token is not None
    if special:
        return tokenizer(text + _content(response))["input_ids"]
    # Apart, so that the response's tokens are those the policy would have written.
    prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
    return prompt + tokenizer(_content(response), add_special_tokens=False)["input_ids"]


def _content(response: list[Message]) -> str:
    return response[-1]["content"] if response else ""


def collate(
    sequences: Sequence[Sequence[int]],
    pad: int,
    device: torch.device | str = "cpu",
    side: str = "right",
) -> dict[str, torch.Tensor]:
    """input_ids and attention_mask of shape (N, longest), padded on `side`."""
    longest = max(len(s) for s in sequences)
    ids = torch.full((len(sequences), longest), pad, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        place = slice(longest - len(sequence), None) if side == "left" else slice(len(sequence))
        ids[row, place] = torch.tensor(sequence, dtype=torch.int64)
        mask[row, place] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}


def by_length(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Indices in batches of neighbours in length, the longest first."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def mixed_batches(
    order: Sequence[int],
    lengths: Sequence[int],
    batch_size: int,
    draw: random.Random,
    window: int = 8,
) -> list[list[int]]:
    """`order` in batches whose members are of like length, the batches in random order.

    order: indices into lengths. Only within `window` batches' worth are members moved, so that an
    epoch stays as random as its order; the last batch of all may be smaller.
    """
    batches = []
    for start in range(0, len(order), window * batch_size):
        pool = order[start : start + window * batch_size]
        near = by_length([lengths[i] for i in pool], batch_size)
        batches.append([[pool[i] for i in batch] for batch in near])
        draw.shuffle(batches[-1])
    return [batch for window in batches for batch in window]
