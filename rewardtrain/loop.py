"""The circle's rules: when to freeze a batch, retrain, meet the reference, fine-tune, ask again.

`advance` looks at what is there and does what follows, so it may be called at any time, as often
as one likes, by anyone. Gate and versions belong to the end of a run (results.py); promoting a
policy belongs to a manager (promotion.py).
"""

import logging

from django.db import transaction
from django.db.models import F, Sum

from annotation.access import Visitor
from annotation.batches import fresh_count, ripe_count
from annotation.models import Comparison, Project
from annotation.refused import Refused
from rewardtrain import arena, rounds, start
from rewardtrain.intervals import percent, percent_between
from rewardtrain.models import LoopPolicy, ModelVersion, Round, Run

log = logging.getLogger(__name__)
Kind, Purpose, State = Run.Kind, Run.Purpose, Run.State


def advance_all() -> None:
    for project in Project.objects.filter(state=Project.State.OPEN).order_by("pk"):
        try:
            advance(project)
        except Exception:
            log.exception("The circle of %s stands still.", project.slug)


def advance(project: Project) -> None:
    """Do what the project's state asks for; nothing while somebody else is at it."""
    rounds.rules_of(project)
    with transaction.atomic():
        rules = (
            LoopPolicy.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("project")
            .filter(project=project)
            .first()
        )
        if rules is None or not rules.project.is_open:
            return
        for rule in (freeze_batch, meet_reference, tell_win_rate, fine_tune, ask):
            try:
                with transaction.atomic():
                    rule(rules)
            except Refused as refusal:
                log.info("%s: %s", project.slug, refusal.message)


def freeze_batch(rules: LoopPolicy) -> None:
    """Enough new labels: freeze them, and train a reward model."""
    project = rules.project
    if fresh_count(project) < project.freeze_after or ripe_count(project) < project.freeze_after:
        return
    if project.runs.filter(kind=Kind.REWARD, state__in=Run.ACTIVE).exists():
        return
    start.start_reward(project)


def meet_reference(rules: LoopPolicy) -> None:
    """Every fine-tuned policy meets the reference, blind, once without being asked to."""
    for policy in candidates(rules.project):
        if not arena_runs(policy).exists():
            start.start_arena(rules.project, policy)


def tell_win_rate(rules: LoopPolicy) -> None:
    """Once per arena run, when the last of its matches is answered."""
    for policy in candidates(rules.project):
        run = arena_runs(policy).filter(state=State.SUCCEEDED).first()
        if run is None or policy.decisions.filter(what="judged", run=run).exists():
            continue
        assert run.reference is not None
        rate = arena.standing(policy, run.reference)
        if rate.open or rate.value is None or rate.low is None or rate.high is None:
            continue
        rounds.tell(
            rules.project,
            "judged",
            f"People preferred {policy} to the reference in {percent(rate.value)} of {rate.n} "
            f"blind comparisons (95 % interval {percent_between(rate.low, rate.high)}, "
            f"{rate.ties} ties). Whether it goes into service is a manager's decision.",
            figures={"n": rate.n, "value": rate.value, "low": rate.low, "high": rate.high},
            run=run,
            version=policy,
        )


def fine_tune(rules: LoopPolicy) -> None:
    """On autopilot a reward model that came into service gets one policy run."""
    reward_model = rounds.in_service(rules.project, ModelVersion.Kind.REWARD)
    if not rules.autopilot or reward_model is None:
        return
    if not reward_model.runs_rewarded.filter(kind=Kind.POLICY).exists():
        start.start_policy(rules.project)


def ask(rules: LoopPolicy) -> None:
    """Keep enough in the queue for the next reward model.

    A round asks until a reward model has come of it; what comes then is a policy, and the next
    round asks about that. On autopilot the next round begins when people have judged it.
    """
    project = rules.project
    if rounds.reference_of(project) is None:
        return
    round_ = rounds.current(project)
    if has_learnt(round_):
        if not (rules.autopilot and round_.decisions.filter(what="judged").exists()):
            return
        round_ = rounds.begin_next(project)
    last = round_.runs.filter(kind=Kind.GENERATE, purpose=Purpose.ASK).order_by("-pk").first()
    about_a_new_policy = last is None and round_.number > 1
    enough = open_labels(project) + fresh_count(project) >= project.freeze_after
    if enough and not about_a_new_policy:
        return
    if last is not None and not (last.report or {}).get("asked"):
        return  # It failed, or the policy has nothing new to say; a manager looks at it.
    start.start_ask(project)


def ask_again(project: Project, *, actor: Visitor | None, prompts: int | None = None) -> Run:
    """A manager wants more to compare; where the round has its reward model the next one begins."""
    with transaction.atomic():
        if has_learnt(rounds.current(project)):
            rounds.begin_next(project)
        return start.start_ask(project, actor=actor, prompts=prompts)


def has_learnt(round_: Round) -> bool:
    """Whether a reward model came of the round, or is to come; a refused one asks for more."""
    run = round_.runs.filter(kind=Kind.REWARD).order_by("-pk").first()
    if run is None:
        return False
    version = ModelVersion.objects.filter(run=run).first()
    return version is None or version.stage != ModelVersion.Stage.CANDIDATE


def candidates(project: Project):
    return project.versions.filter(
        kind=ModelVersion.Kind.POLICY, stage=ModelVersion.Stage.CANDIDATE, is_reference=False
    ).order_by("number")


def arena_runs(policy: ModelVersion):
    """The runs in which a policy met the reference, newest first."""
    return policy.runs_from.filter(kind=Kind.GENERATE, purpose=Purpose.ARENA).order_by("-pk")


def open_labels(project: Project) -> int:
    """Labels that people could still give to comparisons that train."""
    rows = project.comparisons.filter(
        kind__in=Comparison.TRAINING_KINDS, state=Comparison.State.OPEN, done__lt=F("wanted")
    )
    return rows.aggregate(total=Sum(F("wanted") - F("done")))["total"] or 0
