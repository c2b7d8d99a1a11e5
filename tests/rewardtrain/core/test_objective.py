import math
from dataclasses import replace

import pytest
import torch

from rewardtrain.contract import ComparisonRow, ContractError, RewardConfig
from rewardtrain.core.heads import Heads, head_names
from rewardtrain.core.losses import bradley_terry
from rewardtrain.core.objective import MEMBER_WEIGHT, REMARK_WEIGHT, Objective, bootstrap_weight


def row(root: str, **fields) -> ComparisonRow:
    return ComparisonRow(
        comparison="c",
        thread_root=root,
        split="train",
        messages=[{"role": "user", "content": "?"}],
        responses=[[{"role": "assistant", "content": str(i)}] for i in range(2)],
        **{"outcome": "prefer", "tiers": [[0], [1]], **fields},
    )


CONFIG = RewardConfig(backbone="", members=2, centring=0.0)


def test_heads_are_named_by_what_labelers_used():
    rows = [
        row("a", flags=[["untrue"], []], ratings=[{"depth": 3}, {}]),
        row("b", flags=[[], ["rude"]]),
        row("c"),
    ]
    assert head_names(rows, 1) == ["member 1", "flag:rude", "flag:untrue", "attribute:depth"]


def test_each_member_learns_from_its_own_bootstrap_of_the_threads():
    drawn = [[bootstrap_weight(str(i), m, 0) for i in range(2000)] for m in (0, 1)]
    assert drawn[0] != drawn[1]
    for weights in drawn:
        assert sum(weights) / 2000 == pytest.approx(1.0, abs=0.1)
        assert weights.count(0.0) / 2000 == pytest.approx(math.exp(-1), abs=0.04)
    rows = [row(str(i)) for i in range(5)]
    scores = torch.zeros(10, 3, requires_grad=True)
    Objective(rows, CONFIG).loss(scores, rows).backward()
    # At equal scores a preference's slope is -1/2 times its weight.
    assert scores.grad[::2, 0].tolist() == [-0.5] * 5
    for member in (0, 1):
        wanted = [-0.5 * MEMBER_WEIGHT * bootstrap_weight(str(i), member, 0) for i in range(5)]
        assert scores.grad[::2, 1 + member].tolist() == pytest.approx(wanted)


def test_members_do_not_shape_what_the_heads_read_and_flags_do():
    torch.manual_seed(0)
    heads = Heads(4, ["member 1", "flag:rude"])
    states = torch.randn(3, 4, requires_grad=True)
    found = heads(states)
    assert found.shape == (3, 2)
    assert (
        torch.autograd.grad(found[:, 0].sum(), states, retain_graph=True, allow_unused=True)[0]
        .eq(0)
        .all()
    )
    assert torch.autograd.grad(found[:, 1].sum(), states)[0].ne(0).all()


def test_flags_asked_and_not_given_are_a_no_and_ratings_not_given_say_nothing():
    rows = [
        row("a", flags=[["rude"], []], ratings=[{"depth": 3}, {}]),
        row("b", weight=0.5),
    ]
    objective = Objective(rows, replace(CONFIG, members=0))
    assert objective.names == ["flag:rude", "attribute:depth"]
    scores = torch.tensor([[0.0, 0.3, 0.2], [0.0, -0.4, 0.9], [0.0, 7.0, 7.0], [0.0, 7.0, 7.0]])
    said = [
        bradley_terry(torch.tensor(0.3), torch.tensor(1.0)),
        bradley_terry(torch.tensor(-0.4), torch.tensor(0.0)),
        bradley_terry(torch.tensor(0.2), torch.tensor(0.75)),
    ]
    expected = 1.5 * math.log(2) + REMARK_WEIGHT * 0.5 * sum(said).item()
    assert objective.loss(scores, rows).item() == pytest.approx(expected)
    assert objective.weight(rows) == 1.5


def test_crowd_bt_finds_the_labeler_who_says_the_opposite():
    """Rewards are known here; what is learnt is whom to believe."""
    rows = [
        row(f"{i}", labeler=who, tiers=[[0], [1]] if who == "ann" else [[1], [0]])
        for i in range(40)
        for who in ("ann", "eve")
    ]
    objective = Objective(rows, replace(CONFIG, members=0, labelers="crowd_bt"))
    scores = torch.tensor([[2.0], [0.0]]).repeat(80, 1)
    optimiser = torch.optim.Adam(objective.parameters(), lr=0.02)
    for _ in range(400):
        optimiser.zero_grad()
        (objective.loss(scores, rows) / objective.weight(rows)).backward()
        optimiser.step()
    ann, eve = objective.levels.reliability.tolist()
    assert ann > 0.9
    assert eve < 0.3


def test_options_that_do_not_go_together_are_refused():
    with pytest.raises(ContractError, match="labelers = 'crowd_bt' weighs pairs"):
        Objective([], replace(CONFIG, labelers="crowd_bt", rankings="plackett_luce"))
