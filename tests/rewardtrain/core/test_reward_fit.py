from dataclasses import replace

import torch

from rewardtrain.contract import ComparisonRow, RewardConfig
from rewardtrain.core import reward_fit
from rewardtrain.core.packing import Budget
from rewardtrain.core.reward_fit import Fit, Step, Texts, merge
from rewardtrain.core.reward_model import start_reward_model

CPU = torch.device("cpu")


def rows_of(count: int) -> list[ComparisonRow]:
    """The answer about the lamp is always preferred."""
    return [
        ComparisonRow(
            comparison=str(i),
            thread_root=str(i),
            split="train",
            messages=[{"role": "user", "content": f"Tell a tale of {i} foxes."}],
            responses=[
                [{"role": "assistant", "content": "They found a red lamp. " * (1 + i % 3)}],
                [{"role": "assistant", "content": "They lost a blue cup. " * (1 + i % 2)}],
            ],
            outcome="prefer",
            tiers=[[0], [1]],
        )
        for i in range(count)
    ]


def texts_of(tiny_policy: str, rows: list[ComparisonRow]) -> Texts:
    return Texts(start_reward_model(tiny_policy, 128, CPU), rows)


def test_the_parts_of_a_step_hold_every_comparison_once_with_its_own_scores(tiny_policy):
    rows = rows_of(20)
    texts = texts_of(tiny_policy, rows)
    step = Step(rows, texts.of_row)
    parts = step.parts(Budget(row=64, tokens=128), "tree")
    assert len(parts) > 1
    assert sorted(row.comparison for part in parts for row in part.rows) == sorted(
        row.comparison for row in rows
    )
    for part in parts:
        packed = part.packed
        wanted = [ids for row in part.rows for ids in texts.of_row[int(row.comparison)]]
        last = packed.ids[packed.row, packed.at][part.place]
        assert last.tolist() == [ids[-1] for ids in wanted]


def test_comparisons_of_one_prompt_share_it_and_what_is_equal_is_computed_once():
    ask = [{"role": "user", "content": "?"}]
    one, other = replace(rows_of(1)[0], messages=ask), replace(rows_of(1)[0], messages=ask)
    groups, members = merge([one, other], [[[1, 2, 3], [1, 2, 4]], [[1, 2, 4], [1, 2, 5]]])
    assert groups == [[(1, 2, 3), (1, 2, 4), (1, 2, 5)]]
    assert members == [[(0, [0, 1]), (1, [1, 2])]]
    (part,) = Step([one, other], [[[1, 2, 3], [1, 2, 4]], [[1, 2, 4], [1, 2, 5]]]).parts(
        Budget(64, 64), "tree"
    )
    assert part.packed.ids.tolist() == [[1, 2, 3, 4, 5]]
    assert part.place.tolist() == [0, 1, 1, 2]


def test_epochs_differ_and_the_seed_decides(tiny_policy):
    rows = rows_of(20)
    config = RewardConfig(backbone=tiny_policy, epochs=2, batch_size=4)
    texts = texts_of(tiny_policy, rows)
    fit = Fit("all", "final", list(range(20)), [])
    batches = list(reward_fit.batches_of(fit, texts, config))
    assert len(batches) == fit.steps(config) == 10
    assert batches == list(reward_fit.batches_of(fit, texts, config))
    assert batches[:5] != batches[5:]
    assert batches != list(reward_fit.batches_of(replace(fit, name="other"), texts, config))
