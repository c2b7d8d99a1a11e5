"""The heads beside a reward model's preference head: its members, its flags, its attributes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from rewardtrain.contract import ComparisonRow, ContractError

PREFERENCE = "preference"
START = 0.02
"""Standard deviation of a fresh head's weights, transformers' own default."""
MEMBER, FLAG, ATTRIBUTE = "member ", "flag:", "attribute:"


def head_names(rows: Sequence[ComparisonRow], members: int) -> list[str]:
    """The heads beside the preference head: members first, then flags and attributes by name."""
    flags = {name for row in rows for names in row.flags or [] for name in names}
    attributes = {name for row in rows for rated in row.ratings or [] for name in rated}
    return [
        *(f"{MEMBER}{number}" for number in range(1, members + 1)),
        *(FLAG + name for name in sorted(flags)),
        *(ATTRIBUTE + name for name in sorted(attributes)),
    ]


class Heads(nn.Module):
    """Linear heads beside the preference head, on the pooled states that it reads.

    The members read the states but do not shape them: they come with the preference head at no
    change to it.
    """

    def __init__(self, hidden: int, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)
        self.members = sum(name.startswith(MEMBER) for name in self.names)
        self.linear = nn.Linear(hidden, len(self.names))
        # As small as the preference head begins: what a wide draw leaves would pass for spread.
        nn.init.normal_(self.linear.weight, std=START)
        nn.init.zeros_(self.linear.bias)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """(N, hidden) to (N, heads)."""
        weight, bias, m = self.linear.weight, self.linear.bias, self.members
        members = F.linear(states.detach(), weight[:m], bias[:m])
        return torch.cat([members, F.linear(states, weight[m:], bias[m:])], dim=1)


@dataclass(frozen=True)
class HeadScores:
    """What every head gives n responses: names (1 + heads), values (n, 1 + heads) raw."""

    names: list[str]
    values: torch.Tensor

    def of(self, name: str) -> torch.Tensor:
        """One head's column, shape (n,).

        Raises:
            ContractError: the model has no such head.
        """
        if name not in self.names:
            raise ContractError(
                f"head = {name!r} is not in the reward model, which has {', '.join(self.names)}."
            )
        return self.values[:, self.names.index(name)]

    @property
    def preference(self) -> torch.Tensor:
        return self.values[:, 0]

    @property
    def members(self) -> torch.Tensor:
        """What each member of the ensemble says, shape (n, members)."""
        return self.values[:, [i for i, name in enumerate(self.names) if name.startswith(MEMBER)]]

    @property
    def spread(self) -> torch.Tensor:
        """Standard deviation of the members, shape (n,); 0 without two of them."""
        if self.members.shape[1] < 2:
            return torch.zeros_like(self.preference)
        return self.members.std(dim=1)

    def lower(self, spreads: float) -> torch.Tensor:
        """The preference less so many of its spreads: a lower bound, shape (n,)."""
        return self.preference - spreads * self.spread
