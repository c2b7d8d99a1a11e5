"""What a round may spend on training, in steps of fine-tuning and in minutes of a device."""

from datetime import timedelta

from django.utils import timezone

from rewardtrain import contract, rounds, start
from rewardtrain.models import LoopPolicy, Round, Run


def steps_allowed(rules: LoopPolicy) -> int:
    """Steps that a fine-tuning started now may take; 0 where the round has spent its budgets."""
    wanted = rules.policy_options.get("steps", contract.PolicyConfig.steps)
    round_ = rounds.current(rules.project)
    if rules.minute_budget is not None and minutes_spent(round_) >= rules.minute_budget:
        _tell(rules, round_, f"{rules.minute_budget} minutes of training")
        return 0
    if rules.step_budget is None:
        return wanted
    runs = round_.runs.filter(kind=Run.Kind.POLICY)
    left = rules.step_budget - sum(runs.values_list("step", flat=True))
    if left <= 0:
        _tell(rules, round_, f"{rules.step_budget} steps of fine-tuning")
    return max(0, min(wanted, left))


def minutes_spent(round_: Round) -> float:
    """By all training of the round, what is at work until now."""
    now = timezone.now()
    runs = round_.runs.filter(kind__in=Run.TRAINING, started_at__isnull=False)
    spent = ((run.finished_at or now) - run.started_at for run in runs if run.started_at)
    return sum(spent, timedelta()).total_seconds() / 60


def keep(rules: LoopPolicy) -> None:
    """Cancel what trains beyond the round's minutes; it keeps its last checkpoint."""
    if rules.minute_budget is None:
        return
    for run in rules.project.runs.filter(kind__in=Run.TRAINING, state=Run.State.RUNNING):
        if run.round is not None and minutes_spent(run.round) >= rules.minute_budget:
            _tell(rules, run.round, f"{rules.minute_budget} minutes of training", run)
            start.cancel(run, actor=None)


def _tell(rules: LoopPolicy, round_: Round, budget: str, run: Run | None = None) -> None:
    """Once a round."""
    if round_.decisions.filter(what="budget").exists():
        return
    stopped = f" Run {run.pk} is cancelled and keeps its last checkpoint." if run else ""
    rounds.tell(
        rules.project,
        "budget",
        f"Round {round_.number} has spent its {budget}; nothing more is trained by itself before "
        f"the next round or a larger budget.{stopped}",
        figures={
            "minutes": round(minutes_spent(round_), 2),
            "steps": sum(round_.runs.filter(kind=Run.Kind.POLICY).values_list("step", flat=True)),
        },
        run=run,
    )
