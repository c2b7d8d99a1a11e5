"""What a project's circle waits for, in a word and in a sentence, and how far its rounds are."""

from dataclasses import dataclass
from typing import Any

from annotation.batches import fresh_count, ripe_count
from annotation.models import Project
from rewardtrain import arena, loop, rounds
from rewardtrain.models import ModelVersion, Round, Run

Kind, Purpose, State = Run.Kind, Run.Purpose, Run.State

WAITS = [
    "labels",
    "generate",
    "reward_run",
    "gate",
    "start_policy",
    "policy_run",
    "arena_labels",
    "promotion",
]


@dataclass(frozen=True)
class Wait:
    what: str
    sentence: str


def waits_for(project: Project) -> Wait:
    """The one thing that moves the circle on; machines first, then people."""
    return _for_a_run(project) or _for_judgement(project) or _for_labels_or_start(project)


def _for_a_run(project: Project) -> Wait | None:
    active = project.runs.filter(state__in=Run.ACTIVE).order_by("pk")
    doing = {
        Kind.REWARD: ("reward_run", "learns a reward model from the labels"),
        Kind.POLICY: ("policy_run", "fine-tunes the policy against the reward model"),
        Kind.GENERATE: ("generate", "lets the policy write what people compare next"),
    }
    for kind in (Kind.POLICY, Kind.REWARD, Kind.GENERATE):
        run = active.filter(kind=kind).exclude(purpose=Purpose.MEASURE).first()
        if run is not None:
            what, does = doing[kind]
            waiting = " It waits for a worker." if run.state == State.QUEUED else ""
            return Wait(what, f"Run {run.pk} {does}.{waiting}")
    return None


def _for_judgement(project: Project) -> Wait | None:
    policy = loop.candidates(project).last()
    reference = rounds.reference_of(project)
    if policy is None or reference is None or not loop.arena_runs(policy).exists():
        return None
    rate = arena.standing(policy, reference)
    if rate.open:
        return Wait(
            "arena_labels",
            f"{rate.open} blind comparisons of {policy} with the reference wait for people.",
        )
    if rate.n and rounds.current(project) == _round_of(policy):
        return Wait("promotion", f"People have judged {policy}; a manager decides on the figure.")
    return None


def _round_of(version: ModelVersion) -> Round | None:
    return version.run.round if version.run else None


def _for_labels_or_start(project: Project) -> Wait:
    missing = project.freeze_after - fresh_count(project)
    round_ = rounds.current(project)
    learnt = loop.has_learnt(round_) and rounds.in_service(project, ModelVersion.Kind.REWARD)
    tuned = round_.runs.filter(kind=Kind.POLICY, state=State.SUCCEEDED).exists()
    if learnt and rounds.reference_of(project) and not tuned:
        return Wait(
            "start_policy",
            "A reward model is in service: a manager may fine-tune the policy against it.",
        )
    if missing > 0:
        return Wait("labels", f"{missing} more labels until the next reward model.")
    if ripe_count(project) < project.freeze_after:
        return Wait(
            "labels",
            f"Enough labels are in; the batch is frozen once the last of them can no longer be "
            f"undone ({project.grace_seconds} s).",
        )
    return Wait("labels", "Enough labels are in; the batch is frozen in a moment.")


def rounds_of(project: Project) -> list[dict[str, Any]]:
    """Newest first: each round with its steps and whether each is done."""
    return [
        {
            "number": round_.number,
            "started_at": round_.started_at,
            "finished_at": round_.finished_at,
            "steps": _steps(round_),
        }
        for round_ in project.rounds.order_by("-number")
    ]


def _steps(round_: Round) -> list[dict[str, Any]]:
    succeeded = set(
        round_.runs.filter(state=State.SUCCEEDED).values_list("kind", "purpose").distinct()
    )
    told = set(round_.decisions.values_list("what", flat=True))
    promoted_policy = round_.decisions.filter(
        what="promoted", version__kind=ModelVersion.Kind.POLICY
    ).exists()
    return [
        {"what": "labels", "done": "frozen" in told},
        {"what": "reward_model", "done": (Kind.REWARD, Purpose.TRAIN) in succeeded},
        {"what": "policy", "done": (Kind.POLICY, Purpose.TRAIN) in succeeded},
        {"what": "arena", "done": "judged" in told},
        {"what": "promotion", "done": promoted_policy},
    ]
