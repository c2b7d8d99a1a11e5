"""Earlier states of a tuned policy: which there are, how far they went, and as versions."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rewardtrain import launch
from rewardtrain.models import Metric, ModelVersion, Run


def enter(policy: ModelVersion, wanted: int) -> list[ModelVersion]:
    """Make up to `wanted` checkpoints of the policy's run measurable, as versions of their own."""
    run = policy.run
    if run is None:
        return []
    sources = launch.checkpoints_of(run)
    last = last_step(policy)
    distances = distances_of(run)
    chosen = spaced(
        {step: distances[step] for step in sources if step != last and step in distances},
        [0.0, distances.get(last, max(distances.values(), default=0.0))],
        wanted,
    )
    return [checkpoint(policy, step, sources[step]) for step in sorted(chosen)]


def checkpoint(policy: ModelVersion, step: int, source: str) -> ModelVersion:
    """An earlier state of a policy as a version of its own."""
    lineage = {
        "checkpoint_of": policy,
        "source": source,
        "parent": policy.parent,
        "reward_model": policy.reward_model,
    }
    return ModelVersion.objects.get_or_create(
        project=policy.project,
        kind=policy.kind,
        number=policy.number,
        step=step,
        defaults=lineage,
    )[0]


def state_at(policy: ModelVersion, step: int) -> ModelVersion:
    """The newest checkpoint up to a step; the policy itself where that is what it is."""
    sources = launch.checkpoints_of(policy.run) if policy.run else {}
    newest = max((known for known in sources if known <= step), default=None)
    if newest is None or newest == last_step(policy):
        return policy
    return checkpoint(policy, newest, sources[newest])


def stop_of(policy: ModelVersion) -> dict[str, Any] | None:
    """What its run's guard said when it stopped the run, or would have."""
    return (policy.metrics.get("guard") or {}).get("stop")


def last_step(policy: ModelVersion) -> int:
    """The step of a tuned policy's last state: the one to which its guard rolled it back."""
    assert policy.run is not None
    asked = policy.run.configuration
    if stop_of(policy) and asked.get("guard") == "stop":
        return policy.metrics["guard"]["kept"] or 0
    return asked["steps"]


def distances_of(run: Run) -> dict[int, float]:
    """sqrt(KL) of the policy after each step. A step's KL is measured before its update."""
    metrics = Metric.objects.filter(run=run, values__has_key="kl").order_by("step", "attempt")
    kl = {metric.step - 1: metric.values["kl"] for metric in metrics}
    if kl:
        kl[max(kl) + 1] = kl[max(kl)]
    return {step: math.sqrt(max(0.0, value)) for step, value in kl.items()}


def spaced(distances: Mapping[int, float], taken: Sequence[float], wanted: int) -> list[int]:
    """`wanted` steps, each as far as can be from the distances that are taken already."""
    taken, left = list(taken), dict(distances)
    chosen: list[int] = []
    while left and len(chosen) < wanted:
        step = max(left, key=lambda s: (min(abs(left[s] - other) for other in taken), s))
        chosen.append(step)
        taken.append(left.pop(step))
    return chosen
