"""transformers' Trainer on packed rows: the chassis is its own, the step is ours.

An optimiser step's comparisons go through the model in passes of a token budget. The loss of each
is divided by the weights of the whole step before it goes backward, so that the gradient is that
of one large batch, however many passes and processes share it.
"""

import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainingArguments

from rewardtrain.contract import ContractError, RewardConfig, write_json
from rewardtrain.core.objective import Objective
from rewardtrain.core.packing import Budget, budget_of, layout_of
from rewardtrain.core.pretrained import multiplies_bf16
from rewardtrain.core.reward_fit import Part, Step, Steps, judge_rows
from rewardtrain.core.reward_model import RewardModel
from rewardtrain.core.runlog import Cancelled, RunLog, complete_checkpoint, newest_checkpoint

IN_WORDS = {
    "tree": "each prompt is computed once for its responses",
    "apart": "an encoder reads both ways, so prompts are not shared; unpadded only",
    "padded": "this model takes no mask of ours; padded, neighbours in length together",
}
BUDGET = "budget.json"
"""Of a checkpoint: the tokens of a pass that it was reached with."""
LEAST_TOKENS = 64
"""A pass of so few is not worth halving when memory runs out."""
WARM_UP = 0.1
"""Share of a fit's steps over which the learning rate rises; then it falls to 0."""


class Learner(nn.Module):
    """All that an optimiser moves in a fit: the model, its heads, and what the objective learns."""

    def __init__(self, reward: RewardModel, objective: Objective) -> None:
        super().__init__()
        self.reward = reward
        wanted = objective.config.precision == "auto"
        self.bf16 = wanted and multiplies_bf16(reward.device)
        self.model, self.heads, self.objective = reward.model, reward.heads, objective

    def forward(self, part: Part) -> tuple[torch.Tensor, torch.Tensor]:
        """The summed loss of a part, scalar, and its comparisons' raw scores (R,)."""
        scores = self.reward.all_rewards(part.packed, bf16=self.bf16)
        scores = scores[part.place.to(scores.device)]
        return self.objective.loss(scores, part.rows), scores[:, 0].detach()


class PackedRewardTrainer(Trainer):
    """Fits a Learner to Steps and tells the run's log, whose steps it counts from `offset`."""

    optimizer: torch.optim.Optimizer | None

    def __init__(
        self, learner: Learner, steps: Steps, run: RunLog, folder: Path, offset: int = 0
    ) -> None:
        self.learner, self.run, self.offset = learner, run, offset
        self.config: RewardConfig = run.config
        self.budget, self.layout = budget_of(learner.model), layout_of(learner.model)
        self.right: float | None = None
        """Share of the last step's decided comparisons that were in order before it."""
        super().__init__(
            model=learner, args=arguments_of(run.config, learner, folder), train_dataset=steps
        )
        self.remove_callback(PrinterCallback)

    def take_steps(self) -> None:
        """Every step, from the newest complete checkpoint if there is one.

        Raises:
            Cancelled: somebody asked the run to stop; a checkpoint was kept at the step.
            FloatingPointError: a gradient is not a number; the text names the comparisons.
        """
        products = "bf16" if self.learner.bf16 else "float32"
        self.run.say(
            f"{IN_WORDS[self.layout]}; {self.budget.tokens} tokens a pass, products in {products}"
        )
        checkpoint, step = newest_checkpoint(Path(self.args.output_dir))
        if checkpoint:
            # What did not fit before would not fit now.
            self.budget = Budget(**json.loads((checkpoint / BUDGET).read_text("utf-8")))
        if checkpoint and step == len(self.train_dataset):
            # Resuming here would take one step too many.
            self._load_from_checkpoint(str(checkpoint))
            return
        self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if self.state.global_step < len(self.train_dataset):
            raise Cancelled

    # -- what the chassis asks for ----------------------------------------------------------

    def get_train_dataloader(self) -> DataLoader:
        """Whole steps in order: each process takes its share of a step's passes by itself."""
        return DataLoader(
            self.train_dataset, batch_size=1, collate_fn=lambda steps: {"step": steps[0]}
        )

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            self.optimizer = torch.optim.AdamW(
                self.learner.objective.parameter_groups(self.learner.reward),
                weight_decay=self.config.weight_decay,
                fused=True,
            )
        return self.optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LambdaLR:
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.create_optimizer(),
            rise_and_fall(num_training_steps),
        )
        return self.lr_scheduler

    # -- the step ---------------------------------------------------------------------------

    def training_step(
        self, model: nn.Module, inputs: dict[str, Step], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Forward and backward of one optimiser step; this process's part of its loss, scalar."""
        model.train()
        self.at_work = inputs["step"]
        while True:
            try:
                return self.learn(model, self.at_work)
            except RuntimeError as error:
                if not is_out_of_memory(error) or not self.can_halve():
                    raise
            # Out of the handler, which holds what the failed pass had allocated.
            self.halve(model)

    def learn(self, model: nn.Module, step: Step) -> torch.Tensor:
        # Each step seeds its own dropout, so that a resumed run draws the same.
        torch.manual_seed(self.config.seed + self.state.global_step)
        share = self.share(step)
        # Processes average their gradients, and the step's is their sum.
        whole = self.learner.objective.weight(step.rows) / self.accelerator.num_processes
        total = torch.zeros((), device=self.args.device)
        judged = []
        for number, (part, counts) in enumerate(share, 1):
            waiting = self.accelerator.no_sync(model) if number < len(share) else nullcontext()
            with waiting:
                loss, scores = model(part)
                loss = loss * counts / whole
                self.accelerator.backward(loss)
            total += loss.detach()
            judged += judge_rows(part.rows, scores.tolist()) if counts else []
        self.agree(sum(j.accuracy for j in judged), len(judged))
        return total

    def can_halve(self) -> bool:
        """Alone only: other processes would wait for the one that starts its step again."""
        return self.accelerator.num_processes == 1 and self.budget.tokens > LEAST_TOKENS

    def halve(self, model: nn.Module) -> None:
        """Start the step again in passes of half as many tokens, and keep to them."""
        self.budget = self.budget.halved()
        model.zero_grad()
        if self.args.device.type == "cuda":
            torch.cuda.empty_cache()
        self.run.say(
            f"out of memory; going on with {self.budget.tokens} tokens a pass in rows of "
            f"{self.budget.row}"
        )

    def share(self, step: Step) -> list[tuple[Part, float]]:
        """This process's passes of a step, each with 1, or 0 for one that only keeps step with the
        other processes: all run as many, since some exchange weights in each."""
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        parts = step.parts(self.budget, self.layout)
        mine = [(part, 1.0) for part in parts[rank::world]]
        return mine if len(mine) == -(-len(parts) // world) else [*mine, (parts[0], 0.0)]

    def agree(self, right: float, judged: int) -> None:
        """What all processes saw of the step, and whether any was asked to stop."""
        seen = torch.tensor([right, judged, float(self.run.cancelled)], device=self.args.device)
        right, judged, stop = self.accelerator.reduce(seen).tolist()
        self.right = right / judged if judged else None
        if stop:
            self.control.should_save = self.control.should_training_stop = True

    def _clip_grad_norm(self, model: nn.Module) -> torch.Tensor:
        norm = super()._clip_grad_norm(model)
        if not torch.isfinite(norm):
            names = ", ".join(row.comparison for row in self.at_work.rows)
            raise FloatingPointError(
                f"The gradient became {float(norm)} at step "
                f"{self.offset + self.state.global_step + 1}, made by the comparisons {names}; "
                "lower learning_rate and try again."
            )
        return norm

    # -- what is told -----------------------------------------------------------------------

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        if "loss" in logs:
            past = self.state.log_history
            logs["accuracy"] = blend(past[-1]["accuracy"] if past else None, self.right)
        super().log(logs, start_time)
        if "loss" in logs:
            told = {name: logs[name] for name in ("loss", "accuracy", "learning_rate", "grad_norm")}
            self.run.metrics(self.offset + self.state.global_step, **told)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        self.run.check_fence()
        super()._save_checkpoint(model, trial)
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        self.accelerator.wait_for_everyone()
        self.run.check_fence()
        if self.args.should_save:
            write_json(folder / BUDGET, self.budget)
            complete_checkpoint(folder)
            # Only now: killed in between, the run still has a complete one.
            for older in folder.parent.glob("checkpoint-*"):
                if older != folder:
                    shutil.rmtree(older)


def check_surroundings(config: RewardConfig) -> None:
    """See that what the run asks of its surroundings is there, before hours are spent.

    Raises:
        ContractError: a tracker is not installed, or a launcher shards the weights.
    """
    name = config.report_to
    if name != "none" and importlib.util.find_spec(name) is None:
        raise ContractError(
            f"report_to = {name!r}, and {name} is not installed; install it "
            f"(.venv/bin/pip install {name}), or use report_to = 'none'."
        )
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        raise ContractError(
            "Reward training does not shard a model over devices (FSDP); launch it with "
            "--multi_gpu, which keeps the whole model on each."
        )


def rise_and_fall(steps: int) -> Callable[[int], float]:
    """The share of the learning rate at each of a fit's steps."""
    warm = max(1, round(WARM_UP * steps))
    return lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))


def is_out_of_memory(error: RuntimeError) -> bool:
    """A GPU's or a CPU's: torch has a class for the first only."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def bytes_on_disk(learner: Learner) -> int:
    """What a fit needs at most: two checkpoints (weights and Adam's two moments) while the newer
    replaces the older, and the model."""
    weights = sum(p.numel() * p.element_size() for p in learner.parameters())
    return 2 * 3 * weights + weights


def blend(running: float | None, value: float | None) -> float | None:
    """An exponential mean over about ten steps."""
    if value is None or running is None:
        return running if value is None else value
    return 0.9 * running + 0.1 * value


def arguments_of(config: RewardConfig, learner: Learner, folder: Path) -> TrainingArguments:
    """The chassis's settings."""
    on_gpu = learner.reward.device.type == "cuda"
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=1,
        max_grad_norm=1.0,
        seed=config.seed,
        use_cpu=not on_gpu,
        dataloader_pin_memory=False,
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        logging_steps=1,
        # Otherwise a NaN loss would be shown as the mean of those before it.
        logging_nan_inf_filter=False,
        report_to=config.report_to,
        disable_tqdm=True,
    )
