import math

import pytest
import torch

from rewardtrain.contract import ComparisonRow, ContractError, RewardConfig
from rewardtrain.core.losses import (
    Levels,
    beta_prior,
    bradley_terry,
    choices_of,
    crowd_bradley_terry,
    pairs_of,
    preference_loss,
    rao_kupper_tie,
    remark_loss,
    strength_margin,
    strength_scale,
    terms_of,
    weight_of,
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


def levels(tau=0.0, log_theta=0.0, reliability=()) -> Levels:
    return Levels(torch.tensor(tau), torch.tensor(log_theta), torch.tensor(list(reliability)))


def summed(rows, rewards, at=None, labelers=None, **options) -> torch.Tensor:
    """The summed loss; without centring unless it is asked for."""
    config = RewardConfig(backbone="", **{"centring": 0.0, **options})
    return preference_loss(rewards, at or levels(), terms_of(rows, config, labelers=labelers))


def loss_of(rows, rewards, tau=0.0, centring=0.0, **options) -> float:
    """The loss of a step that holds just these rows."""
    rewards = torch.tensor(rewards, dtype=torch.float32)
    config = RewardConfig(backbone="", **options)
    whole = sum(weight_of(row, config) for row in rows)
    return summed(rows, rewards, levels(tau), centring=centring, **options).item() / whole


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


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
    summed([row("unanswerable", [])], rewards, centring=0.01).backward()
    assert rewards.grad.tolist() == [0.0, 0.0]
    assert weight_of(row("unanswerable", []), RewardConfig(backbone="")) == 0.0


@pytest.mark.parametrize(("outcome", "sign"), [("both_good", 1), ("both_bad", -1)])
def test_both_good_and_both_bad_say_on_which_side_of_tau_they_lie(outcome, sign):
    rewards = torch.tensor([0.5, 0.5], requires_grad=True)
    tau = torch.tensor(0.2, requires_grad=True)
    at = Levels(tau, torch.tensor(0.0), torch.tensor([]))
    summed([row(outcome, [[0, 1]])], rewards, at, centring=0.01).backward()
    expected = math.log(2) + 2 * math.log1p(math.exp(-sign * 0.3))
    assert loss_of([row(outcome, [[0, 1]])], [0.5, 0.5], 0.2, 0.01) == pytest.approx(expected)
    assert all(sign * slope < 0 for slope in rewards.grad.tolist())
    assert sign * tau.grad.item() > 0


def test_all_bad_of_four_pulls_no_harder_than_both_bad_of_two():
    four = terms_of([row("all_bad", [[0, 1, 2, 3]], responses=4)], RewardConfig(backbone=""))
    assert four.level_weight.sum().item() == pytest.approx(2)
    assert len(four.first) == 6


def test_centring_holds_the_sum_of_a_pair_near_zero():
    free, held = loss_of([row()], [3.0, 2.0]), loss_of([row()], [3.0, 2.0], centring=0.01)
    assert held - free == pytest.approx(0.01 * 25)


def test_a_stronger_preference_and_a_heavier_labeler_weigh_more():
    assert [strength_scale(s, 3) for s in (1, 2, 3)] == [0.5, 1.0, 1.5]
    assert strength_scale(1, 1) == strength_scale(None, 3) == 1.0
    strong, plain = row(strength=3, levels=3, weight=0.5), row(tiers=[[1], [0]])
    costs = [-log_sigmoid(0.1), -log_sigmoid(-0.1)]
    assert loss_of([strong, plain], [0.2, 0.1, 0.2, 0.1]) == pytest.approx(
        (0.75 * costs[0] + costs[1]) / 1.75
    )
    assert loss_of([strong, plain], [0.2, 0.1, 0.2, 0.1], strength="ignore") == pytest.approx(
        (0.5 * costs[0] + costs[1]) / 1.5
    )


def test_a_strength_as_margin_wants_the_rewards_further_apart():
    assert [strength_margin(s, 3) for s in (1, 2, 3)] == [0.0, 0.5, 1.0]
    assert strength_margin(1, 1) == strength_margin(None, 3) == 0.0
    strong = row(strength=2, levels=3)
    assert loss_of([strong], [0.9, 0.1], strength="margin") == pytest.approx(-log_sigmoid(0.3))
    tie = row("tie", [[0, 1]], strength=None, levels=3)
    assert loss_of([tie], [0.4, 0.4], strength="margin") == pytest.approx(math.log(2))


def test_a_confidence_is_a_soft_target_of_the_decided_pairs():
    rewards = torch.tensor([0.7, 0.0], requires_grad=True)
    summed([row(confidence=0.8)], rewards).backward()
    slope = 1 / (1 + math.exp(-0.7)) - 0.8
    assert rewards.grad.tolist() == pytest.approx([slope, -slope])
    with pytest.raises(ContractError, match=r"confidence = 1\.2 must lie from 0 to 1"):
        pairs_of(row(confidence=1.2))


def test_rao_and_kuppers_three_outcomes_are_all_there_is():
    difference, log_theta = torch.tensor([-1.3, 0.0, 0.4]), torch.tensor(0.6)
    wins = torch.exp(-bradley_terry(difference, torch.ones(3), log_theta))
    losses = torch.exp(-bradley_terry(difference, torch.zeros(3), log_theta))
    ties = torch.exp(-rao_kupper_tie(difference, log_theta))
    assert torch.allclose(wins + losses + ties, torch.ones(3))
    # By hand at equal strengths: P(tie) = (theta - 1) / (theta + 1).
    theta = math.exp(0.6)
    assert ties[1].item() == pytest.approx((theta - 1) / (theta + 1))


def test_the_tie_width_learns_the_share_of_ties():
    rows = [row("tie", [[0, 1]])] * 30 + [row()] * 35 + [row(tiers=[[1], [0]])] * 35
    width = torch.tensor(0.1, requires_grad=True)
    optimiser = torch.optim.Adam([width], lr=0.02)
    for _ in range(300):
        optimiser.zero_grad()
        at = Levels(torch.tensor(0.0), width, torch.tensor([]))
        summed(rows, torch.zeros(200), at, ties="rao_kupper").backward()
        optimiser.step()
    # (theta - 1) / (theta + 1) = 0.3, so theta = 1.3 / 0.7.
    assert width.item() == pytest.approx(math.log(1.3 / 0.7), abs=1e-3)


def test_a_ranking_by_successive_choices_is_plackett_and_luces_and_weighs_as_one():
    ranking = row(tiers=[[2], [0], [1]], responses=3)
    r = [0.3, -0.2, 0.9]
    first = r[2] - math.log(sum(map(math.exp, r)))
    second = r[0] - math.log(math.exp(r[0]) + math.exp(r[1]))
    pl = {"rankings": "plackett_luce"}
    assert loss_of([ranking], r, **pl) == pytest.approx(-(first + second) / 2)
    both = loss_of([row(), ranking, row()], [1.0, 0.0, *r, 0.5, 0.0], **pl)
    pairs = -log_sigmoid(1.0) - log_sigmoid(0.5)
    assert both == pytest.approx((pairs - (first + second) / 2) / 3)
    best = row(tiers=[[2], [0, 1]], responses=3, ranking="best")
    assert loss_of([best], r, **pl) == pytest.approx(-first)
    # The first choice's gradient is softmax minus the winner, by hand.
    rewards = torch.tensor(r, requires_grad=True)
    summed([best], rewards, **pl).backward()
    shares = [math.exp(x) / sum(map(math.exp, r)) for x in r]
    assert rewards.grad.tolist() == pytest.approx([shares[0], shares[1], shares[2] - 1])


def test_a_pair_and_a_ranking_with_a_tie_are_pairs_under_plackett_and_luce_too():
    tied = row(tiers=[[2], [0, 1]], responses=3)
    assert choices_of(tied) is choices_of(row()) is None
    assert loss_of([tied], [0.3, -0.2, 0.9], rankings="plackett_luce") == pytest.approx(
        loss_of([tied], [0.3, -0.2, 0.9])
    )


def test_a_labeler_who_says_the_opposite_is_believed_the_other_way_round():
    difference = torch.tensor([2.0, 2.0], requires_grad=True)
    reliability = torch.tensor([0.9, 0.1])
    losses = crowd_bradley_terry(difference, torch.ones(2), reliability)
    wins = 1 / (1 + math.exp(-2.0))
    expected = [0.9 * wins + 0.1 * (1 - wins), 0.1 * wins + 0.9 * (1 - wins)]
    assert losses.tolist() == pytest.approx([-math.log(p) for p in expected])
    losses.sum().backward()
    slope = wins * (1 - wins) * 0.8
    assert difference.grad.tolist() == pytest.approx([-slope / expected[0], slope / expected[1]])


def test_reliability_is_learnt_beside_its_prior_and_ties_say_nothing_of_it():
    rows = [row(labeler="ann"), row("tie", [[0, 1]], labeler="ann"), row(labeler="bob")]
    at = levels(reliability=[0.8, 0.6])
    rewards = torch.tensor([1.0, 0.0, 0.5, 0.0, 1.0, 0.0])
    wins = 1 / (1 + math.exp(-1.0))
    tie = -(log_sigmoid(0.5) + log_sigmoid(-0.5)) / 2
    crowd = -math.log(0.8 * wins + 0.2 * (1 - wins)) - math.log(0.6 * wins + 0.4 * (1 - wins))
    prior = beta_prior(at.reliability).tolist()
    assert prior[0] == pytest.approx(-9 * math.log(0.8) - math.log(0.2))
    # Of ann's four rows two are in this batch, and so is half of the prior.
    found = summed(rows, rewards, at, labelers={"ann": 4, "bob": 1})
    assert found.item() == pytest.approx(crowd + tie + prior[0] / 2 + prior[1])


def test_flags_and_ratings_cost_the_cross_entropy_of_what_was_said():
    scores = torch.tensor([[0.0, 2.0], [1.0, 5.0]], requires_grad=True)
    wanted, weight = torch.tensor([[1.0, 0.75], [0.0, 0.0]]), torch.tensor([[0.5, 0.5], [0.5, 0.0]])
    loss = remark_loss(scores, wanted, weight)
    by_hand = -(
        0.5 * log_sigmoid(0.0)
        + 0.5 * log_sigmoid(-1.0)
        + 0.5 * (0.75 * log_sigmoid(2.0) + 0.25 * log_sigmoid(-2.0))
    )
    assert loss.item() == pytest.approx(by_hand)
    loss.backward()
    assert scores.grad[1, 1] == 0.0


@pytest.mark.parametrize("tiers", [[[0], [2]], [[0], [0]], [[0, 1], [1]], [[-1], [0]]])
def test_tiers_must_name_each_response_once(tiers):
    with pytest.raises(ContractError, match="comparison c: tiers"):
        pairs_of(row(tiers=tiers))


def test_an_unknown_outcome_is_refused_by_name():
    with pytest.raises(ContractError, match="outcome = 'perhaps'"):
        pairs_of(row("perhaps"))
