import pytest

from annotation.models import Comparison, Project
from annotation.refused import Refused
from rewardtrain import contract, launch, loop, results, rounds, start
from rewardtrain.models import LoopPolicy, Match, ModelVersion, Run
from rewardtrain.options import check_options
from tests.cast import Person
from tests.turning import (
    add_version,
    claim,
    difference,
    finish,
    judged,
    met,
    name_reference,
    policy_report,
    reward_report,
)


@pytest.fixture
def project(project: Project) -> Project:
    """Of three labels a batch, with a policy, and answers that count at once."""
    project.freeze_after, project.grace_seconds = 3, 0
    project.save()
    name_reference(project)
    return project


def runs(project: Project, kind: str) -> list[Run]:
    return list(project.runs.filter(kind=kind).order_by("pk"))


def learn(project: Project, lena: Person, **figures) -> ModelVersion:
    """Three labels, their batch, and a reward run that ended with these figures."""
    for _ in range(3):
        lena.answer(project)
    loop.advance(project)
    run = claim(runs(project, "reward")[-1])
    finish(run, reward_report(**figures))
    results.settle(run, "it left with status 0")
    return ModelVersion.objects.get(run=run)


def fine_tune(project: Project) -> ModelVersion:
    run = claim(runs(project, "policy")[-1])
    finish(run, policy_report())
    results.settle(run, "it left with status 0")
    return ModelVersion.objects.get(run=run)


def close_questions(project: Project) -> None:
    project.comparisons.update(state=Comparison.State.CLOSED)


def test_a_batch_is_frozen_when_enough_new_labels_are_there(project: Project, lena: Person) -> None:
    for _ in range(2):
        lena.answer(project)
    loop.advance(project)
    assert runs(project, "reward") == []
    lena.answer(project)
    loop.advance(project)
    (run,) = runs(project, "reward")
    assert run.batch is not None
    assert (run.batch.size, run.batch.fresh) == (3, 3)
    said = project.decisions.get(what="frozen")
    assert said.reason.startswith("Batch 1 holds 3 labels, 3 of them new")
    assert said.figures["sha256"] == run.batch.sha256


def test_answers_that_can_still_be_undone_are_not_frozen(project: Project, lena: Person) -> None:
    project.grace_seconds = 600
    project.save()
    for _ in range(3):
        lena.answer(project)
    loop.advance(project)
    assert runs(project, "reward") == []


def test_looking_twice_does_nothing_twice(project: Project, lena: Person) -> None:
    for _ in range(3):
        lena.answer(project)
    for _ in range(3):
        loop.advance(project)
    assert len(runs(project, "reward")) == 1
    assert project.batches.count() == 1


def test_no_second_reward_run_while_one_is_at_work(project: Project, lena: Person) -> None:
    project.freeze_after = 1
    project.save()
    lena.answer(project)
    loop.advance(project)
    lena.answer(project)
    loop.advance(project)
    assert len(runs(project, "reward")) == 1


@pytest.mark.parametrize("state", ["paused", "closed", "draft"])
def test_the_circle_of_a_project_that_is_not_open_stands(
    project: Project, lena: Person, state: str
) -> None:
    for _ in range(3):
        lena.answer(project)
    Project.objects.filter(pk=project.pk).update(state=state)
    loop.advance_all()
    loop.advance(project)
    assert project.runs.count() == 0


def test_the_policy_is_asked_when_too_few_questions_are_left(project: Project) -> None:
    loop.advance(project)
    assert runs(project, "generate") == []
    close_questions(project)
    loop.advance(project)
    loop.advance(project)
    (run,) = runs(project, "generate")
    assert (run.purpose, run.policy, run.reference) == ("ask", rounds.reference_of(project), None)
    assert run.configuration["samples_per_prompt"] == 2


def test_a_project_without_a_policy_waits_for_people(project: Project) -> None:
    project.versions.all().delete()
    close_questions(project)
    loop.advance(project)
    assert project.runs.count() == 0


def test_a_policy_with_nothing_new_to_say_is_not_asked_for_ever(project: Project) -> None:
    close_questions(project)
    loop.advance(project)
    Run.objects.update(state="succeeded", report={"asked": 0})
    loop.advance(project)
    assert len(runs(project, "generate")) == 1


def test_a_first_model_above_chance_goes_into_service(project: Project, lena: Person) -> None:
    version = learn(project, lena)
    assert version.stage == "provisional"
    assert "Above chance" in project.decisions.get(what="promoted").reason


def test_a_refused_model_waits_and_more_is_asked(project: Project, lena: Person) -> None:
    version = learn(project, lena, folds=judged(90, 0.5, 0.4, 0.6))
    assert version.stage == "candidate"
    assert "Not above chance" in project.decisions.get(what="refused").reason
    loop.advance(project)
    assert [run.purpose for run in runs(project, "generate")] == ["ask"]


def test_a_learnt_round_asks_no_more_without_a_click(project: Project, lena: Person) -> None:
    learn(project, lena)
    loop.advance(project)
    assert runs(project, "generate") == []


def test_a_challenger_replaces_the_model_in_service(project: Project, lena: Person) -> None:
    champion = add_version(project, "reward", "provisional")
    even = difference(150, 0.0, -0.05, 0.05)
    version = learn(project, lena, champion=met(judged(150, 0.7, 0.6, 0.8), even))
    champion.refresh_from_db()
    assert (version.stage, champion.stage) == ("promoted", "archived")


def test_a_model_compared_with_one_that_is_out_of_service_waits_for_a_manager(
    project: Project, lena: Person
) -> None:
    for _ in range(3):
        lena.answer(project)
    loop.advance(project)
    run = claim(runs(project, "reward")[0])
    add_version(project, "reward", "promoted")
    finish(run, reward_report())
    results.settle(run, "it left with status 0")
    assert ModelVersion.objects.get(run=run).stage == "candidate"
    assert "have not been compared" in project.decisions.get(what="refused").reason


def test_without_a_reward_model_nothing_can_be_fine_tuned(project: Project) -> None:
    with pytest.raises(Refused, match="No reward model is in service"):
        start.start_policy(project)


def test_a_fine_tuned_policy_meets_the_reference_once(project: Project, lena: Person) -> None:
    learn(project, lena)
    project.prompts.update(split="train")
    project.prompts.filter(pk=project.prompts.earliest("pk").pk).update(split="heldout")
    start.start_policy(project)
    policy = fine_tune(project)
    loop.advance(project)
    loop.advance(project)
    (run,) = runs(project, "generate")
    assert (run.purpose, run.policy, run.reference) == (
        "arena", policy, rounds.reference_of(project),
    )  # fmt: skip
    options = run.configuration
    assert (options["samples_per_prompt"], options["reference_samples"]) == (1, 1)
    assert "proxy reward 0.00 before, 1.50 after" in project.decisions.get(what="fine-tuned").reason


def test_the_win_rate_is_told_once_when_the_last_match_is_answered(
    project: Project, lena: Person
) -> None:
    policy = add_version(project, "policy", "candidate")
    close_questions(project)
    run = start.create(
        project, "generate", [], purpose="arena", configuration={},
        policy=policy, reference=rounds.reference_of(project),
    )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(state="succeeded")
    comparison = project.comparisons.earliest("pk")
    Comparison.objects.filter(pk=comparison.pk).update(kind="arena", state="open")
    ours, theirs = comparison.responses.order_by("pk")
    Match.objects.create(
        run=run, prompt=comparison.prompt, policy=policy, policy_response=ours,
        opponent=rounds.reference_of(project), opponent_response=theirs, comparison=comparison,
    )  # fmt: skip
    loop.advance(project)
    assert not project.decisions.filter(what="judged").exists()
    lena.answer(project, outcome="tie", tiers=[[0, 1]], strength=None)
    loop.advance(project)
    loop.advance(project)
    told = project.decisions.get(what="judged")
    assert told.figures["value"] == 0.5
    assert "a manager's decision" in told.reason


def test_autopilot_fine_tunes_but_only_once_a_reward_model(project: Project, lena: Person) -> None:
    LoopPolicy.objects.update_or_create(project=project, defaults={"autopilot": True})
    project.prompts.update(split="train")
    learn(project, lena)
    loop.advance(project)
    loop.advance(project)
    assert len(runs(project, "policy")) == 1


def test_without_autopilot_a_manager_starts_the_fine_tuning(project: Project, lena: Person) -> None:
    project.prompts.update(split="train")
    learn(project, lena)
    loop.advance(project)
    assert runs(project, "policy") == []


def test_where_the_project_asks_for_it_a_second_opinion_watches(
    project: Project, lena: Person
) -> None:
    project.prompts.update(split="train")
    LoopPolicy.objects.update_or_create(project=project, defaults={"second_opinion": True})
    halves = {"second": judged(20, 0.7, 0.5, 0.8), "whole": judged(20, 0.8, 0.6, 0.9)}
    reward_model = learn(project, lena, halves=halves)
    (learnt,) = runs(project, "reward")
    assert launch.config_of(learnt).second_opinion is True
    tuned = start.start_policy(project)
    path = launch.run_dir(learnt) / "model" / "second"
    path.mkdir(parents=True)
    assert launch.config_of(tuned).second_opinion == str(path)
    assert "A second opinion" in project.decisions.get(what="started").reason
    start.cancel(tuned, actor=None)
    ModelVersion.objects.filter(pk=reward_model.pk).update(metrics=reward_report())
    assert "second_opinion" not in launch.sources_of(start.start_policy(project))


@pytest.mark.parametrize("options", ["policy_options", "reward_options"])
def test_a_second_opinion_is_no_option_of_a_run(project: Project, options: str) -> None:
    kind = options.removesuffix("_options")
    with pytest.raises(Refused, match="follows from the project"):
        check_options(kind, {"second_opinion": "/etc"}, options)


def test_seeds_follow_from_the_projects_and_the_round_not_from_row_ids(project: Project) -> None:
    close_questions(project)
    first = start.start_ask(project)
    start.cancel(first, actor=None)
    twin = Project.objects.create(slug="twin", name="Twin", state="open")
    name_reference(twin)
    for prompt in project.prompts.order_by("-pk"):
        twin.prompts.create(
            messages=prompt.messages, sha256=prompt.sha256, thread_root=prompt.thread_root,
            split=prompt.split,
        )  # fmt: skip
    again = start.start_ask(twin)
    assert again.configuration == first.configuration
    assert launch.read_data(again) == launch.read_data(first)


def test_the_prompts_asked_least_come_first(project: Project) -> None:
    asked = project.prompts.earliest("pk")
    project.comparisons.exclude(prompt=asked).update(kind=Comparison.Kind.ARENA)
    run = start.start_ask(project, prompts=3)
    said = [row["messages"] for row in launch.read_data(run)]
    assert asked.messages not in said
    assert len(said) == 3


def test_a_refused_rule_does_not_stop_the_others(project: Project, lena: Person) -> None:
    """Nothing is held out, so the candidate cannot meet the reference; a batch is frozen still."""
    project.prompts.update(split="train")
    add_version(project, "policy", "candidate")
    for _ in range(3):
        lena.answer(project)
    loop.advance(project)
    assert len(runs(project, "reward")) == 1
    assert runs(project, "generate") == []


@pytest.mark.parametrize(("enough", "folds"), [(4, 5), (3, 0)])
def test_cross_validation_is_left_out_where_enough_is_held_out(
    project: Project,
    lena: Person,
    monkeypatch: pytest.MonkeyPatch,
    enough: int,
    folds: int,
) -> None:
    monkeypatch.setattr(contract, "HELDOUT_ENOUGH", enough)
    project.prompts.update(split="heldout")
    for _ in range(3):
        lena.answer(project)
    assert start.start_reward(project).configuration["folds"] == folds
