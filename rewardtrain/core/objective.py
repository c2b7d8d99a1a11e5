"""What a reward model is fitted to: the heads' scores of a batch, as one loss.

The heads stand side by side: the preference head, its bootstrap members, and one head for each
flag and attribute that the labelers used. What the losses learn beside the rewards (tau, a tie's
width, the labelers' reliability) are parameters here; they want a learning rate of their own,
`LEARNING_RATE`, for they are single numbers whatever the size of the backbone.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from rewardtrain.contract import RATING_MAX, ComparisonRow, ContractError, RewardConfig
from rewardtrain.core.heads import ATTRIBUTE, FLAG, head_names
from rewardtrain.core.losses import (
    Levels,
    pairs_of,
    preference_loss,
    remark_loss,
    terms_of,
    weight_of,
)
from rewardtrain.core.reward_model import RewardModel

LEARNING_RATE = 0.02
MEMBER_WEIGHT = 1e-3
"""Of the members' losses: Adam is blind to a loss's scale, but the clipping of the whole gradient
is not, and the members must not clip what the preference head learns."""
REMARK_WEIGHT = 0.1
"""Of the flags' and attributes' loss beside the preferences', so that these lead the backbone."""


class Objective(nn.Module):
    """The loss of a fit, with what it learns beside the rewards.

    `rows` are all that the fit trains on: they say which labelers and remarks there are.

    Raises:
        ContractError: options that do not go together.
    """

    def __init__(self, rows: Sequence[ComparisonRow], config: RewardConfig) -> None:
        super().__init__()
        if config.labelers == "crowd_bt" and config.rankings == "plackett_luce":
            raise ContractError(
                "labelers = 'crowd_bt' weighs pairs and rankings = 'plackett_luce' has none; "
                "use rankings = 'pairs' with it."
            )
        self.config = config
        self.names = head_names(rows, config.members)
        said = Counter(row.labeler for row in rows if pairs_of(row))
        self.labelers = dict(sorted(said.items())) if config.labelers == "crowd_bt" else {}
        self.tau = nn.Parameter(torch.zeros(()))
        # softplus(-1.3) is 0.24: theta 1.27, at which equals tie in 12 of 100 comparisons.
        self.tie_width = nn.Parameter(torch.tensor(-1.3))
        # The mean of the Beta(10, 2) prior.
        start = torch.logit(torch.tensor(10 / 12))
        self.reliability = nn.Parameter(start.repeat(len(self.labelers)))

    @property
    def levels(self) -> Levels:
        """Tau, log theta and the reliabilities, as the losses take them."""
        width = F.softplus(self.tie_width)
        ties = self.config.ties == "rao_kupper"
        return Levels(
            self.tau, width if ties else torch.zeros_like(width), torch.sigmoid(self.reliability)
        )

    def parameter_groups(self, reward: RewardModel) -> list[dict[str, Any]]:
        """What an optimiser is given: the model, its heads and this, each at its learning rate.

        A head's step moves a score by about its rate times the hidden size: a fresh one may move
        it by a tenth, whatever the backbone's rate.
        """
        rate = self.config.learning_rate
        groups: list[dict[str, Any]] = [{"params": list(reward.model.parameters()), "lr": rate}]
        if reward.heads is not None:
            fresh = max(rate, 0.1 / reward.heads.linear.in_features)
            groups.append({"params": list(reward.heads.parameters()), "lr": fresh})
        own = {"params": list(self.parameters()), "lr": LEARNING_RATE, "weight_decay": 0.0}
        return [*groups, own]

    def weight(self, rows: Sequence[ComparisonRow]) -> float:
        """What the summed loss of a whole optimiser step is divided by."""
        total = sum(weight_of(row, self.config) for row in rows)
        return max(total, torch.finfo(torch.float32).eps)

    def loss(self, scores: torch.Tensor, rows: Sequence[ComparisonRow]) -> torch.Tensor:
        """The summed loss of a batch, scalar; divide it by the `weight` of its whole step.

        scores (R, 1 + heads): the preference head's, then those of `names`, one row a response,
        one comparison after another. The members' features are expected detached from the
        backbone: they report its spread and must not change what the preference head learns.
        """
        terms = terms_of(rows, self.config, scores.device, self.labelers)
        levels = self.levels
        loss = preference_loss(scores[:, 0], levels, terms)
        fixed = Levels(*(value.detach() for value in levels))
        members = self.config.members
        for member in range(members):
            factor = torch.tensor(
                [bootstrap_weight(row.thread_root, member, self.config.seed) for row in rows],
                device=scores.device,
            )
            own = preference_loss(scores[:, 1 + member], fixed, terms.times(factor))
            loss = loss + MEMBER_WEIGHT * own
        if remarks := self.names[members:]:
            wanted, weight = remarks_of(rows, remarks, scores.device)
            loss = loss + REMARK_WEIGHT * remark_loss(scores[:, 1 + members :], wanted, weight)
        return loss


def bootstrap_weight(thread_root: str, member: int, seed: int) -> float:
    """How often a member's bootstrap drew a thread: Poisson with mean 1 (Oza and Russell 2001)."""
    digest = hashlib.sha256(f"{seed} {member} {thread_root}".encode()).digest()
    draw = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    return float(draw.poisson(1.0))


def remarks_of(
    rows: Sequence[ComparisonRow], heads: Sequence[str], device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """What was said of each response, and with which weight: both (R, len(heads)).

    A flag that was asked for and not given is a no; an attribute that was not rated says nothing.
    The responses of a comparison share its weight.
    """
    wanted: list[list[float]] = []
    weight: list[list[float]] = []
    for row in rows:
        share = row.weight / len(row.responses)
        for place in range(len(row.responses)):
            given = _given(row, place)
            asked = [
                name in given or (name.startswith(FLAG) and row.flags is not None) for name in heads
            ]
            wanted.append([given.get(name, 0.0) for name in heads])
            weight.append([share * float(said) for said in asked])
    return torch.tensor(wanted, device=device), torch.tensor(weight, device=device)


def _given(row: ComparisonRow, place: int) -> dict[str, float]:
    flags = row.flags[place] if row.flags else []
    ratings = row.ratings[place] if row.ratings else {}
    return {FLAG + name: 1.0 for name in flags} | {
        ATTRIBUTE + name: rating / RATING_MAX for name, rating in ratings.items()
    }
