"""What finished runs leave. The directories are as the scripts write them."""

import json

import pytest

from annotation.models import Comparison, Project
from rewardtrain import contract, launch, meetings, results, rounds, start
from rewardtrain.launch import run_dir
from rewardtrain.models import Generation, Match, ModelVersion, Run, Score
from rewardtrain.options import configure
from rewardtrain.rows import prompt_rows
from tests.turning import add_version, claim, finish, name_reference, policy_report


@pytest.fixture
def project(project: Project) -> Project:
    name_reference(project)
    return project


def ask(project: Project, **fields) -> Run:
    """A claimed generate run on all prompts."""
    prompts = project.prompts.order_by("sha256")
    run = start.create(
        project,
        "generate",
        prompt_rows(prompts),
        configuration=configure("generate", {}, seed=1),
        **{"purpose": "ask", "policy": rounds.reference_of(project), **fields},
    )
    return claim(run)


def write(run: Run, *texts: str, by_reference: bool = False) -> None:
    """The same texts to every prompt."""
    with (run_dir(run) / contract.SAMPLES).open("a") as file:
        for row in launch.read_data(run):
            for index, text in enumerate(texts):
                sample = contract.SampleRow(
                    prompt=row["prompt"], index=index, text=text, tokens=5, truncated=False,
                    logprob=-9.0, kl=None if by_reference else 0.5, by_reference=by_reference,
                )  # fmt: skip
                file.write(contract.encode(sample) + "\n")


def settle(run: Run, report: dict | None = None) -> Run:
    finish(run, report or {"samples": 1})
    settled = results.settle(run, "it left with status 0")
    assert settled is not None
    assert settled.state == "succeeded", settled.error
    return settled


def asked_texts(project: Project, kind: str = "ask") -> list[set[str]]:
    fresh = project.comparisons.filter(kind=kind, places__response__generations__isnull=False)
    return [
        {response.messages[0]["content"] for response in comparison.responses.all()}
        for comparison in fresh.distinct().order_by("prompt__sha256")
    ]


def test_each_prompt_becomes_a_comparison_of_two_samples(project: Project) -> None:
    run = ask(project)
    write(run, "One end.", "Another end.")
    assert settle(run).report["asked"] == 4
    assert asked_texts(project) == [{"One end.", "Another end."}] * 4
    assert Generation.objects.filter(run=run, version=run.policy).count() == 8


def test_identical_samples_ask_nobody(project: Project) -> None:
    run = ask(project)
    write(run, "The same.", "The same.")
    assert settle(run).report["asked"] == 0
    assert asked_texts(project) == []
    assert Generation.objects.filter(run=run).count() == 8


def test_a_later_policy_meets_itself_and_the_reference_in_turn(project: Project) -> None:
    policy = add_version(project, "policy", "candidate")
    run = ask(project, policy=policy, reference=rounds.reference_of(project))
    write(run, "One end.", "Another end.")
    write(run, "The old end.", by_reference=True)
    settle(run)
    pairs = asked_texts(project)
    assert pairs.count({"One end.", "Another end."}) == 2
    assert pairs.count({"One end.", "The old end."}) == 2
    old = Generation.objects.filter(run=run, version=run.reference)
    assert (old.count(), old.filter(kl=None).count()) == (4, 4)


def test_a_policy_that_says_one_thing_only_meets_the_reference(project: Project) -> None:
    policy = add_version(project, "policy", "candidate")
    run = ask(project, policy=policy, reference=rounds.reference_of(project))
    write(run, "My one end.", "My one end.")
    write(run, "The old end.", by_reference=True)
    settle(run)
    assert asked_texts(project) == [{"My one end.", "The old end."}] * 4


def test_settling_twice_doubles_nothing(project: Project) -> None:
    run = ask(project)
    write(run, "One end.", "Another end.")
    settle(run)
    assert results.settle(run, "it left with status 0") is None
    assert Generation.objects.filter(run=run).count() == 8


def test_a_worker_killed_while_taking_in_leaves_nothing_half(project: Project) -> None:
    run = ask(project)
    write(run, "One end.", "Another end.")
    with (run_dir(run) / contract.SAMPLES).open("a") as file:
        file.write(json.dumps({"prompt": 0}) + "\n")
    finish(run, {"samples": 8})
    with pytest.raises(KeyError):
        results.settle(run, "it left with status 0")
    assert Generation.objects.filter(run=run).count() == 0
    assert Run.objects.get(pk=run.pk).state == "running"


def test_an_arena_run_matches_policy_and_reference_blind(project: Project) -> None:
    reward_model = add_version(project, "reward", "provisional")
    policy = add_version(project, "policy", "candidate", reward_model=reward_model)
    run = ask(
        project,
        purpose="arena",
        policy=policy,
        reference=rounds.reference_of(project),
        reward_model=reward_model,
    )
    write(run, "By the policy.")
    write(run, "By the reference.", by_reference=True)
    settle(run)
    arena = project.comparisons.filter(kind=Comparison.Kind.ARENA)
    assert arena.count() == Match.objects.filter(policy=policy).count() == 4
    assert set(arena.values_list("priority", flat=True)) == {meetings.ARENA_PRIORITY}
    scoring = project.runs.get(kind="evaluate")
    assert (scoring.reward_model, scoring.queue, scoring.state) == (
        reward_model, "infer", "queued",
    )  # fmt: skip


def test_identical_texts_in_the_arena_are_a_tie_that_nobody_is_asked(project: Project) -> None:
    policy = add_version(project, "policy", "candidate")
    run = ask(project, purpose="arena", policy=policy, reference=rounds.reference_of(project))
    write(run, "The same.")
    write(run, "The same.", by_reference=True)
    settle(run)
    assert Match.objects.filter(policy=policy, comparison=None).count() == 4
    assert not project.comparisons.filter(kind=Comparison.Kind.ARENA).exists()


def test_scores_find_their_responses_by_their_texts(project: Project) -> None:
    reward_model = add_version(project, "reward", "provisional")
    prompt = project.prompts.earliest("pk")
    first, second = prompt.responses.order_by("pk")
    row = {
        "row": 0,
        "messages": prompt.messages,
        "responses": [second.messages, first.messages],
    }
    run = claim(
        start.create(
            project, "evaluate", [row], configuration=configure("evaluate", {}, seed=0),
            reward_model=reward_model,
        )
    )  # fmt: skip
    score = contract.encode(contract.ScoreRow(row=0, scores=[1.5, -0.5]))
    (run_dir(run) / contract.SCORES).write_text(score + "\n")
    settle(run)
    given = dict(Score.objects.values_list("response", "value"))
    assert given == {second.pk: 1.5, first.pk: -0.5}


def test_what_the_guard_stopped_is_told_with_its_reason(project: Project) -> None:
    reference = rounds.reference_of(project)
    reward_model = add_version(project, "reward", "provisional")
    run = claim(
        start.create(
            project, "policy", prompt_rows(project.prompts.all()),
            configuration=configure("policy", {}, seed=1),
            policy=reference, reference=reference, reward_model=reward_model,
        )
    )  # fmt: skip
    stop = {"step": 12, "sentence": "Stopped at step 12: entropy was 0.90.", "samples": []}
    guard = {"standing": "stopped", "kept": 8, "stop": stop}
    settle(run, {**policy_report(), "guard": guard})
    told = project.decisions.get(what="guard")
    assert "Stopped at step 12: entropy was 0.90." in told.reason
    assert "is the checkpoint of step 8, the last clean one" in told.reason
    assert told.figures == stop
    assert told.version == ModelVersion.objects.get(run=run)


def test_versions_are_numbered_and_know_where_they_came_from(project: Project) -> None:
    reference = rounds.reference_of(project)
    reward_model = add_version(project, "reward", "provisional")
    run = claim(
        start.create(
            project, "policy", prompt_rows(project.prompts.all()),
            configuration=configure("policy", {}, seed=1),
            policy=reference, reference=reference, reward_model=reward_model,
        )
    )  # fmt: skip
    settle(run, policy_report())
    version = ModelVersion.objects.get(run=run)
    assert (version.number, version.stage, version.parent, version.reward_model) == (
        1, "candidate", reference, reward_model,
    )  # fmt: skip
    assert version.source == f"runs/{run.pk}/model"
    assert version.weights_sha256 == "w" * 64
