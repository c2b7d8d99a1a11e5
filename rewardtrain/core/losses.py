"""The preference losses, as pure functions of rewards.

Bradley-Terry on soft targets: P(a beats b) = sigmoid(r_a - r_b), a tie is P = 1/2 or Rao and
Kupper's third outcome. A comparison of K responses is all the pairs it orders, or Plackett and
Luce's successive choices, each divided by their number, so that one ranking weighs as much as one
pair. "Both good" and "both bad" are a tie that also says on which side of a learnt level tau the
responses lie. What is learnt beside the rewards stands in `Levels`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import NamedTuple

import torch
import torch.nn.functional as F

from rewardtrain.contract import ComparisonRow, ContractError, RewardConfig

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

    In a `best` ranking the last tier is unordered, not tied: it gives no pair of its own. The
    decided pairs come first.

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
    if not 0 <= row.confidence <= 1:
        raise ContractError(
            f"comparison {row.comparison}: confidence = {row.confidence} must lie from 0 to 1."
        )
    if row.outcome == "unanswerable":
        return []
    if row.outcome != "prefer":
        return tied_pairs([list(range(len(row.responses)))])
    ordered = row.tiers[:-1] if row.ranking == "best" else row.tiers
    return decided_pairs(row.tiers) + tied_pairs(ordered)


def choices_of(row: ComparisonRow) -> list[list[int]] | None:
    """A ranking as successive choices, the chosen response before those it was chosen from.

    None where a tier is tied, which Plackett and Luce have no probability for; a `best` ranking is
    its one choice.
    """
    if row.outcome != "prefer" or len(row.responses) < 3:
        return None
    ordered = row.tiers[:-1] if row.ranking == "best" else row.tiers
    if any(len(tier) > 1 for tier in ordered):
        return None
    order = [index for tier in row.tiers for index in tier]
    return [order[place:] for place in range(min(len(ordered), len(order) - 1))]


def strength_scale(strength: int | None, levels: int) -> float:
    """A stronger preference weighs more, with mean 1 over the `levels` of a side."""
    return 1.0 if strength is None else 2 * strength / (levels + 1)


def strength_margin(strength: int | None, levels: int) -> float:
    """How far apart a preference of this strength wants the rewards: 0 for the weakest, 1 for the
    strongest (Touvron et al. 2023, arXiv:2307.09288, equation 2 with its smaller margins)."""
    return 0.0 if strength is None or levels == 1 else (strength - 1) / (levels - 1)


def weight_of(row: ComparisonRow, config: RewardConfig) -> float:
    """What a comparison weighs in its step: 0 where it teaches nothing."""
    if row.outcome == "unanswerable":
        return 0.0
    scaled = config.strength == "scale"
    return row.weight * (strength_scale(row.strength, row.levels) if scaled else 1.0)


class Levels(NamedTuple):
    """What is learnt beside the rewards.

    tau (): the level between good and bad. log_theta (): Rao and Kupper's tie width, 0 where a tie
    is one half. reliability (L,): how often each labeler says what they see, for crowd-BT.
    """

    tau: torch.Tensor
    log_theta: torch.Tensor
    reliability: torch.Tensor


@dataclass(frozen=True)
class Terms:
    """The terms of a batch of C comparisons over its flat list of R rewards.

    first, second (P,) int64: positions of each pair's responses among the rewards.
    target (P,): the wanted probability that first beats second.
    weight (P,): labeler weight times strength scale, over the comparison's number of pairs.
    margin (P,): how far apart the strength wants them.
    tied (P,) bool: a tie that Rao and Kupper's third outcome explains.
    labeler (P,) int64: whose reliability bounds the pair, -1 for none.
    centred (P,): the centring coefficient over the number of pairs, 0 where level terms speak.
    level (V,) int64, good (V,) +1 or -1, level_weight (V,): the responses called good or bad.
    chosen (S, K) int64, open (S, K) bool, choice_weight (S,): successive choices, the chosen one
        first, and which places are filled.
    of_pair (P,), of_level (V,), of_choice (S,) int64: the comparison each belongs to.
    prior (L,): each labeler's share of their prior that this batch carries.
    """

    first: torch.Tensor
    second: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor
    margin: torch.Tensor
    tied: torch.Tensor
    labeler: torch.Tensor
    centred: torch.Tensor
    level: torch.Tensor
    good: torch.Tensor
    level_weight: torch.Tensor
    chosen: torch.Tensor
    open: torch.Tensor
    choice_weight: torch.Tensor
    of_pair: torch.Tensor
    of_level: torch.Tensor
    of_choice: torch.Tensor
    prior: torch.Tensor

    def times(self, factor: torch.Tensor) -> "Terms":
        """The same terms with each comparison's weight times `factor` (C,); no prior."""
        return replace(
            self,
            weight=self.weight * factor[self.of_pair],
            centred=self.centred * factor[self.of_pair],
            level_weight=self.level_weight * factor[self.of_level],
            choice_weight=self.choice_weight * factor[self.of_choice],
            prior=torch.zeros_like(self.prior),
        )


def terms_of(
    rows: Sequence[ComparisonRow],
    config: RewardConfig,
    device: torch.device | str = "cpu",
    labelers: dict[str, int] | None = None,
) -> Terms:
    """The terms of `rows`, whose rewards stand one comparison after another.

    labelers: how many rows of the whole training set each labeler gave, in the order of
        `Levels.reliability`; given, their reliability is learnt (crowd-BT).
    """
    labelers = labelers or {}
    place = {name: i for i, name in enumerate(labelers)}
    pairs: list[tuple] = []
    levels: list[tuple] = []
    choices: list[tuple[int, list[int], float]] = []
    prior = [0.0] * len(labelers)
    offset = 0
    for number, row in enumerate(rows):
        said = pairs_of(row)
        scale = weight_of(row, config)
        margin = 0.0
        if config.strength == "margin":
            margin = strength_margin(row.strength, row.levels)
        sign = GOOD.get(row.outcome)
        successive = choices_of(row) if config.rankings == "plackett_luce" else None
        who = place.get(row.labeler, -1)
        if who >= 0 and said:
            prior[who] += 1 / labelers[row.labeler]
        for a, b, target in said:
            decided = target == 1.0
            pairs.append(
                (
                    offset + a,
                    offset + b,
                    row.confidence if decided else target,
                    0.0 if successive else scale / len(said),
                    margin if decided else 0.0,
                    not decided and config.ties == "rao_kupper",
                    who if decided else -1,
                    config.centring / len(said) if sign is None else 0.0,
                    number,
                )
            )
        for choice in successive or []:
            of = [offset + index for index in choice]
            choices.append((number, of, scale / len(successive or [])))
        if sign is not None:
            # A pair's two sides weigh 1 each; K responses share that same 2.
            share = 2 * row.weight / len(row.responses)
            levels += [(offset + i, sign, share, number) for i in range(len(row.responses))]
        offset += len(row.responses)

    def column(table: list[tuple], place: int, dtype: torch.dtype) -> torch.Tensor:
        return torch.tensor([entry[place] for entry in table], dtype=dtype, device=device)

    widest = max((len(of) for _, of, _ in choices), default=1)
    filled = [of + of[:1] * (widest - len(of)) for _, of, _ in choices]
    real, whole = torch.float32, torch.int64
    return Terms(
        first=column(pairs, 0, whole),
        second=column(pairs, 1, whole),
        target=column(pairs, 2, real),
        weight=column(pairs, 3, real),
        margin=column(pairs, 4, real),
        tied=column(pairs, 5, torch.bool),
        labeler=column(pairs, 6, whole),
        centred=column(pairs, 7, real),
        of_pair=column(pairs, 8, whole),
        level=column(levels, 0, whole),
        good=column(levels, 1, real),
        level_weight=column(levels, 2, real),
        of_level=column(levels, 3, whole),
        chosen=torch.tensor(filled, dtype=whole, device=device).reshape(-1, widest),
        open=torch.tensor(
            [[i < len(of) for i in range(widest)] for _, of, _ in choices],
            dtype=torch.bool,
            device=device,
        ).reshape(-1, widest),
        choice_weight=column(choices, 2, real),
        of_choice=column(choices, 0, whole),
        prior=torch.tensor(prior, dtype=real, device=device),
    )


def bradley_terry(
    difference: torch.Tensor, target: torch.Tensor, shift: torch.Tensor | float = 0.0
) -> torch.Tensor:
    """-p log sigmoid(d - s) - (1 - p) log sigmoid(-d - s), for d = r_a - r_b and p of shape (P,).

    The shift is a margin, or Rao and Kupper's log theta (1967, equation 2.2), or their sum.
    """
    return -target * F.logsigmoid(difference - shift) - (1 - target) * F.logsigmoid(
        -difference - shift
    )


def rao_kupper_tie(difference: torch.Tensor, log_theta: torch.Tensor) -> torch.Tensor:
    """-log P(tie), shape of `difference` (Rao and Kupper 1967, equation 2.3).

    P(tie) = (theta^2 - 1) sigmoid(d - log theta) sigmoid(-d - log theta), theta > 1.
    """
    width = 2 * log_theta + torch.log(-torch.expm1(-2 * log_theta))
    return -width - F.logsigmoid(difference - log_theta) - F.logsigmoid(-difference - log_theta)


def crowd_bradley_terry(
    difference: torch.Tensor, target: torch.Tensor, reliability: torch.Tensor
) -> torch.Tensor:
    """-log(eta sigmoid(d) + (1 - eta) sigmoid(-d)), mixed by the target; all of shape (P,).

    eta is the probability that the labeler says what they see (Chen et al. 2013, "Pairwise ranking
    aggregation in a crowdsourced setting", equation 5).
    """
    wins = torch.sigmoid(difference)
    agrees = reliability * wins + (1 - reliability) * (1 - wins)
    tiny = torch.finfo(wins.dtype).tiny
    return -target * torch.log(agrees.clamp_min(tiny)) - (1 - target) * torch.log(
        (1 - agrees).clamp_min(tiny)
    )


def beta_prior(reliability: torch.Tensor) -> torch.Tensor:
    """-log of the Beta(10, 2) density of each reliability, up to its constant."""
    return -(9 * torch.log(reliability) + torch.log1p(-reliability))


def plackett_luce(rewards: torch.Tensor, chosen: torch.Tensor, open_: torch.Tensor) -> torch.Tensor:
    """-log of the probability of each successive choice, shape (S,) (Plackett 1975, Luce 1959).

    rewards (R,); chosen (S, K) int64 places among them, the chosen one first; open_ (S, K) bool,
    which of the K places are filled. For K = 2 it is Bradley-Terry.
    """
    among = rewards[chosen].masked_fill(~open_, -torch.inf)
    return torch.logsumexp(among, dim=1) - among[:, 0]


def preference_loss(rewards: torch.Tensor, levels: Levels, terms: Terms) -> torch.Tensor:
    """The summed loss of a batch's comparisons, scalar; the weights of its step divide it.

    rewards (R,): one a response, one comparison after another. The centring c (r_a + r_b)^2 holds
    the rewards around 0, which differences leave free (Eisenstein et al. 2023, arXiv:2312.09244,
    section 2); not on rows whose level is labelled.
    """
    rewards = rewards.float()
    first, second = rewards[terms.first], rewards[terms.second]
    loss = (terms.centred * (first + second).square()).sum()
    loss = loss + (terms.weight * pair_losses(first - second, levels, terms)).sum()
    above = terms.good * (rewards[terms.level] - levels.tau)
    loss = loss - (terms.level_weight * F.logsigmoid(above)).sum()
    if len(terms.choice_weight):
        loss = loss + (terms.choice_weight * plackett_luce(rewards, terms.chosen, terms.open)).sum()
    if len(terms.prior):
        loss = loss + (terms.prior * beta_prior(levels.reliability)).sum()
    return loss


def pair_losses(difference: torch.Tensor, levels: Levels, terms: Terms) -> torch.Tensor:
    """Each pair's loss, shape (P,), by the one of three likelihoods that applies to it."""
    losses = bradley_terry(difference, terms.target, terms.margin + levels.log_theta)
    if terms.tied.any():
        losses = torch.where(terms.tied, rao_kupper_tie(difference, levels.log_theta), losses)
    if len(terms.prior):
        known = terms.labeler >= 0
        reliability = levels.reliability[terms.labeler.clamp_min(0)]
        crowd = crowd_bradley_terry(difference, terms.target, reliability)
        losses = torch.where(known, crowd, losses)
    return losses


def remark_loss(scores: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted cross-entropy of flags and ratings, summed; scalar.

    scores (R, H): the heads' logits; wanted (R, H): 1 for a response that has the flag, or its
    rating over the highest; weight (R, H): 0 where nobody was asked.
    """
    return F.binary_cross_entropy_with_logits(
        scores.float(), wanted, weight=weight, reduction="sum"
    )
