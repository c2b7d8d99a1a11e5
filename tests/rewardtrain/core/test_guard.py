import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rewardtrain.core.guard import (
    DELAY,
    HOLD,
    QUIET,
    SIGNALS,
    STOP,
    WARNING,
    WORDS,
    Guard,
    Null,
    Stop,
    levels_of,
    null_of,
    sentence,
)

GROUPS, EACH_STEP, GROUP, STEPS = 64, 8, 4, 60
"""A null of 256 samples for a run of 60 steps of 32 samples."""


def calm(**values: float) -> dict[str, float]:
    return {"reward": 0.0, "kl": 0.0, "entropy": 1.0, "repetition": 0.0, "length": 50.0} | values


def guard() -> Guard:
    """Levels far enough from the null's mean to be seen apart."""
    null = {
        "kl": Null(0.0, 0.0, unit=4.0),
        "entropy": Null(1.0, 0.01),
        "repetition": Null(0.0, 0.001),
        "length": Null(50.0, 1.0),
    }
    levels = levels_of(null, steps=STEPS, each_step=EACH_STEP, groups=GROUPS)
    return Guard(levels, noise=0.1)


def feed(watch: Guard, first: int, count: int, **values: float) -> int:
    """Show `count` steps alike; the next step."""
    for step in range(first, first + count):
        watch.observe(step, calm(**values))
    return first + count


def beyond(watch: Guard, signal: str, word: str) -> float:
    """A value of the signal that lies a little beyond its upper level."""
    level = watch.levels[signal]
    high = (level.stop if word == STOP else level.warning)[1]
    return high + 0.02 * (high - level.null)


def test_a_calm_run_is_quiet():
    watch = guard()
    feed(watch, 1, 100)
    assert watch.standing == QUIET
    assert watch.stop is None


@pytest.mark.parametrize("signal", ["kl", "entropy", "repetition", "length"])
def test_one_signal_beyond_its_stop_level_stops_the_run(signal):
    watch = guard()
    following = feed(watch, 1, 5)
    feed(watch, following, 60, **{signal: beyond(watch, signal, STOP)})
    assert watch.stop is not None
    assert watch.stop.by == "stop"
    assert [crossed.signal for crossed in watch.stop.crossed] == [signal]
    assert watch.stop.since == watch.stop.step - DELAY
    assert watch.standing == STOP
    said = sentence(watch.stop)
    assert said.startswith(f"Stopped at step {watch.stop.step}: {WORDS[signal][0]} was ")
    assert ", above " in said


def test_a_lone_warning_never_stops_a_run():
    watch = guard()
    feed(watch, 1, 300, kl=beyond(watch, "kl", WARNING))
    assert watch.standing == WARNING
    assert watch.warnings.keys() == {"kl"}


def test_two_warnings_of_one_kind_are_one():
    assert SIGNALS["entropy"].kind == SIGNALS["kl"].kind
    watch = guard()
    values = {name: beyond(watch, name, WARNING) for name in ("entropy", "kl")}
    feed(watch, 1, 300, **values)
    assert watch.warnings.keys() == values.keys()
    assert watch.stop is None


def test_two_warnings_of_different_kinds_stop_once_they_have_held():
    watch = guard()
    values = {name: beyond(watch, name, WARNING) for name in ("kl", "repetition")}
    step = 1
    while len(watch.warnings) < 2:
        step = feed(watch, step, 1, **values)
    assert watch.together == step - 1
    feed(watch, step, HOLD - 2, **values)
    assert watch.stop is None
    feed(watch, step + HOLD - 2, 1, **values)
    assert watch.stop is not None
    assert watch.stop.step == watch.together + HOLD - 1
    assert watch.stop.since == watch.together - DELAY
    assert {crossed.signal for crossed in watch.stop.crossed} == values.keys()
    assert "with warnings of different kinds" in sentence(watch.stop)


def test_warnings_that_pass_begin_anew():
    watch = guard()
    values = {name: 3 * beyond(watch, name, WARNING) / 2 for name in ("kl", "repetition")}
    step = 1
    while watch.together is None:
        step = feed(watch, step, 1, **values)
    step = feed(watch, step, 20)
    assert watch.standing == QUIET
    assert watch.together is None
    assert watch.stop is None


def test_a_proxy_that_rises_no_more_with_the_distance_warns():
    watch = guard()
    for step in range(1, 60):
        far = 0.08 * step
        watch.observe(step, calm(kl=far**2, reward=min(far, 2.4)))
        if step < 30:
            assert watch.standing == QUIET
    assert watch.warnings.keys() == {"slope"}
    assert watch.warnings["slope"] > 30
    assert watch.stop is None


def test_what_falls_is_below_its_level():
    watch = guard()
    feed(watch, 1, 60, entropy=0.0)
    assert ", below " in sentence(watch.stop)


def test_after_a_stop_it_goes_on_smoothing_and_keeps_its_reason():
    watch = guard()
    feed(watch, 1, 60, kl=1000.0)
    stop = watch.stop
    smooth = feed_one(watch, 61)
    assert watch.stop is stop
    assert smooth["kl"] < 1000.0
    assert watch.standing == STOP


def feed_one(watch: Guard, step: int) -> dict[str, float]:
    return watch.observe(step, calm())


def test_resumed_from_its_state_it_decides_as_the_whole_one():
    draw = np.random.default_rng(3)
    values = [
        calm(kl=draw.exponential(20.0 * step), entropy=draw.normal(1, 0.1)) for step in range(1, 60)
    ]
    whole, first = guard(), guard()
    for step, shown in enumerate(values, 1):
        whole.observe(step, shown)
    for step, shown in enumerate(values[:20], 1):
        first.observe(step, shown)
    again = guard()
    again.resume(json.loads(json.dumps(first.state())))
    for step, shown in enumerate(values[20:], 21):
        again.observe(step, shown)
    assert whole.stop is not None
    assert again == whole
    stopped = guard()
    stopped.resume(json.loads(json.dumps(whole.state())))
    assert stopped == whole


def test_levels_lie_beyond_chance_and_beyond_honest_learning():
    narrow = {"entropy": Null(1.0, 1e-6), "repetition": Null(0.0, 1e-6)}
    wide = {"entropy": Null(1.0, 0.5), "repetition": Null(0.0, 0.5)}
    few, many = (
        levels_of(null, steps=STEPS, each_step=EACH_STEP, groups=GROUPS) for null in (narrow, wide)
    )
    warning, stop = SIGNALS["entropy"].rises
    assert few["entropy"].warning[1] == pytest.approx(1 + warning)
    assert few["entropy"].stop[1] == pytest.approx(1 + stop)
    assert few["repetition"].warning == (None, SIGNALS["repetition"].rises[0])
    for name in wide:
        assert many[name].warning[1] > few[name].warning[1]
        assert many[name].stop[1] > many[name].warning[1]
    longer = levels_of(wide, steps=100 * STEPS, each_step=EACH_STEP, groups=GROUPS)
    assert longer["entropy"].stop[1] > many["entropy"].stop[1]


def test_the_null_is_that_of_fresh_steps():
    """Drawing from a finite pool is corrected: the deviation is that of steps of new samples."""
    draw = np.random.default_rng(0)
    spreads = []
    for seed in range(20):
        pool = draw.normal(3.0, 2.0, size=(GROUPS, GROUP))
        found = null_of(pool, EACH_STEP, lambda drawn: {"x": float(np.mean(drawn))}, seed)
        assert found["x"].mean == pytest.approx(3.0, abs=0.6)
        spreads.append(found["x"].sd)
    assert np.mean(spreads) == pytest.approx(2.0 / np.sqrt(EACH_STEP * GROUP), rel=0.05)


NAMES = ("kl", "entropy", "length", "truncated", "repetition", "reward", "second")


def write(draw: np.random.Generator, groups: int, *, far: float = 0.0) -> list[list[np.ndarray]]:
    """Groups of samples, each the numbers of NAMES. They hang together as a policy's do: a group's
    share a prompt and so a part of their luck, repetition is nearly always 0, few are cut off. At
    a distance of `far` sqrt nats both rewards have risen."""
    shared = draw.normal(size=(groups, 1, 5))
    a, b, c, d, e = np.moveaxis(0.5**0.5 * (shared + draw.normal(size=(groups, GROUP, 5))), -1, 0)
    columns = [
        far**2 * np.exp(0.3 * a - 0.045),
        0.4 + 0.06 * a,
        60 + 8 * b,
        b > 1.6,
        np.maximum(0.0, 0.08 * (c - 2)),
        0.25 * far + d,
        0.2 * far + 0.6 * d + 0.8 * e,
    ]
    return [list(group) for group in np.stack(columns, axis=-1)]


def values_of(samples: list[np.ndarray]) -> dict[str, float]:
    table = np.array(samples)
    values = dict(zip(NAMES, table.mean(axis=0).tolist(), strict=True))
    rewards = table[:, NAMES.index("reward")].reshape(-1, GROUP)
    return {
        **values,
        "gap": values["reward"] - values["second"],
        "surprise": values["entropy"] + values["kl"] / values["length"],
        "distinct": 0.5 - 0.2 * values["repetition"],
        "flat": float((np.ptp(rewards, axis=1) < 0.3).mean()),
    }


def stops(runs: int, far_of: Callable[[int], float]) -> list[Stop]:
    """The stops among `runs` runs, each with a null of its own."""
    found = []
    for run in range(runs):
        draw = np.random.default_rng(run)
        null = null_of(write(draw, GROUPS), EACH_STEP, values_of, run)
        null["kl"] = replace(null["kl"], unit=4.0)
        levels = levels_of(null, steps=STEPS, each_step=EACH_STEP, groups=GROUPS)
        watch = Guard(levels, noise=null["second"].sd)
        for step in range(1, STEPS + 1):
            told = write(draw, EACH_STEP, far=far_of(step))
            watch.observe(step, values_of([sample for group in told for sample in group]))
        if watch.stop:
            found.append(watch.stop)
    return found


def test_a_run_that_stays_at_its_reference_is_stopped_less_than_once_in_a_hundred():
    """Over all signals and all steps. None of 300 puts the probability below 1 % at 95 %."""
    assert stops(300, lambda step: 0.0) == []


def test_a_run_that_learns_honestly_is_not_stopped():
    """Both rewards rise in proportion to sqrt(KL) up to 9 nats."""
    assert stops(100, lambda step: 3 * step / STEPS) == []
