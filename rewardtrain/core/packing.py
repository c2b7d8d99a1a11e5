"""Many responses in one pass: the prompt once, no padding, the same numbers.

The sequences of a comparison begin alike, with its prompt. In a causal model what stands there
depends on nothing that follows, so it is computed once and each response attends to it and to
itself: a tree of one trunk and several branches. Trees share rows of a token budget and do not see
each other. An encoder reads in both directions, its prompt changes with the response, so there
every sequence is a tree of its own and only the padding is saved.

Scores and gradients are those of one sequence at a time up to floating point's order of addition
(tests/rewardtrain/core/test_packing.py holds the bounds).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

Tokens = Sequence[int]
TRUNK = 0
"""The branch that every other branch of its tree sees."""


@dataclass(frozen=True)
class Tree:
    """A trunk and the branches that go on from it; `order` says which sequence each branch is."""

    trunk: list[int]
    branches: list[list[int]]
    order: list[int]

    @property
    def tokens(self) -> int:
        return len(self.trunk) + sum(map(len, self.branches))


@dataclass(frozen=True)
class Row:
    """Trees side by side as one row of T tokens; every tensor but the last two is (T,) int64.

    tree, branch: which tree a token belongs to, and which branch of it (0 is the trunk).
    at, sequence: where each sequence is pooled, and which of the sequences given it is.
    """

    ids: torch.Tensor
    position: torch.Tensor
    tree: torch.Tensor
    branch: torch.Tensor
    at: torch.Tensor
    sequence: torch.Tensor


def plant(group: Sequence[Tokens], first: int, budget: int, *, causal: bool) -> Iterable[Tree]:
    """The group's sequences, numbered from `first`, as trees of at most `budget` tokens.

    A tree that would be larger repeats its trunk in the next; a single sequence is never cut.
    """
    if not causal:
        for number, sequence in enumerate(group, first):
            yield Tree([], [list(sequence)], [number])
        return
    shared = common_prefix(group)
    trunk = list(group[0][:shared])
    branches: list[list[int]] = []
    order: list[int] = []
    size = shared
    for number, sequence in enumerate(group, first):
        branch = list(sequence[shared:])
        if branches and size + len(branch) > budget:
            yield Tree(trunk, branches, order)
            branches, order, size = [], [], shared
        branches.append(branch)
        order.append(number)
        size += len(branch)
    yield Tree(trunk, branches, order)


def common_prefix(group: Sequence[Tokens]) -> int:
    """How many first tokens all sequences share."""
    first, last = min(group, key=list), max(group, key=list)
    for place, (a, b) in enumerate(zip(first, last, strict=False)):
        if a != b:
            return place
    return min(len(first), len(last))


def fill_rows(trees: Iterable[Tree], budget: int) -> list[list[Tree]]:
    """First fit, the largest first: rows of at most `budget` tokens, or of one larger tree."""
    rows: list[list[Tree]] = []
    free: list[int] = []
    for tree in sorted(trees, key=lambda t: (-t.tokens, t.order)):
        for row, room in enumerate(free):
            if tree.tokens <= room:
                rows[row].append(tree)
                free[row] -= tree.tokens
                break
        else:
            rows.append([tree])
            free.append(budget - tree.tokens)
    return rows


def lay_out(trees: Sequence[Tree], *, causal: bool) -> Row:
    """A row's tensors. Positions restart after the trunk for each branch."""
    ids: list[int] = []
    position: list[int] = []
    tree_of: list[int] = []
    branch_of: list[int] = []
    at: list[int] = []
    sequence: list[int] = []
    for number, tree in enumerate(trees):
        root = len(ids)
        depth = len(tree.trunk)
        ids += tree.trunk
        position += range(depth)
        branch_of += [TRUNK] * depth
        for place, (branch, index) in enumerate(zip(tree.branches, tree.order, strict=True), 1):
            first = len(ids)
            ids += branch
            position += range(depth, depth + len(branch))
            branch_of += [place] * len(branch)
            last = len(ids) - 1 if branch else root + depth - 1
            at.append(last if causal else first)
            sequence.append(index)
        tree_of += [number] * (len(ids) - root)
    columns = (ids, position, tree_of, branch_of, at, sequence)
    return Row(*(torch.tensor(column, dtype=torch.int64) for column in columns))


def pack(groups: Sequence[Sequence[Tokens]], budget: int, *, causal: bool) -> list[Row]:
    """Every sequence of every group, numbered in the order given, in rows of `budget` tokens."""
    trees: list[Tree] = []
    first = 0
    for group in groups:
        trees += plant(group, first, budget, causal=causal)
        first += len(group)
    return [lay_out(row, causal=causal) for row in fill_rows(trees, budget)]


def tree_mask(row: Row, *, causal: bool) -> torch.Tensor:
    """Who sees whom, bool (1, 1, T, T): query i sees key j of its tree, in the trunk or its own
    branch, and in a causal model not after i."""
    same_tree = row.tree[:, None] == row.tree[None, :]
    sees = same_tree & ((row.branch[None, :] == TRUNK) | (row.branch[:, None] == row.branch))
    return (sees.tril() if causal else sees)[None, None]


def is_causal(model: PreTrainedModel) -> bool:
    """Whether a position depends only on what stands before it."""
    return not hasattr(model.base_model, "pooler")


def can_pack(model: PreTrainedModel) -> bool:
    """Whether the model takes a mask of ours: SDPA attention, the same mask for all layers (a
    window that slides in some of them needs one a layer), and a head we can call."""
    config = model.config.get_text_config()
    one_kind = set(getattr(config, "layer_types", None) or ["full_attention"])
    pooler = getattr(model.base_model, "pooler", None)
    return (
        config._attn_implementation == "sdpa"
        and one_kind == {"full_attention"}
        and (hasattr(model, "score") or (pooler is not None and hasattr(model, "classifier")))
    )


def packed_rewards(
    model: PreTrainedModel, groups: Sequence[Sequence[Tokens]], budget: int
) -> torch.Tensor:
    """Raw scores of every sequence of every group, shape (sequences,), with their gradient.

    `model` is a sequence classification model of one label that `can_pack`.
    """
    causal = is_causal(model)
    scores: list[torch.Tensor] = []
    order: list[torch.Tensor] = []
    for row in pack(groups, budget, causal=causal):
        scores.append(row_rewards(model, row, causal=causal))
        order.append(row.sequence)
    place = torch.argsort(torch.cat(order)).to(model.device)
    return torch.cat(scores)[place]


def row_rewards(model: PreTrainedModel, row: Row, *, causal: bool) -> torch.Tensor:
    """Raw scores of one row's sequences, in the row's order, shape (sequences of the row,)."""
    device = model.device
    hidden = model.base_model(
        input_ids=row.ids[None].to(device),
        position_ids=row.position[None].to(device),
        attention_mask=tree_mask(row, causal=causal).to(device),
    ).last_hidden_state[0, row.at.to(device)]
    if causal:
        return model.score(hidden)[:, 0]
    pooled = model.base_model.pooler(hidden[:, None])
    return model.classifier(model.dropout(pooled))[:, 0]
