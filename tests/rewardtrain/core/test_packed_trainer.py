import pytest
import torch

from rewardtrain.contract import ComparisonRow, RewardConfig
from rewardtrain.core.objective import Objective
from rewardtrain.core.packed_trainer import Learner, PackedRewardTrainer
from rewardtrain.core.packing import Budget
from rewardtrain.core.reward_fit import Fit, Steps, Texts
from rewardtrain.core.reward_model import start_reward_model
from rewardtrain.core.runlog import RunLog

CPU = torch.device("cpu")


def rows_of(count: int) -> list[ComparisonRow]:
    """The answer about the lamp is always preferred; some labelers weigh more than others."""
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
            weight=1.0 + i % 2,
        )
        for i in range(count)
    ]


@pytest.fixture
def make_trainer(tiny_policy, tmp_path):
    """A trainer of a fresh model on eight comparisons, in a run directory of its own."""

    def make(name: str, **options) -> PackedRewardTrainer:
        config = RewardConfig(
            backbone=tiny_policy, **{"batch_size": 8, "precision": "float32", **options}
        )
        rows = rows_of(8)
        torch.manual_seed(config.seed)
        reward = start_reward_model(tiny_policy, 128, CPU)
        objective = Objective(rows, config)
        reward.add_heads(objective.names)
        fit = Fit("fit", "final", list(range(len(rows))), [])
        directory = tmp_path / name
        directory.mkdir()
        (directory / "config.json").write_text('{"attempt": 1}')
        return PackedRewardTrainer(
            Learner(reward, objective),
            Steps(fit, rows, Texts(reward, rows), config),
            RunLog(directory, config),
            directory / "checkpoints",
        )

    return make


def losses(trainer: PackedRewardTrainer) -> list[float]:
    trainer.take_steps()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


def test_a_step_is_the_same_in_one_pass_or_in_many(make_trainer):
    one, many = make_trainer("one", epochs=3), make_trainer("many", epochs=3)
    many.budget = Budget(row=1, tokens=1)
    step = many.train_dataset[0]
    assert len(one.share(step)) == 1
    assert len(many.share(step)) == 8
    assert losses(one) == pytest.approx(losses(many), rel=1e-5)
    for ours, theirs in zip(
        one.learner.state_dict().values(), many.learner.state_dict().values(), strict=True
    ):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_a_fit_learns_what_is_always_preferred(make_trainer):
    trainer = make_trainer("run", epochs=20, learning_rate=5e-3, members=0)
    found = losses(trainer)
    assert found[-1] < 0.2 < found[0]
    assert trainer.right == 1.0
