"""What a project's circle waits for, in a word and in a sentence, and how far its rounds are."""

from dataclasses import dataclass
from typing import Any

from annotation.batches import freeze_at, fresh_count, ripe_count
from annotation.models import Project
from rewardtrain import arena, loop, meetings, promotion, rounds
from rewardtrain.models import Match, ModelVersion, Round, Run

Kind, Purpose, State = Run.Kind, Run.Purpose, Run.State

WAITS = [
    "alarm",
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
    """The one thing that moves the circle on; an alarm first, then machines, then people."""
    return (
        _for_an_alarm(project)
        or _for_a_run(project)
        or _for_judgement(project)
        or _for_labels_or_start(project)
    )


def _for_an_alarm(project: Project) -> Wait | None:
    if not promotion.is_paused(project):
        return None
    return Wait(
        "alarm",
        "Somebody says that something is broken. Nothing goes into service until a manager has "
        "looked at it and ended the alarm.",
    )


def _for_a_run(project: Project) -> Wait | None:
    active = project.runs.filter(state__in=Run.ACTIVE).order_by("pk")
    doing = {
        Kind.REWARD: ("reward_run", "learns a reward model from the labels"),
        Kind.POLICY: ("policy_run", "fine-tunes the policy against the reward model"),
        Kind.GENERATE: ("generate", "lets the policy write what people compare next"),
        Kind.SELECT: ("generate", "chooses which of its responses people compare"),
    }
    for kind in (Kind.POLICY, Kind.REWARD, Kind.GENERATE, Kind.SELECT):
        run = active.filter(kind=kind).exclude(purpose=Purpose.MEASURE).first()
        if run is not None:
            what, does = doing[kind]
            waiting = " It waits for a worker." if run.state == State.QUEUED else ""
            return Wait(what, f"Run {run.pk} {does}.{waiting}")
    return None


def _for_judgement(project: Project) -> Wait | None:
    policy = meetings.candidates(project).last()
    if policy is None or not meetings.meeting_runs(policy).exists():
        return None
    states = meetings.states_of(policy)
    waiting = sum(
        rate.open for rate in arena.standings(Match.objects.filter(policy__in=states)).values()
    )
    if waiting:
        about = policy if len(states) == 1 else f"{len(states)} states of {policy}"
        return Wait(
            "arena_labels",
            f"{waiting} blind comparisons of {about} wait for people.{_wanted(policy)}",
        )
    state = meetings.to_judge(policy)
    if state and meetings.verdict(state).n and rounds.current(project) == _round_of(policy):
        return Wait("promotion", f"People have judged {state}; a manager decides on the figure.")
    return None


def _wanted(policy: ModelVersion) -> str:
    """How many labels a verdict likely takes, as far as that can be said."""
    state = meetings.to_judge(policy)
    rate = meetings.verdict(state) if state else None
    if rate is None or not rate.n:
        return ""
    if rate.wanted == 0:
        return " Enough are in to decide; more make the figure closer."
    if rate.wanted is None:
        return " So far the two are too even for any number of labels to be foreseen."
    return f" About {rate.wanted} more labels are expected to decide."


def _round_of(version: ModelVersion) -> Round | None:
    return version.trained_by.round if version.trained_by else None


def _for_labels_or_start(project: Project) -> Wait:
    wanted = freeze_at(project)
    missing = wanted - fresh_count(project)
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
    if ripe_count(project) < wanted:
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
