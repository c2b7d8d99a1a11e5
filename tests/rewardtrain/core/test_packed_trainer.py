import shutil
from pathlib import Path

import pytest
import torch
from transformers import TrainerCallback

from rewardtrain.contract import ComparisonRow, ContractError, RewardConfig
from rewardtrain.core.objective import Objective
from rewardtrain.core.packed_trainer import Learner, PackedRewardTrainer, check_surroundings
from rewardtrain.core.packing import Budget
from rewardtrain.core.reward_fit import Fit, Steps, Texts
from rewardtrain.core.reward_model import start_reward_model
from rewardtrain.core.runlog import Cancelled, RunLog

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


def test_what_did_not_fit_before_is_not_tried_again(make_trainer):
    whole, first = (make_trainer(n, epochs=4, checkpoint_every=2) for n in ("whole", "first"))
    for trainer in (whole, first):
        trainer.budget = Budget(row=32, tokens=64)
    expected = losses(whole)
    folder = Path(first.args.output_dir)
    first.add_callback(StopAt(2))
    with pytest.raises(Cancelled):
        first.take_steps()
    second = make_trainer("second", epochs=4, checkpoint_every=2)
    shutil.copytree(folder, second.args.output_dir, dirs_exist_ok=True)
    assert losses(second) == expected
    assert second.budget == Budget(row=32, tokens=64)


class StopAt(TrainerCallback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args, state, control, **_):
        control.should_training_stop = state.global_step == self.step


def test_a_tracker_that_is_not_installed_is_named_before_anything_is_trained():
    with pytest.raises(ContractError, match=r"report_to = 'mlflow', and mlflow is not installed"):
        check_surroundings(RewardConfig(backbone="", report_to="mlflow"))


def test_a_launcher_that_shards_the_weights_is_refused(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(ContractError, match="--multi_gpu"):
        check_surroundings(RewardConfig(backbone=""))


def test_a_fit_learns_what_is_always_preferred(make_trainer):
    trainer = make_trainer("run", epochs=20, learning_rate=5e-3, members=0)
    found = losses(trainer)
    assert found[-1] < 0.2 < found[0]
    assert trainer.right == 1.0
