import math

import pytest
import torch

from rewardtrain.contract import ComparisonRow, ContractError
from rewardtrain.core.losses import (
    bradley_terry,
    pairs_of,
    preference_loss,
    strength_scale,
    terms_of,
)


def row(outcome="prefer", tiers=((0,), (1,)), responses=2, **fields) -> ComparisonRow:
    return ComparisonRow(
        comparison="c",
        thread_root="r",
        split="train",
        messages=[{"role": "user", "content": "?"}],
        responses=[[{"role": "assistant", "content": str(i)}] for i in range(responses)],
        outcome=outcome,
        tiers=[list(tier) for tier in tiers],
        **fields,
    )


def loss_of(rows, rewards, tau=0.0, centring=0.0) -> float:
    rewards = torch.tensor(rewards, dtype=torch.float32)
    return preference_loss(rewards, torch.tensor(tau), terms_of(rows), centring).item()


def test_a_preference_costs_minus_log_sigmoid_of_the_difference():
    assert loss_of([row()], [1.5, 0.25]) == pytest.approx(math.log1p(math.exp(-1.25)))
    assert loss_of([row(tiers=[[1], [0]])], [1.5, 0.25]) == pytest.approx(
        1.25 + math.log1p(math.exp(-1.25))
    )


def test_a_tie_is_cheapest_at_equal_rewards_and_costs_the_same_both_ways():
    tie = [row("tie", [[0, 1]])]
    assert loss_of(tie, [2.0, 2.0]) == pytest.approx(math.log(2))
    assert loss_of(tie, [2.0, 1.0]) == pytest.approx(loss_of(tie, [1.0, 2.0]))
    assert loss_of(tie, [2.0, 1.0]) > loss_of(tie, [2.0, 1.9]) > math.log(2)


def test_the_gradient_of_a_soft_target_is_probability_minus_target():
    difference = torch.tensor([0.7, -0.3], requires_grad=True)
    target = torch.tensor([0.9, 0.5])
    bradley_terry(difference, target).sum().backward()
    assert torch.allclose(difference.grad, torch.sigmoid(difference.detach()) - target)


def test_only_differences_count_without_centring():
    rows = [row(), row("tie", [[0, 1]])]
    assert loss_of(rows, [1.0, 0.0, 2.0, 2.5]) == pytest.approx(
        loss_of(rows, [4.0, 3.0, -1.0, -0.5]), rel=1e-5
    )


def test_a_ranking_is_the_mean_of_its_pairs_and_weighs_as_one():
    ranking = row(tiers=[[2], [0, 3], [1]], responses=4)
    assert sorted(pairs_of(ranking)) == [
        (0, 1, 1.0),
        (0, 3, 0.5),
        (2, 0, 1.0),
        (2, 1, 1.0),
        (2, 3, 1.0),
        (3, 1, 1.0),
    ]
    rewards = [0.3, -0.2, 0.9, 0.4]
    alone = [
        bradley_terry(torch.tensor(rewards[a] - rewards[b]), torch.tensor(p)).item()
        for a, b, p in pairs_of(ranking)
    ]
    assert loss_of([ranking], rewards) == pytest.approx(sum(alone) / 6)
    both = loss_of([ranking, row()], [*rewards, 1.0, 0.0])
    assert both == pytest.approx((sum(alone) / 6 + math.log1p(math.exp(-1.0))) / 2)


def test_in_best_of_k_the_winner_beats_each_loser_and_losers_are_not_tied():
    best = row(tiers=[[1], [0, 2, 3]], responses=4, ranking="best")
    assert sorted(pairs_of(best)) == [(1, 0, 1.0), (1, 2, 1.0), (1, 3, 1.0)]


def test_an_unanswerable_row_teaches_nothing():
    assert pairs_of(row("unanswerable", [])) == []
    rewards = torch.tensor([1.0, -1.0], requires_grad=True)
    terms = terms_of([row("unanswerable", [])])
    preference_loss(rewards, torch.tensor(0.0), terms, 0.01).backward()
    assert rewards.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("outcome", "sign"), [("both_good", 1), ("both_bad", -1)])
def test_both_good_and_both_bad_say_on_which_side_of_tau_they_lie(outcome, sign):
    rewards = torch.tensor([0.5, 0.5], requires_grad=True)
    tau = torch.tensor(0.2, requires_grad=True)
    preference_loss(rewards, tau, terms_of([row(outcome, [[0, 1]])]), 0.01).backward()
    expected = math.log(2) + 2 * math.log1p(math.exp(-sign * 0.3))
    assert loss_of([row(outcome, [[0, 1]])], [0.5, 0.5], 0.2, 0.01) == pytest.approx(expected)
    assert all(sign * slope < 0 for slope in rewards.grad.tolist())
    assert sign * tau.grad.item() > 0


def test_all_bad_of_four_pulls_no_harder_than_both_bad_of_two():
    four = terms_of([row("all_bad", [[0, 1, 2, 3]], responses=4)])
    assert four.level_weight.sum().item() == pytest.approx(2)
    assert len(four.first) == 6


def test_centring_holds_the_sum_of_a_pair_near_zero():
    free, held = loss_of([row()], [3.0, 2.0]), loss_of([row()], [3.0, 2.0], centring=0.01)
    assert held - free == pytest.approx(0.01 * 25)


def test_a_stronger_preference_and_a_heavier_labeler_weigh_more():
    assert [strength_scale(s, 3) for s in (1, 2, 3)] == [0.5, 1.0, 1.5]
    assert strength_scale(1, 1) == strength_scale(None, 3) == 1.0
    plain = loss_of([row()], [0.2, 0.1])
    assert loss_of([row(strength=3, levels=3, weight=0.5)], [0.2, 0.1]) == pytest.approx(
        0.75 * plain
    )


@pytest.mark.parametrize("tiers", [[[0], [2]], [[0], [0]], [[0, 1], [1]], [[-1], [0]]])
def test_tiers_must_name_each_response_once(tiers):
    with pytest.raises(ContractError, match="comparison c: tiers"):
        pairs_of(row(tiers=tiers))


def test_an_unknown_outcome_is_refused_by_name():
    with pytest.raises(ContractError, match="outcome = 'perhaps'"):
        pairs_of(row("perhaps"))
