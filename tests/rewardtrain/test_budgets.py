from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Project
from rewardtrain import budgets, loop
from rewardtrain.models import LoopPolicy, Run
from tests.turning import add_run, add_version, name_reference


@pytest.fixture
def rules(project: Project) -> LoopPolicy:
    """Autopilot with a reward model in service, so that a fine-tuning is due."""
    name_reference(project)
    project.prompts.update(split="train")
    add_version(project, "reward", "promoted")
    return LoopPolicy.objects.update_or_create(
        project=project, defaults={"autopilot": True, "policy_options": {"steps": 50}}
    )[0]


def set_budget(rules: LoopPolicy, **budget: int) -> None:
    LoopPolicy.objects.filter(pk=rules.pk).update(**budget)


def test_a_fine_tuning_takes_no_more_steps_than_are_left(
    project: Project, rules: LoopPolicy
) -> None:
    set_budget(rules, step_budget=40)
    earlier = add_run(
        project, kind="policy", reward_model=add_version(project, "reward", "archived")
    )
    Run.objects.filter(pk=earlier.pk).update(state="failed", step=15)
    loop.advance(project)
    run = project.runs.filter(kind="policy").exclude(pk=earlier.pk).get()
    assert run.configuration["steps"] == 25


def test_once_the_steps_are_spent_nothing_starts_and_the_story_says_so_once(
    project: Project, rules: LoopPolicy
) -> None:
    set_budget(rules, step_budget=10)
    earlier = add_run(
        project, kind="policy", reward_model=add_version(project, "reward", "archived")
    )
    Run.objects.filter(pk=earlier.pk).update(state="failed", step=15)
    loop.advance(project)
    loop.advance(project)
    assert project.runs.filter(kind="policy").count() == 1
    told = project.decisions.get(what="budget")
    assert told.reason.startswith("Round 1 has spent its 10 steps of fine-tuning")
    assert told.figures["steps"] == 15


def test_what_trains_beyond_the_minutes_is_cancelled(project: Project, rules: LoopPolicy) -> None:
    set_budget(rules, minute_budget=30)
    run = add_run(project, kind="policy")
    begun = timezone.now() - timedelta(minutes=29)
    Run.objects.filter(pk=run.pk).update(state="running", started_at=begun)
    loop.advance(project)
    run.refresh_from_db()
    assert run.state == "running"
    Run.objects.filter(pk=run.pk).update(started_at=begun - timedelta(minutes=2))
    loop.advance(project)
    run.refresh_from_db()
    assert run.state == "cancelling"
    assert "keeps its last checkpoint" in project.decisions.get(what="budget").reason


def test_minutes_count_training_alone(project: Project, rules: LoopPolicy) -> None:
    run = add_run(project)
    hour_ago = timezone.now() - timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(started_at=hour_ago, finished_at=timezone.now())
    assert run.round is not None
    assert budgets.minutes_spent(run.round) == 0
