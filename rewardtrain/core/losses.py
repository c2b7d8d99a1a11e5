"""The preference loss, as pure functions of rewards (design: docs/training.md).

Bradley-Terry on soft targets: P(a beats b) = sigmoid(r_a - r_b), a tie is P = 1/2. A comparison
of K responses is all the pairs it orders, each divided by their number, so that one ranking
weighs as much as one pair. "Both good" and "both bad" are a tie that also says on which side of a
learnt level tau the responses lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import torch
import torch.nn.functional as F

from rewardtrain.contract import ComparisonRow, ContractError

GOOD = {"both_good": 1.0, "all_good": 1.0, "both_bad": -1.0, "all_bad": -1.0}
OUTCOMES = {"prefer", "tie", "unanswerable", *GOOD}

Pair = tuple[int, int, float]
"""(first, second, the wanted probability that first beats second), indices into responses."""


def decided_pairs(tiers: list[list[int]]) -> list[Pair]:
    """Every response of a tier over every response of each tier below it."""
    return [
        (a, b, 1.0) for upper, lower in combinations(tiers, 2) for a, b in product(upper, lower)
    ]


def tied_pairs(tiers: list[list[int]]) -> list[Pair]:
    """Every two responses that share a tier."""
    return [(a, b, 0.5) for tier in tiers for a, b in combinations(tier, 2)]


def pairs_of(row: ComparisonRow) -> list[Pair]:
    """What a comparison says of its pairs; empty for an unanswerable one.

    In a `best` ranking the last tier is unordered, not tied: it gives no pair of its own.

    Raises:
        ContractError: an outcome that is not known, or tiers that name a response twice or one
            that is not there.
    """
    if row.outcome not in OUTCOMES:
        raise ContractError(
            f"comparison {row.comparison}: outcome = {row.outcome!r} must be one of "
            f"{', '.join(sorted(OUTCOMES))}."
        )
    named = [index for tier in row.tiers for index in tier]
    if len(named) != len(set(named)) or not set(named) <= set(range(len(row.responses))):
        raise ContractError(
            f"comparison {row.comparison}: tiers = {row.tiers} must name each of its "
            f"{len(row.responses)} responses once at most, counted from 0."
        )
    if row.outcome == "unanswerable":
        return []
    if row.outcome != "prefer":
        return tied_pairs([list(range(len(row.responses)))])
    ordered = row.tiers[:-1] if row.ranking == "best" else row.tiers
    return decided_pairs(row.tiers) + tied_pairs(ordered)


@dataclass(frozen=True)
class Terms:
    """The terms of a batch of comparisons over its flat list of R rewards.

    first, second (P,) int64: positions of each pair's responses among the rewards.
    target (P,): the wanted probability that first beats second.
    weight (P,): labeler weight times strength scale, over the comparison's number of pairs.
    centred (P,): 1 over the comparison's number of pairs, 0 where the level terms speak.
    level (L,) int64, good (L,) +1 or -1, level_weight (L,): the responses called good or bad.
    comparisons: how many there are, the loss's denominator.
    """

    first: torch.Tensor
    second: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor
    centred: torch.Tensor
    level: torch.Tensor
    good: torch.Tensor
    level_weight: torch.Tensor
    comparisons: int


def strength_scale(strength: int | None, levels: int) -> float:
    """A stronger preference weighs more, with mean 1 over the `levels` of a side."""
    return 1.0 if strength is None else 2 * strength / (levels + 1)


def terms_of(rows: Sequence[ComparisonRow], device: torch.device | str = "cpu") -> Terms:
    """The terms of `rows`, whose rewards stand one comparison after another."""
    pairs: list[tuple[int, int, float, float, float]] = []
    levels: list[tuple[int, float, float]] = []
    offset = 0
    for row in rows:
        said = pairs_of(row)
        scale = row.weight * strength_scale(row.strength, row.levels)
        sign = GOOD.get(row.outcome)
        for a, b, target in said:
            centred = 1 / len(said) if sign is None else 0.0
            pairs.append((offset + a, offset + b, target, scale / len(said), centred))
        if sign is not None:
            # A pair's two sides weigh 1 each; K responses share that same 2.
            share = 2 * row.weight / len(row.responses)
            levels += [(offset + i, sign, share) for i in range(len(row.responses))]
        offset += len(row.responses)

    def column(table: list, place: int, dtype: torch.dtype) -> torch.Tensor:
        return torch.tensor([entry[place] for entry in table], dtype=dtype, device=device)

    return Terms(
        first=column(pairs, 0, torch.int64),
        second=column(pairs, 1, torch.int64),
        target=column(pairs, 2, torch.float32),
        weight=column(pairs, 3, torch.float32),
        centred=column(pairs, 4, torch.float32),
        level=column(levels, 0, torch.int64),
        good=column(levels, 1, torch.float32),
        level_weight=column(levels, 2, torch.float32),
        comparisons=len(rows),
    )


def bradley_terry(difference: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """-p log sigmoid(d) - (1 - p) log sigmoid(-d), for d = r_a - r_b and p of shape (P,)."""
    return -target * F.logsigmoid(difference) - (1 - target) * F.logsigmoid(-difference)


def preference_loss(
    rewards: torch.Tensor, tau: torch.Tensor, terms: Terms, centring: float
) -> torch.Tensor:
    """The summed loss of a batch over its number of comparisons; scalar.

    rewards (R,): one a response, one comparison after another; tau (): the level between good and
    bad. `centring` (r_a + r_b)^2 holds the rewards around 0, which differences leave free
    (Eisenstein et al. 2023, arXiv:2312.09244, section 2); not on rows whose level is labelled.
    """
    rewards = rewards.float()
    first, second = rewards[terms.first], rewards[terms.second]
    ordered = (terms.weight * bradley_terry(first - second, terms.target)).sum()
    centre = (terms.centred * (first + second).square()).sum()
    above = terms.good * (rewards[terms.level] - tau)
    levels = -(terms.level_weight * F.logsigmoid(above)).sum()
    return (ordered + centring * centre + levels) / terms.comparisons
