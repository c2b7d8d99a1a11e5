"""Attention within the trees of a pass, block by block, where a mask over all would waste most.

A trunk of P tokens attends to itself, a branch of R tokens to its trunk and itself: P² + Σ R(P + R)
pairs of tokens, where a mask over the row computes (P + ΣR)² and more, and rows that lie side by
side must be padded. It is several small products a tree, which a CPU starts in microseconds; a GPU
would spend its time on starting them.

transformers calls it as it calls its own implementations, by name (its AttentionInterface), and
hands on what the model was given beside its inputs: here the forest.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface, PreTrainedModel

from rewardtrain.core.pretrained import autocast

NAME = "trees"


@dataclass(frozen=True)
class Block:
    """`tokens` that follow one another attend to those of the block that is their trunk, if they
    have one, and to themselves, as the mask (tokens, all of these) has it, which is added; None
    where each attends to all."""

    tokens: int
    trunk: int | None
    mask: torch.Tensor | None


def forest_of(trees: Sequence[Sequence[int]], *, causal: bool) -> list[Block]:
    """The blocks of a row of trees in its order, each given by the tokens of its trunk and of each
    of its branches."""
    blocks: list[Block] = []
    for depth, *branches in trees:
        trunk = len(blocks) if depth else None
        parts = [(depth, 0, None), *((tokens, depth, trunk) for tokens in branches)]
        for tokens, before, seen in parts:
            if tokens:
                blocks.append(Block(tokens, seen, later(tokens, before) if causal else None))
    return blocks


def later(tokens: int, before: int) -> torch.Tensor:
    """What hides from each token those that come after it, (tokens, before + tokens)."""
    hidden = torch.full((tokens, before + tokens), torch.finfo(torch.float32).min)
    return hidden.triu(before + 1)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float,
    forest: Sequence[Block],
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of one row, query (1, heads, T, D), key and value (1, shared heads, T, D), as
    (1, T, heads, D)."""
    shared = query.shape[1] // key.shape[1]
    if shared > 1:
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    # Split, not sliced: the gradient of each slice would be as long as the row.
    sizes = [block.tokens for block in forest]
    queries, keys, values = (whole.float().split(sizes, 2) for whole in (query, key, value))
    found = []
    # On a CPU torch's fused kernel is slower in bf16 than in float32, backward by far.
    with autocast(query.device, bf16=False):
        for place, block in enumerate(forest):
            seen = [place] if block.trunk is None else [block.trunk, place]
            k, v = (torch.cat([part[i] for i in seen], 2) for part in (keys, values))
            found.append(
                F.scaled_dot_product_attention(
                    queries[place], k, v, block.mask, dropout, scale=scaling
                )
            )
    return torch.cat(found, 2).transpose(1, 2), None


@contextmanager
def within_trees(model: PreTrainedModel) -> Iterator[None]:
    """Let the model attend within the `forest` that it is called with."""
    config = model.config.get_text_config()
    usual = config._attn_implementation
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = usual


AttentionInterface.register(NAME, attend)
