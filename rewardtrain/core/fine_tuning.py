"""The way of a policy run: its steps, where it is stopped, and back to what is kept."""

import time
from typing import Any

from accelerate import PartialState
from accelerate.utils import gather_object
from transformers import PreTrainedModel, TrainerCallback

from rewardtrain.contract import PolicyConfig
from rewardtrain.core.guard import Guard
from rewardtrain.core.meter import Meter, resume_meter, save_meter, tell_guard
from rewardtrain.core.policy import load_policy
from rewardtrain.core.runlog import (
    Cancelled,
    RunLog,
    complete_checkpoint,
    complete_checkpoints,
    newest_checkpoint,
)


def take_steps(trainer: Any, meter: Meter) -> None:
    """Train to the last step or to where the guard stops, from the newest complete checkpoint if
    there is one.

    Raises:
        Cancelled: after a checkpoint at the current step.
    """
    log, guard = meter.log, meter.guard
    trainer.add_callback(Teller(trainer, meter))
    checkpoint, step = newest_checkpoint(log.checkpoints_dir)
    resume_meter(meter, checkpoint)
    log.stage("training")
    if checkpoint and (step >= log.config.steps or stopped(log, guard)):
        # Resuming here would take one step too many.
        trainer._load_from_checkpoint(str(checkpoint))
        return
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if trainer.state.global_step < log.config.steps and not stopped(log, guard):
        raise Cancelled


def stopped(log: RunLog, guard: Guard) -> bool:
    """Whether the guard has ended the run."""
    return log.config.guard == "stop" and guard.stop is not None


def roll_back(trainer: Any, policy: PreTrainedModel, meter: Meter) -> dict[str, Any]:
    """After a stop, take up the weights of the last clean checkpoint; what the report says of it.

    Clean is a checkpoint whose own samples came before the first of the warnings that led to the
    stop. Where there is none yet, the policy is the one that the run started from.
    """
    log, guard = meter.log, meter.guard
    if not stopped(log, guard):
        return tell_guard(log, standing=guard.standing, kept=log.config.steps)
    assert guard.stop is not None
    clean = [
        step for step in complete_checkpoints(log.checkpoints_dir) if step + 1 < guard.stop.since
    ]
    kept = max(clean, default=0)
    log.stage(f"going back to step {kept}")
    if kept:
        trainer._load_from_checkpoint(str(log.checkpoints_dir / f"checkpoint-{kept}"))
    else:
        start_over(policy, log.config)
    return tell_guard(log, standing=guard.standing, kept=kept)


def start_over(policy: PreTrainedModel, config: PolicyConfig) -> None:
    """Give the policy the weights it started from."""
    if config.lora:
        # An adapter whose second factor is 0 changes nothing.
        for name, weights in policy.named_parameters():
            if "lora_B" in name:
                weights.data.zero_()
        return
    start, _ = load_policy(config.policy, "policy", policy.device)
    policy.load_state_dict(start.state_dict())


class Teller(TrainerCallback):
    """Tells the run's log what the trainer does, and the trainer when to stop and how far the
    policy may go."""

    def __init__(self, trainer: Any, meter: Meter) -> None:
        self.trainer, self.meter, self.log = trainer, meter, meter.log
        self.last = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.last = time.monotonic()
        if self.log.config.target_kl is not None:
            self.trainer.beta = self.meter.beta

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # Whichever process was asked: all must end at one step.
        if any(gather_object([self.log.cancelled])):
            control.should_save = control.should_training_stop = True
        if stopped(self.log, self.meter.guard):
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        self.log.metrics(
            state.global_step,
            **self.meter.values,
            **{name: logs[name] for name in ("loss", "grad_norm", "learning_rate")},
            seconds=time.monotonic() - self.last,
        )

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        PartialState().wait_for_everyone()
        if self.log.leads:
            checkpoint = self.log.checkpoints_dir / f"checkpoint-{state.global_step}"
            save_meter(self.meter, checkpoint)
            complete_checkpoint(checkpoint)
