"""What a policy run measures at each step, and what its guard makes of it.

The trainer asks for the rewards of a step's samples; on the way each is measured and shown, and
the guard takes the step in. guard.json says where it stands; when it stops the run, that file has
the reason and three samples that show it, and suspects.jsonl what people should look at.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from accelerate.utils import gather_object
from transformers import PreTrainedModel

from rewardtrain.contract import (
    GUARD,
    MODEL_SCORES,
    OFFLINE,
    PolicyConfig,
    SampleRow,
    SuspectRow,
    write_json,
)
from rewardtrain.core.guard import (
    NULL_SAMPLES,
    QUIET,
    Crossed,
    Guard,
    Level,
    levels_of,
    null_of,
    sentence,
)
from rewardtrain.core.kl_coefficient import adapted
from rewardtrain.core.metrics import repetition
from rewardtrain.core.policy import Measured, seed_of
from rewardtrain.core.proxy import Prompt, Proxy, Seen, step_values
from rewardtrain.core.runlog import RunLog

SHOWN = 8
"""Samples written each time, for people to read while it runs."""
EVIDENCE = 3
"""Samples that show why a run was stopped."""
SUSPECTS_EACH = 4
"""Samples held for exploits, of each way of being odd."""

ODD: dict[str, Callable[[Seen], float]] = {
    "kl": lambda s: s.measured.kl or 0.0,
    "surprise": lambda s: s.surprise / len(s.answer.tokens),
    "entropy": lambda s: s.measured.entropy,
    "repetition": lambda s: repetition(s.answer.tokens),
    "distinct": lambda s: -repetition(s.answer.tokens, size=2),
    "length": lambda s: float(len(s.answer.tokens)),
    "truncated": lambda s: float(s.answer.truncated),
    "flat": lambda s: s.reward,
    "gap": lambda s: s.gap,
    "spread": lambda s: s.watched.get("spread", 0.0),
    "slope": lambda s: s.measured.kl or 0.0,
}
"""What a single sample shows of a signal."""


def calibrated_guard(log: RunLog, proxy: Proxy, prompts: Sequence[Prompt]) -> Guard:
    """A guard with the run's levels, the proxy on the null's scales: measured by the first attempt,
    read by later ones."""
    path = log.directory / GUARD
    if not path.is_file():
        log.stage("measuring the reference")
        config: PolicyConfig = log.config
        seen = proxy.calibrate(draw_null(proxy, prompts, config))
        levels, noise = null_levels(seen, config)
        found = {name: asdict(level) for name, level in levels.items()}
        quiet = {"standing": QUIET, "stop": None, "kept": None}
        write_json(path, {**quiet, "scales": proxy.scales, "levels": found, "noise": noise})
    known = json.loads(path.read_text("utf-8"))
    proxy.scales = {name: (mean, spread) for name, (mean, spread) in known["scales"].items()}
    levels = {name: Level.read(level) for name, level in known["levels"].items()}
    return Guard(levels, known["noise"], looks_every(log.config))


def looks_every(config: PolicyConfig) -> int:
    """Steps from one look at what the policy writes to the next."""
    return config.sample_every if config.method in OFFLINE else 1


def draw_null(proxy: Proxy, prompts: Sequence[Prompt], config: PolicyConfig) -> list[Seen]:
    """NULL_SAMPLES samples of the reference or more, in steps as large as the run's."""
    group = config.samples_per_prompt
    steps = max(2, -(-NULL_SAMPLES // config.samples_per_step))
    groups = steps * config.samples_per_step // group
    asked = [prompts[i % len(prompts)] for i in range(groups) for _ in range(group)]
    return proxy.write_and_see(
        proxy.reference,
        asked,
        [seed_of("null", config.seed, i) for i in range(len(asked))],
        batch_size=config.batch_size,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
    )


def null_levels(seen: Sequence[Seen], config: PolicyConfig) -> tuple[dict[str, Level], float]:
    """The levels of a run and the noise of its proxy, from samples of its reference."""
    group = config.samples_per_prompt
    groups = [seen[i : i + group] for i in range(0, len(seen), group)]
    each_step = config.samples_per_step // group
    null = null_of(groups, each_step, lambda drawn: watched_values(drawn, group))
    # How far the reference's own samples lie from one another, in nats.
    null["kl"] = replace(null["kl"], unit=float(np.std([s.surprise for s in seen])))
    looks = -(-config.steps // looks_every(config))
    levels = levels_of(null, steps=looks, each_step=each_step, groups=len(groups))
    return levels, null["second" if "second" in null else "reward"].sd


def watched_values(seen: Sequence[Seen], group: int) -> dict[str, float]:
    """Of a step's values those that every step has."""
    return {name: value for name, value in step_values(seen, group).items() if name != "passed"}


class Meter:
    """The trainer's reward function, which also measures what it scores and asks the guard."""

    __name__ = "reward"

    def __init__(
        self,
        log: RunLog,
        proxy: Proxy,
        policy: PreTrainedModel,
        prompts: list[Prompt],
        guard: Guard,
    ) -> None:
        self.log, self.proxy, self.policy, self.prompts = log, proxy, policy, prompts
        self.guard = guard
        self.beta: float = log.config.beta
        """The KL coefficient of the next step."""
        self.values: dict[str, float] = {}
        self.measured: list[Measured] | None = None
        """The step's samples, where the trainer has measured them on its way."""

    def __call__(
        self, completion_ids: list[list[int]], place: list[int], trainer_state: Any, **_: Any
    ) -> list[float | None]:
        asked = [self.prompts[i] for i in place]
        seen = self.proxy.see(self.policy, asked, completion_ids, self.measured)
        self.measured = None
        step = trainer_state.global_step + 1
        everyone = gather_object(seen)
        self.take(step, everyone)
        if step == 1 or step % self.log.config.sample_every == 0:
            self.show(step, everyone)
        return [s.reward for s in seen]

    def take(self, step: int, seen: Sequence[Seen]) -> None:
        """Let the guard, and the KL coefficient where it adapts, take in a step's samples: those of
        all processes, so that all come to the same."""
        config: PolicyConfig = self.log.config
        values = step_values(seen, config.samples_per_prompt)
        before, stopped = self.guard.standing, self.guard.stop
        smooth = self.guard.observe(step, values)
        self.values = {**values, **{f"{name}_smooth": value for name, value in smooth.items()}}
        if config.target_kl is not None:
            self.values["beta"] = self.beta
            self.beta = adapted(self.beta, values["kl"], config.target_kl)
        if self.guard.stop and not stopped:
            write_stop(self.log, self.guard, seen)
        elif self.guard.standing != before:
            tell_guard(self.log, standing=self.guard.standing)

    def show(self, step: int, seen: Sequence[Seen]) -> None:
        """Write some samples, of as many prompts as there are."""
        group = self.log.config.samples_per_prompt
        spread = sorted(range(len(seen)), key=lambda i: (i % group, i))[:SHOWN]
        self.log.samples(
            SampleRow(
                prompt=seen[i].answer.prompt.row,
                index=i % group,
                text=seen[i].answer.text,
                tokens=len(seen[i].answer.tokens),
                truncated=seen[i].answer.truncated,
                logprob=seen[i].measured.logprob,
                kl=seen[i].measured.kl,
                reward=seen[i].reward,
                step=step,
                attempt=self.log.config.attempt,
            )
            for i in spread
        )


def tell_guard(log: RunLog, **changes: Any) -> dict[str, Any]:
    """Replace some of what guard.json says; where the guard stands, for the report."""
    path = log.directory / GUARD
    known = {**json.loads(path.read_text("utf-8")), **changes}
    if log.leads:
        write_json(path, known)
    return {name: known[name] for name in ("standing", "kept", "stop")}


def write_stop(log: RunLog, guard: Guard, seen: Sequence[Seen]) -> None:
    """Say why the run was stopped, with samples that show it, and name the suspects."""
    stop = guard.stop
    assert stop is not None
    told = {
        "step": stop.step,
        "since": stop.since,
        "sentence": sentence(stop),
        "signals": [crossed.signal for crossed in stop.crossed],
        "samples": [shown(s) for s in evidence(stop.crossed[0], seen)],
    }
    tell_guard(log, standing=guard.standing, stop=told)
    scales = json.loads((log.directory / GUARD).read_text("utf-8"))["scales"]
    unit = next((scales[name][1] for name in MODEL_SCORES if name in scales), 1.0)
    log.suspects(suspects(stop.step, seen, log.config.attempt, unit))


def evidence(crossed: Crossed, seen: Sequence[Seen]) -> list[Seen]:
    """The samples that show a signal most."""
    sign = 1 if crossed.value > crossed.level else -1
    return sorted(seen, key=lambda s: -sign * ODD[crossed.signal](s))[:EVIDENCE]


def shown(seen: Seen) -> dict[str, Any]:
    return {
        "prompt": seen.answer.prompt.messages[-1]["content"],
        "text": seen.answer.text,
        "tokens": len(seen.answer.tokens),
        "truncated": seen.answer.truncated,
        "reward": seen.reward,
        "kl": seen.measured.kl,
        "repetition": ODD["repetition"](seen),
    }


def suspects(step: int, seen: Sequence[Seen], attempt: int, unit: float = 1.0) -> list[SuspectRow]:
    """Of the half that earns most, the samples that are odd in one way or another; `unit` is the
    spread of the reward model's scores on the reference's samples."""
    best = sorted(seen, key=lambda s: -s.reward)[: len(seen) // 2]
    chosen: dict[tuple[int, str], SuspectRow] = {}
    for why in ("spread", "repetition", "kl", "length"):
        odd = [s for s in sorted(best, key=lambda s: -ODD[why](s)) if ODD[why](s) > 0]
        for s in odd[:SUSPECTS_EACH]:
            chosen.setdefault(
                (s.answer.prompt.row, s.answer.text),
                SuspectRow(
                    prompt=s.answer.prompt.row,
                    step=step,
                    text=s.answer.text,
                    reward=s.reward,
                    kl=ODD["kl"](s),
                    repetition=ODD["repetition"](s),
                    why=why,
                    tokens=len(s.answer.tokens),
                    spread=s.watched["spread"] / unit if "spread" in s.watched else None,
                    attempt=attempt,
                ),
            )
    return list(chosen.values())


def save_meter(meter: Meter, checkpoint: Path) -> None:
    write_json(checkpoint / GUARD, {**meter.guard.state(), "beta": meter.beta})


def resume_meter(meter: Meter, checkpoint: Path | None) -> None:
    """Take up what a checkpoint keeps of the guard and of the KL coefficient."""
    if checkpoint is not None:
        state = json.loads((checkpoint / GUARD).read_text("utf-8"))
        meter.guard.resume(state)
        meter.beta = state["beta"]
