"""Notice that a policy fools its reward, and stop.

What a run may look like is calibrated on the null: samples of the reference, drawn in steps as
large as the run's. Each signal is smoothed and has a level at which it warns and one at which it
stops the run; two warnings of different kinds that hold stop it too. A level lies beyond what
chance does to a run of so many steps (all signals and steps together stop a run that stays at its
reference with a probability below FALSE_STOPS) and beyond what honest learning was seen to do
(SIGNALS; docs/training.md tells how its margins were found).

Pure: no model is needed. A guard is what its levels and the values it has seen make of it, so a
checkpoint holds its `state` and a resumed run decides as the whole one would have.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.stats import t as student

QUIET, WARNING, STOP = "quiet", "warning", "stopped"

NULL_SAMPLES = 256
"""At least so many samples of the reference say what chance alone does."""
RESAMPLED = 400
"""Steps drawn from them."""
SMOOTHING = 0.3
"""Weight of the newest step in a signal's exponential mean."""
DELAY = 2
"""Steps by which such a mean is late: (1 - SMOOTHING) / SMOOTHING."""
FALSE_STOPS = 0.005
"""Probability that chance alone crosses any stop level in a run."""
FALSE_WARNINGS = 0.05
"""The same of any warning level; a lone warning stops nothing."""
HOLD = 3
"""Steps that two warnings of different kinds must last together to stop a run."""


@dataclass(frozen=True)
class Signal:
    """What is watched, what it is a sign of, and how far honest learning may move it.

    `kind` is distance, proxy, language, shape or teaching: warnings of one kind are one warning.
    Margins are (warning, stop), from the null's mean upwards and downwards, in units of that mean
    or, where `relative` is false, of the signal itself; None: that way is no danger.
    """

    kind: str
    rises: tuple[float, float] | None = None
    falls: tuple[float, float] | None = None
    relative: bool = True


SIGNALS = {
    "kl": Signal("distance", rises=(8.0, 50.0)),
    "surprise": Signal("distance", rises=(3.0, 6.0)),
    "entropy": Signal("distance", rises=(0.4, 0.7), falls=(0.5, 0.8)),
    "repetition": Signal("language", rises=(0.04, 0.10), relative=False),
    "distinct": Signal("language", falls=(0.45, 0.7)),
    "length": Signal("shape", rises=(0.5, 1.0), falls=(0.4, 0.7)),
    "truncated": Signal("shape", rises=(0.2, 0.5), relative=False),
    "flat": Signal("teaching", rises=(0.4, 0.8), relative=False),
    "gap": Signal("proxy", rises=(0.5, 1.0), relative=False),
    "spread": Signal("proxy", rises=(0.75, 2.0)),
    "slope": Signal("proxy"),
}
WINDOW = 6
"""Steps of each of the two neighbouring windows between which the slope is taken."""
LEAST_WAY = 0.02
"""Share of sqrt(KL) between the windows below which a slope says nothing."""
FLATTENS = 0.15
"""A slope below this share of the run's steepest warns; it stops nothing alone."""


@dataclass(frozen=True)
class Null:
    """A step's value when the policy is the reference: mean and standard deviation, and the unit
    of a relative margin where it is not the mean."""

    mean: float
    sd: float
    unit: float | None = None


def null_of(
    groups: Sequence[Sequence[Any]],
    each_step: int,
    values: Callable[[list[Any]], dict[str, float]],
    seed: int = 0,
) -> dict[str, Null]:
    """What chance does to each value of a step of `each_step` groups, by drawing such steps from
    the reference's `groups` of samples, without replacement within a step."""
    draw = random.Random(seed)
    steps = [
        values([sample for group in draw.sample(list(groups), each_step) for sample in group])
        for _ in range(RESAMPLED)
    ]
    # Steps drawn from one finite pool are more alike than steps of fresh samples.
    alike = (1 - each_step / len(groups)) ** -0.5
    return {
        name: Null(
            float(np.mean([step[name] for step in steps])),
            float(np.std([step[name] for step in steps])) * alike,
        )
        for name in steps[0]
    }


@dataclass(frozen=True)
class Level:
    """Where a signal warns and stops, low and high; None where that way is no danger."""

    null: float
    warning: tuple[float | None, float | None]
    stop: tuple[float | None, float | None]

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Level":
        """A level as JSON has it."""
        return cls(values["null"], tuple(values["warning"]), tuple(values["stop"]))

    def of(self, value: float) -> str:
        """quiet, warning or stop."""
        for word, (low, high) in ((STOP, self.stop), (WARNING, self.warning)):
            if (low is not None and value < low) or (high is not None and value > high):
                return word
        return QUIET


def levels_of(
    null: Mapping[str, Null], *, steps: int, each_step: int, groups: int
) -> dict[str, Level]:
    """The levels of a run of `steps` steps of `each_step` groups, from the null of `groups`."""
    watched = {name: signal for name, signal in SIGNALS.items() if name in null}
    ways = steps * sum((s.rises is not None) + (s.falls is not None) for s in watched.values())
    # What chance does to a smoothed step, and did to the null's mean, in spreads of a step.
    share = (SMOOTHING / (2 - SMOOTHING) + each_step / groups) ** 0.5
    chance = [share * student.isf(p / ways, groups - 1) for p in (FALSE_WARNINGS, FALSE_STOPS)]
    levels = {}
    for name, signal in watched.items():
        at = null[name]
        unit = (at.unit or abs(at.mean)) if signal.relative else 1.0
        low, high = (
            [
                None if margins is None else at.mean + sign * max(margin * unit, far * at.sd)
                for margin, far in zip(margins or (0.0, 0.0), chance, strict=True)
            ]
            for sign, margins in ((-1, signal.falls), (1, signal.rises))
        )
        levels[name] = Level(at.mean, (low[0], high[0]), (low[1], high[1]))
    return {**levels, "slope": Level(1.0, (FLATTENS, None), (None, None))}


@dataclass(frozen=True)
class Crossed:
    """A signal beyond a level: its smoothed value, the level, and the null's mean."""

    signal: str
    value: float
    level: float
    null: float


@dataclass(frozen=True)
class Stop:
    """Why and at which step a run was stopped."""

    step: int
    by: str
    """"stop" for one stop level, "warnings" for two of different kinds that held."""
    since: int
    """The first step that is not clean: where the crossing began, less what smoothing delays. A
    warning that stood alone before does not count."""
    crossed: list[Crossed]


@dataclass
class Guard:
    """Smooths what each step shows, and says where the run stands."""

    levels: dict[str, Level]
    noise: float
    """Standard deviation of a step's proxy reward under the null."""
    every: int = 1
    """Steps from one look to the next: DELAY and HOLD count looks."""
    smooth: dict[str, float] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    """The standing warnings, each with the step at which it began."""
    together: int | None = None
    """The step since which warnings of two kinds have stood together."""
    path: list[tuple[float, float]] = field(default_factory=list)
    """(sqrt of the smoothed KL, proxy) of the last two windows; the proxy is the second opinion
    where there is one."""
    steepest: float = 0.0
    """The steepest slope yet, less its standard error."""
    stop: Stop | None = None

    @property
    def standing(self) -> str:
        if self.stop:
            return STOP
        return WARNING if self.warnings else QUIET

    def observe(self, step: int, values: Mapping[str, float]) -> dict[str, float]:
        """Take in a step's values; the signals, smoothed."""
        for name in ("reward", *self.levels):
            if name in values:
                start = self.levels[name].null if name in self.levels else 0.0
                before = self.smooth.get(name, start)
                self.smooth[name] = before + SMOOTHING * (values[name] - before)
        self._take_slope(values.get("second", values["reward"]))
        words = {
            name: level.of(self.smooth[name])
            for name, level in self.levels.items()
            if name in self.smooth
        }
        self.warnings = {
            name: self.warnings.get(name, step) for name, word in words.items() if word != QUIET
        }
        if len({SIGNALS[name].kind for name in self.warnings}) < 2:
            self.together = None
        elif self.together is None:
            self.together = step
        stopped = [name for name, word in words.items() if word == STOP]
        if self.stop:
            return self.smooth
        if stopped:
            crossed = [self._crossed(name, STOP) for name in stopped]
            self.stop = Stop(step, "stop", step - DELAY * self.every, crossed)
        elif self.together is not None and step - self.together >= (HOLD - 1) * self.every:
            crossed = [self._crossed(name, WARNING) for name in self.warnings]
            self.stop = Stop(step, "warnings", self.together - DELAY * self.every, crossed)
        return self.smooth

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it, in JSON."""
        state = asdict(self)
        return {name: state[name] for name in state if name not in ("levels", "noise", "every")}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Take up the `state` of a checkpoint."""
        self.smooth, self.warnings = dict(state["smooth"]), dict(state["warnings"])
        self.together, self.steepest = state["together"], state["steepest"]
        self.path = [(distance, reward) for distance, reward in state["path"]]
        stop = state["stop"]
        self.stop = stop and Stop(
            stop["step"],
            stop["by"],
            stop["since"],
            [Crossed(**crossed) for crossed in stop["crossed"]],
        )

    def _take_slope(self, proxy: float) -> None:
        """The slope of the proxy against sqrt(KL), as a share of the steepest yet: the most that
        it may be within a standard error, so that noise does not pass for a plateau."""
        self.path = [*self.path, (self.smooth["kl"] ** 0.5, proxy)][-2 * WINDOW :]
        if len(self.path) < 2 * WINDOW:
            return
        (far, high), (near, low) = (
            [sum(column) / WINDOW for column in zip(*part, strict=True)]
            for part in (self.path[WINDOW:], self.path[:WINDOW])
        )
        way = far - near
        error = self.noise * (2 / WINDOW) ** 0.5
        if way > LEAST_WAY * far:
            self.steepest = max(self.steepest, (high - low - error) / way)
            if self.steepest > 0:
                self.smooth["slope"] = (high - low + error) / way / self.steepest

    def _crossed(self, name: str, word: str) -> Crossed:
        level, value = self.levels[name], self.smooth[name]
        low, high = level.stop if word == STOP else level.warning
        beyond = high if high is not None and value > high else low
        assert beyond is not None
        return Crossed(name, value, beyond, level.null)


WORDS = {
    "kl": ("the KL to the reference", "{:.1f} nats"),
    "surprise": ("the reference's surprise", "{:.2f} nats a token"),
    "entropy": ("entropy", "{:.2f} nats a token"),
    "repetition": ("repetition", "{:.1%}"),
    "distinct": ("the share of distinct pairs of words", "{:.1%}"),
    "length": ("length", "{:.0f} tokens"),
    "truncated": ("the share cut off", "{:.0%}"),
    "flat": ("the share of prompts whose samples all earn the same", "{:.0%}"),
    "gap": ("the proxy's lead over the second opinion", "{:.2f} spreads"),
    "spread": ("the ensemble's spread", "{:.2f} of raw score"),
    "slope": ("the gain of reward for distance", "{:.0%} of its best"),
}
"""How a sentence names a signal and says its value."""


def sentence(stop: Stop) -> str:
    """Which levels were crossed, and where."""
    said = []
    for crossed in stop.crossed:
        name, number = WORDS[crossed.signal]
        way = "above" if crossed.value > crossed.level else "below"
        value, level, null = (
            number.format(x) for x in (crossed.value, crossed.level, crossed.null)
        )
        said.append(f"{name} was {value}, {way} {level} (the reference's own: {null})")
    words = " and ".join(said)
    why = "" if stop.by == "stop" else f" after {HOLD} steps with warnings of different kinds"
    return f"Stopped at step {stop.step}{why}: {words}."
