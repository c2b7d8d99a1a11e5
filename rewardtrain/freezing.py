"""When a batch is frozen: enough is new, what is new has waited, or the model no longer fits it."""

import math
from datetime import timedelta

from django.utils import timezone

from annotation.batches import freeze_at, fresh, ripe_count
from annotation.models import Preference
from annotation.models.asked import RANDOM
from rewardtrain import budgets, gate, rounds, start
from rewardtrain.intervals import percent
from rewardtrain.models import LoopPolicy, ModelVersion, Run, Score
from rewardtrain.options import configure
from rewardtrain.rows import scoring_rows

WATCH_EVERY = 40
"""New decided pairs that are scored together as labels arrive."""
FALLEN = 2.0
"""Standard errors below the gate's accuracy at which a model no longer fits."""


def freeze_batch(rules: LoopPolicy) -> None:
    """Freeze what is new, and train a reward model on all."""
    project = rules.project
    if project.runs.filter(kind__in=Run.TRAINING, state__in=Run.ACTIVE).exists():
        return
    ripe = ripe_count(project)
    why = ripe and _why(rules, ripe)
    if not why:
        return
    spent = budgets.minutes_spent(rounds.current(project))
    if rules.minute_budget is None or spent < rules.minute_budget:
        start.start_reward(project, why=why)


def _why(rules: LoopPolicy, ripe: int) -> str:
    """The reason to freeze now; empty where there is none."""
    wanted = freeze_at(rules.project)
    if ripe >= wanted:
        return f"{wanted} new ones were wanted."
    first = fresh(rules.project).order_by("created_at").first()
    waited = timezone.now() - first.created_at if first else timedelta()
    if rules.freeze_hours and waited >= timedelta(hours=rules.freeze_hours):
        return f"What is new has waited for {rules.freeze_hours} hours."
    return _fallen(rules) if rules.freeze_early else ""


def _fallen(rules: LoopPolicy) -> str:
    """Whether the model in service orders new labels clearly worse than those of its gate."""
    reward_model = rounds.in_service(rules.project, ModelVersion.Kind.REWARD)
    at_gate = gate.accuracy_of(reward_model.metrics) if reward_model else None
    if reward_model is None or at_gate is None:
        return ""
    n, right = accuracy_on_new(reward_model)
    if n < WATCH_EVERY:
        return ""
    now, then = right / n, at_gate["value"]
    error = math.sqrt(now * (1 - now) / n + then * (1 - then) / at_gate["n"])
    if now >= then - FALLEN * error:
        return ""
    return (
        f"{reward_model} orders only {percent(now)} of the {n} decided pairs that came since as "
        f"people did, against {percent(then)} at its gate: more than {FALLEN:g} standard errors "
        "less, so nobody waits for more."
    )


def accuracy_on_new(reward_model: ModelVersion) -> tuple[int, int]:
    """(n, right) over the new decided pairs of which it has scored both sides; equal scores are
    half right, rounded down."""
    scores = dict(Score.objects.filter(version=reward_model).values_list("response", "value"))
    pairs = [
        (scores[better], scores[worse])
        for better, worse in (pair_of(row) for row in decided(reward_model))
        if better in scores and worse in scores
    ]
    right = sum((better > worse) + 0.5 * (better == worse) for better, worse in pairs)
    return len(pairs), math.floor(right)


def decided(reward_model: ModelVersion) -> list[Preference]:
    """New pairs, none of them steered, on which somebody preferred one side."""
    rows = fresh(reward_model.project).filter(
        outcome=Preference.Outcome.PREFER, comparison__stream=RANDOM
    )
    return [row for row in rows if len(row.tiers) == 2 and sum(map(len, row.tiers)) == 2]


def pair_of(row: Preference) -> tuple[int, int]:
    return row.tiers[0][0], row.tiers[1][0]


def watch(rules: LoopPolicy) -> None:
    """Let the model in service score new labels as they arrive, a few dozen at a time."""
    reward_model = rounds.in_service(rules.project, ModelVersion.Kind.REWARD)
    if not rules.freeze_early or reward_model is None:
        return
    at_work = rules.project.runs.filter(purpose=Run.Purpose.WATCH, state__in=Run.ACTIVE)
    known = set(Score.objects.filter(version=reward_model).values_list("response", flat=True))
    rows = [row for row in decided(reward_model) if not known.issuperset(pair_of(row))]
    if len(rows) < WATCH_EVERY or at_work.exists():
        return
    start.create(
        rules.project,
        Run.Kind.EVALUATE,
        scoring_rows(
            (row.comparison.prompt, list(row.comparison.responses.order_by("pk"))) for row in rows
        ),
        purpose=Run.Purpose.WATCH,
        configuration=configure(Run.Kind.EVALUATE, {}, seed=0),
        reward_model=reward_model,
    )
