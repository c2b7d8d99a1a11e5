from dataclasses import replace

import pytest
import torch

from rewardtrain.contract import ComparisonRow, RewardConfig
from rewardtrain.core import reward_fit
from rewardtrain.core.reward_fit import Fit, Fitting, Progress, Texts, passes, read_progress

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


def test_passes_hold_every_comparison_once_within_their_budget():
    sequences = [[[0] * (5 + i), [0] * 4] for i in range(20)]
    groups = passes(sequences, 100)
    assert sorted(i for group in groups for i in group) == list(range(20))
    for group in groups:
        width = max(len(ids) for i in group for ids in sequences[i])
        assert width * 2 * len(group) <= 100
    assert passes([[[0] * 500, [0]]], 100) == [[0]]


def test_a_step_is_the_same_in_one_pass_or_in_many(tiny_policy, monkeypatch):
    rows = rows_of(8)
    config = RewardConfig(backbone=tiny_policy, batch_size=8)
    losses, weights = [], []
    for budget in (10**6, 1):
        monkeypatch.setitem(reward_fit.TOKENS_A_PASS, "cpu", budget)
        fitting = Fitting(config, rows, 4, CPU)
        texts = Texts(fitting.reward, rows)
        losses.append([fitting.step(rows, texts.of_row)[0] for _ in range(2)])
        weights.append(fitting.reward.model.score.weight.detach())
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert torch.allclose(weights[0], weights[1], atol=1e-4)


def test_a_fit_learns_what_is_always_preferred(tiny_policy):
    rows = rows_of(8)
    fitting = Fitting(RewardConfig(backbone=tiny_policy, learning_rate=5e-3), rows, 20, CPU)
    texts = Texts(fitting.reward, rows)
    steps = [fitting.step(rows, texts.of_row) for _ in range(20)]
    assert steps[-1][0] < 0.2 < steps[0][0]
    assert steps[-1][1] == 1.0


def test_a_checkpoint_brings_back_weights_optimiser_and_progress(tiny_policy, tmp_path):
    rows = rows_of(6)
    config = RewardConfig(backbone=tiny_policy, learning_rate=5e-3)
    first = Fitting(config, rows, 10, CPU)
    texts = Texts(first.reward, rows)
    for _ in range(3):
        first.step(rows, texts.of_row)
    first.save(tmp_path / "checkpoint-3", Progress(fit=1, done=3, step=7, accuracy=0.5))
    second = Fitting(config, rows, 10, CPU)
    second.load(tmp_path / "checkpoint-3")
    assert read_progress(tmp_path / "checkpoint-3") == Progress(1, 3, 7, 0.5)
    for fitting in (first, second):
        fitting.step(rows, texts.of_row)
    for ours, theirs in zip(first.parameters, second.parameters, strict=True):
        assert torch.equal(ours, theirs)


def test_epochs_differ_and_the_seed_decides(tiny_policy):
    rows = rows_of(20)
    config = RewardConfig(backbone=tiny_policy, epochs=2, batch_size=4)
    texts = Texts(Fitting(config, rows, 1, CPU).reward, rows)
    fit = Fit("all", list(range(20)), [])
    batches = list(reward_fit.batches_of(fit, texts, config))
    assert len(batches) == fit.steps(config) == 10
    assert batches == list(reward_fit.batches_of(fit, texts, config))
    assert batches[:5] != batches[5:]
    assert batches != list(reward_fit.batches_of(replace(fit, name="other"), texts, config))
