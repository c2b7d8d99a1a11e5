import random

import numpy as np
import pandas as pd
import pytest
import torch
from crowdkit.aggregation import OneCoinDawidSkene

from rewardtrain.contract import ComparisonRow, RewardConfig
from rewardtrain.core.crowd import Vote, believed, dawid_skene
from rewardtrain.core.losses import preference_loss, terms_of
from rewardtrain.core.objective import Objective

LABELERS = {f"labeler {i}": 0.12 if i % 5 == 0 else 0.95 for i in range(20)}
"""One in five says the opposite of what they see."""


def votes_of(tasks: int, each: int, seed: int) -> tuple[list[Vote], dict[str, bool]]:
    draw = random.Random(seed)
    truth = {f"task {i}": draw.random() < 0.5 for i in range(tasks)}
    votes = []
    for task, answer in truth.items():
        for who in draw.sample(sorted(LABELERS), each):
            right = draw.random() < LABELERS[who]
            votes.append((task, who, answer == right))
    return votes, truth


def right_share(yes: dict[str, float], truth: dict[str, bool]) -> float:
    return sum((p > 0.5) == truth[task] for task, p in yes.items()) / len(truth)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_agrees_with_the_library_without_a_prior():
    votes, truth = votes_of(600, 3, seed=1)
    ours = dawid_skene(votes, prior=(1.0, 1.0))
    table = pd.DataFrame(votes, columns=["task", "worker", "label"])
    theirs = OneCoinDawidSkene(n_iter=200, tol=1e-8).fit(table)
    library = theirs.probas_[True]
    same = sum((p > 0.5) == (library[task] > 0.5) for task, p in ours.yes.items())
    assert same >= 0.99 * 600
    for who, skill in theirs.skills_.items():
        assert ours.reliability[who] == pytest.approx(skill, abs=0.02)
    assert right_share(ours.yes, truth) == pytest.approx(
        right_share(library.to_dict(), truth), abs=0.01
    )


def test_it_beats_the_majority_and_names_who_says_the_opposite():
    votes, truth = votes_of(600, 3, seed=2)
    found = dawid_skene(votes)
    counted = {task: [said for t, _, said in votes if t == task] for task in truth}
    majority = {task: sum(said) / len(said) for task, said in counted.items()}
    assert right_share(majority, truth) < 0.9
    assert right_share(found.yes, truth) > 0.97
    for who, reliability in found.reliability.items():
        assert (reliability < 0.5) == (LABELERS[who] < 0.5)


def test_who_never_overlapped_is_believed_as_the_prior_says():
    found = dawid_skene([("a", "ann", True)])
    assert found.yes["a"] == pytest.approx(found.reliability["ann"], abs=1e-4)
    assert found.reliability["ann"] == pytest.approx(0.9, abs=0.01)


def row(name: str, who: str, tiers: list[list[int]], **fields) -> ComparisonRow:
    return ComparisonRow(
        comparison=name,
        thread_root=name,
        split="train",
        messages=[],
        responses=[[] for _ in range(sum(map(len, tiers)))],
        **{"outcome": "prefer", **fields},
        tiers=tiers,
        labeler=who,
    )


def test_rows_of_a_comparison_share_its_weight_and_the_outvoted_one_is_doubted():
    rows = [
        row("a", "ann", [[0], [1]]),
        row("a", "bob", [[0], [1]]),
        row("a", "eve", [[1], [0]]),
        row("b", "ann", [[0, 1]], outcome="tie"),
        row("c", "bob", [[2], [0], [1]]),
    ]
    found, reliability = believed(rows)
    assert [r.weight for r in found] == pytest.approx([1 / 3] * 3 + [1.0, 1.0])
    assert found[0].confidence == found[1].confidence == pytest.approx(1 - found[2].confidence)
    assert found[0].confidence > 0.95
    assert found[3].confidence == 1.0
    assert found[4].confidence == pytest.approx(reliability["bob"])


def believed_by(how: str, rows: list[ComparisonRow]) -> list[ComparisonRow]:
    if how == "dawid_skene":
        return believed(rows)[0]
    if how == "majority":
        by_task: dict[str, list[ComparisonRow]] = {}
        for one in rows:
            by_task.setdefault(one.comparison, []).append(one)
        kept = []
        for said in by_task.values():
            share = sum(one.tiers[0] == [0] for one in said) / len(said)
            kept.append(row(said[0].comparison, "", [[0], [1]]) if share > 0.5 else said[0])
        return kept
    return rows


def accuracy_of(how: str, rows: list[ComparisonRow], texts: torch.Tensor, taste: torch.Tensor):
    """Of a linear reward model, on 2,000 noiseless pairs it has not seen."""
    rows = believed_by(how, rows)
    labelers = "crowd_bt" if how == "crowd_bt" else "equal"
    config = RewardConfig(backbone="", members=0, centring=0.0, labelers=labelers)
    torch.manual_seed(0)
    objective, weight = Objective(rows, config), torch.zeros(texts.shape[-1], requires_grad=True)
    seen = texts[[int(one.comparison) for one in rows]].flatten(0, 1)
    optimiser = torch.optim.Adam([weight, *objective.parameters()], lr=0.05)
    terms = terms_of(rows, config, labelers=objective.labelers)
    for _ in range(150):
        optimiser.zero_grad()
        (preference_loss(seen @ weight, objective.levels, terms) / len(rows)).backward()
        optimiser.step()
    pairs = texts[-2000:]
    difference = pairs[:, 0] - pairs[:, 1]
    return (((difference @ weight) > 0) == ((difference @ taste) > 0)).float().mean().item()


def test_one_adversary_in_five_costs_less_than_two_points_with_either_correction():
    draw = np.random.default_rng(3)
    texts = torch.tensor(draw.normal(size=(4000, 2, 32)), dtype=torch.float32)
    taste = torch.tensor(draw.normal(size=32), dtype=torch.float32)
    better = ((texts[:, 0] - texts[:, 1]) @ taste > 0).tolist()
    order = {True: [[0], [1]], False: [[1], [0]]}
    honest, noisy = [], []
    for i in range(1500):
        for who in draw.choice(20, size=2 if i % 5 == 0 else 1, replace=False):
            sees = better[i] == (draw.random() < 0.9)
            honest.append(row(str(i), f"labeler {who}", order[sees]))
            noisy.append(row(str(i), f"labeler {who}", order[sees == (who % 5 != 0)]))
    clean = accuracy_of("equal", honest, texts, taste)
    found = {
        how: accuracy_of(how, noisy, texts, taste)
        for how in ("equal", "majority", "dawid_skene", "crowd_bt")
    }
    assert clean > 0.93
    assert found["dawid_skene"] > clean - 0.02
    assert found["crowd_bt"] > clean - 0.02
    corrected = min(found["dawid_skene"], found["crowd_bt"])
    assert max(found["equal"], found["majority"]) < corrected - 0.005
    assert found["majority"] < clean - 0.02
