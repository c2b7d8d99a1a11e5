"""The circle's rules: when to freeze a batch, retrain, meet the reference, fine-tune, ask again.

`advance` looks at what is there and does what follows, so it may be called at any time, as often
as one likes, by anyone. Gate and versions belong to the end of a run (results.py), blind
comparisons of policies to meetings.py, and which version serves to promotion.py.
"""

import logging

from django.db import transaction
from django.db.models import F, Q, Sum

from annotation.access import Visitor
from annotation.batches import freeze_at, fresh_count
from annotation.models import Comparison, Project
from annotation.refused import Refused
from rewardtrain import budgets, freezing, meetings, promotion, rounds, start, suspects
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
        for rule in RULES:
            try:
                with transaction.atomic():
                    rule(rules)
            except Refused as refusal:
                log.info("%s: %s", project.slug, refusal.message)


def fine_tune(rules: LoopPolicy) -> None:
    """On autopilot a reward model that came into service gets one policy run, within the budget; a
    run whose rewards need none is that of its round."""
    project = rules.project
    reward_model = rounds.in_service(project, ModelVersion.Kind.REWARD)
    if not rules.autopilot or reward_model is None:
        return
    without = Q(reward_model=None, round=rounds.current(project))
    if project.runs.filter(without | Q(reward_model=reward_model), kind=Kind.POLICY).exists():
        return
    if project.runs.filter(kind__in=Run.TRAINING, state__in=Run.ACTIVE).exists():
        return
    if steps := budgets.steps_allowed(rules):
        start.start_policy(project, options={"steps": steps})


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
    last = round_.runs.filter(purpose__in=Run.ASKING).order_by("-pk").first()
    about_a_new_policy = last is None and round_.number > 1
    enough = open_labels(project) + fresh_count(project) >= freeze_at(project)
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


def open_labels(project: Project) -> int:
    """Labels that people could still give to comparisons that train."""
    rows = project.comparisons.filter(
        kind__in=Comparison.TRAINING_KINDS, state=Comparison.State.OPEN, done__lt=F("wanted")
    )
    return rows.aggregate(total=Sum(F("wanted") - F("done")))["total"] or 0


RULES = (
    budgets.keep,
    promotion.pass_held,
    freezing.watch,
    freezing.freeze_batch,
    meetings.meet_reference,
    meetings.narrow,
    meetings.tell_verdict,
    promotion.promote_judged,
    suspects.measure,
    fine_tune,
    ask,
)
"""In the order of a round; each looks for itself whether it is its turn."""
