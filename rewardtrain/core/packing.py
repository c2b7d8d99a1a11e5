"""Many responses in one pass: the prompt once, no padding, the same numbers.

The sequences of a group begin alike, with its prompt. In a causal model what stands there depends
on nothing that follows, so it is computed once and each response attends to it and to itself: a
tree of one trunk and several branches. Trees share rows of a token budget and do not see each
other; rows of like length go through the model together as a pass. An encoder reads in both
directions, its prompt changes with the response, so there every sequence is a tree of its own and
only the padding is saved.

Scores and gradients are those of one sequence at a time up to floating point's order of addition
(tests/rewardtrain/core/test_packing.py holds the bounds).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from transformers import PreTrainedModel

Tokens = Sequence[int]
Layout = Literal["tree", "apart", "padded"]
"""What a model's rows hold: trees; sequences side by side (an encoder); one sequence each, padded
(a model that takes no mask of ours)."""
TRUNK, PADDING = 0, -1
"""The branch that every other branch of its tree sees; the tree of what fills a row up."""


@dataclass(frozen=True)
class Budget:
    """How many tokens a row holds, and how many a pass; a longer tree has a row of its own.

    row: None where all trees of a pass lie in one row, unpadded, and attend within themselves
    (tree_attention.py). fixed: every row is filled up to the budget, so that all passes have one
    shape to compile.
    """

    row: int | None
    tokens: int
    fixed: bool = False

    def halved(self) -> "Budget":
        half = self.tokens // 2
        return Budget(self.row and min(self.row, half), half, self.fixed)


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
class Pass:
    """B rows of T tokens that go through the model together; int64 tensors.

    groups: which groups are in it, each wholly. ids, position (B, T). tree, branch (B, T): which
    tree of its row a token belongs to, PADDING for none, and which branch of it. row, at, sequence
    (S,): where each sequence is pooled, and which of the sequences given it is. trees: where all
    lie in one row and attend within themselves, the tokens of the trunk and of each branch; else
    None.
    """

    groups: list[int]
    ids: torch.Tensor
    position: torch.Tensor
    tree: torch.Tensor
    branch: torch.Tensor
    row: torch.Tensor
    at: torch.Tensor
    sequence: torch.Tensor
    trees: list[list[int]] | None


TENSORS = ("ids", "position", "tree", "branch", "row", "at", "sequence")


def plant(group: Sequence[Tokens], first: int, budget: int, layout: Layout) -> Iterable[Tree]:
    """The group's sequences, numbered from `first`, as trees of at most `budget` tokens.

    A tree that would be larger repeats its trunk in the next; a single sequence is never cut.
    """
    if layout != "tree":
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


def lay_out(
    rows: Sequence[Sequence[Tree]], layout: Layout, groups: list[int], width: int | None
) -> Pass:
    """The tensors of a pass of rows at least `width` long, or of one row of trees that attend
    within themselves. Positions restart after the trunk."""
    columns: list[tuple[list[int], ...]] = []
    row_of: list[int] = []
    at: list[int] = []
    sequence: list[int] = []
    for number, trees in enumerate(rows):
        ids: list[int] = []
        position: list[int] = []
        tree_of: list[int] = []
        branch_of: list[int] = []
        for place, tree in enumerate(trees):
            root, depth = len(ids), len(tree.trunk)
            ids += tree.trunk
            position += range(depth)
            branch_of += [TRUNK] * depth
            for k, (branch, index) in enumerate(zip(tree.branches, tree.order, strict=True), 1):
                first = len(ids)
                ids += branch
                position += range(depth, depth + len(branch))
                branch_of += [k] * len(branch)
                last = len(ids) - 1 if branch else root + depth - 1
                row_of.append(number)
                at.append(first if layout == "apart" else last)
                sequence.append(index)
            tree_of += [place] * (len(ids) - root)
        columns.append((ids, position, tree_of, branch_of))
    filled_to = max(width or 0, *(len(ids) for ids, *_ in columns))
    filled = [
        [[*values, *[fill] * (filled_to - len(values))] for values in table]
        for table, fill in zip(zip(*columns, strict=True), (0, 0, PADDING, TRUNK), strict=True)
    ]
    tables = map(torch.tensor, (*filled, row_of, at, sequence))
    named = dict(zip(TENSORS, tables, strict=True))
    sizes = [[len(tree.trunk), *map(len, tree.branches)] for tree in rows[0]]
    return Pass(groups, trees=sizes if width is None else None, **named)


def pack(groups: Sequence[Sequence[Tokens]], budget: Budget, layout: Layout) -> list[Pass]:
    """Every sequence of every group, numbered in the order given, in passes of whole groups."""
    planted: list[list[Tree]] = []
    first = 0
    for group in groups:
        planted.append(list(plant(group, first, budget.tokens, layout)))
        first += len(group)
    longest = [max(tree.tokens for tree in trees) for trees in planted]
    passes = []
    for part in share_passes(planted, budget.tokens):
        trees = [tree for g in part for tree in planted[g]]
        if layout == "padded":
            passes.append(lay_out([[tree] for tree in trees], layout, part, 0))
        elif budget.row is None:
            passes.append(lay_out([trees], layout, part, None))
        else:
            rows = fill_rows(trees, max([budget.row, *(longest[g] for g in part)]))
            passes.append(lay_out(rows, layout, part, budget.row if budget.fixed else 0))
    return passes


def share_passes(groups: Sequence[Sequence[Tree]], budget: int) -> list[list[int]]:
    """Which groups go together: neighbours in length, at most `budget` tokens or one group."""
    size = [sum(tree.tokens for tree in trees) for trees in groups]
    longest = [max(tree.tokens for tree in trees) for trees in groups]
    parts: list[list[int]] = []
    room = 0
    for group in sorted(range(len(groups)), key=lambda g: (-longest[g], -size[g], g)):
        if size[group] > room:
            parts.append([])
            room = budget
        parts[-1].append(group)
        room -= size[group]
    return parts


def tree_mask(packed: Pass, *, causal: bool) -> torch.Tensor:
    """Who sees whom, bool (B, 1, T, T): query i sees key j of its tree, in the trunk or its own
    branch, and in a causal model not after i."""
    tree, branch = packed.tree, packed.branch
    sees = tree[:, :, None] == tree[:, None, :]
    sees &= (branch[:, None, :] == TRUNK) | (branch[:, :, None] == branch[:, None, :])
    return (sees.tril() if causal else sees)[:, None]


def layout_of(model: PreTrainedModel) -> Layout:
    """How a model's sequences are packed.

    A mask of ours takes SDPA or FlexAttention, and the same mask in every layer (a window that
    slides in some of them needs one a layer).
    """
    config = model.config.get_text_config()
    one_kind = set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
    ours = config._attn_implementation in ("sdpa", "flex_attention")
    if not (one_kind and ours and getattr(config, "sliding_window", None) is None):
        return "padded"
    if hasattr(model, "score"):
        return "tree"
    return "apart" if getattr(model.base_model, "pooler", None) is not None else "padded"


def families(sequences: Sequence[Tokens], budget: int) -> list[list[Tokens]]:
    """Neighbours that share half of the shorter one as groups of at most `budget` tokens, counted
    with all that they share, in the order given."""
    groups: list[list[Tokens]] = []
    room = 0
    for sequence in sequences:
        room -= len(sequence)
        if groups and room >= 0:
            shared = common_prefix([groups[-1][0], sequence])
            if 2 * shared >= min(len(groups[-1][0]), len(sequence)):
                groups[-1].append(sequence)
                continue
        groups.append([sequence])
        room = budget - len(sequence)
    return groups


def attention_of(packed: Pass, model: PreTrainedModel, *, causal: bool) -> torch.Tensor:
    """The pass's mask as SDPA adds it to a layer's scores, (B, 1, T, T), made once for all."""
    sees = tree_mask(packed, causal=causal).to(model.device)
    mask = torch.zeros_like(sees, dtype=model.dtype)
    return mask.masked_fill_(~sees, torch.finfo(mask.dtype).min)


def budget_of(model: PreTrainedModel) -> Budget:
    """Rows short enough that attention stays a small share of the work, passes that keep the
    device busy."""
    if model.device.type == "cuda":
        return Budget(row=2048, tokens=16384)
    # Not every architecture hands on to its attention what it does not know.
    takes_trees = model._supports_attention_backend
    return Budget(row=None if takes_trees else 128, tokens=2048)
