import uuid

import pytest

from annotation.asking import add_comparison, add_response
from annotation.forms import Answer
from annotation.models import Assignment, Project
from annotation.preferences import retract, submit
from annotation.queue import lease
from rewardtrain.arena import standing, win_rate
from rewardtrain.models import Match, ModelVersion
from rewardtrain.sequences import interval, labels_to_decide
from tests.cast import Person
from tests.turning import add_run, add_version, name_reference


def test_a_tie_counts_half_and_identical_texts_are_ties() -> None:
    rate = win_rate(["win", "win", "loss", "tie"], identical=1, still_open=3)
    assert (rate.wins, rate.ties, rate.losses, rate.n, rate.open) == (2, 2, 1, 5, 3)
    assert rate.value == pytest.approx(3 / 5)


def test_the_interval_is_that_of_the_answers_in_their_order() -> None:
    rate = win_rate(["win", "loss", "win"], identical=1)
    assert (rate.low, rate.high) == interval([0.5, 1.0, 0.0, 1.0])
    assert rate.wanted == labels_to_decide([0.5, 1.0, 0.0, 1.0])


def test_without_an_answer_there_is_no_figure() -> None:
    rate = win_rate([], still_open=4)
    assert (rate.value, rate.low, rate.high, rate.n) == (None, None, None, 0)


@pytest.fixture
def policies(project: Project) -> tuple[ModelVersion, ModelVersion]:
    reference = name_reference(project)
    return add_version(project, "policy", "candidate"), reference


def meet(project: Project, policies: tuple[ModelVersion, ModelVersion], wanted: int = 1) -> None:
    """A match on each prompt; on the last both wrote the same."""
    policy, reference = policies
    project.comparisons.update(state="closed")
    run = add_run(project, policy=policy, reference=reference, purpose="arena")
    prompts = list(project.prompts.order_by("pk"))
    for place, prompt in enumerate(prompts):
        texts = ["The same."] * 2 if place == len(prompts) - 1 else ["By policy.", "By reference."]
        ours, theirs = (
            add_response(prompt, [{"role": "assistant", "content": text}])[0] for text in texts
        )
        comparison, _ = add_comparison(
            project, prompt, [ours, theirs], kind="arena", priority=10, wanted=wanted
        )
        Match.objects.create(
            run=run, prompt=prompt, policy=policy, opponent=reference, policy_response=ours,
            opponent_response=theirs, comparison=comparison,
        )  # fmt: skip


def say(person: Person, project: Project, what: str) -> Assignment:
    """Answer the next match for the policy, against it, or otherwise."""
    membership = project.memberships.get(user=person.user)
    assignment = lease(membership, 1)[0]
    texts = [
        assignment.comparison.places.get(place=place).response.messages[0]["content"]
        for place in assignment.order
    ]
    if what in ("policy", "reference"):
        best = texts.index(f"By {what}.")
        answer = Answer(outcome="prefer", tiers=[[best], [1 - best]], strength=1)
    else:
        answer = Answer(outcome=what, tiers=[[0, 1]])
    submit(assignment=assignment, answer=answer, idempotency_key=uuid.uuid4())
    return assignment


def test_answers_are_counted_for_the_side_they_prefer(
    project: Project, policies: tuple[ModelVersion, ModelVersion], lena: Person
) -> None:
    meet(project, policies)
    assert standing(*policies).open == 3
    for what in ("policy", "reference", "both_good"):
        say(lena, project, what)
    rate = standing(*policies)
    assert (rate.wins, rate.losses, rate.ties, rate.identical, rate.open) == (1, 1, 2, 1, 0)


def test_what_nobody_could_judge_counts_nowhere(
    project: Project, policies: tuple[ModelVersion, ModelVersion], lena: Person
) -> None:
    meet(project, policies)
    say(lena, project, "unanswerable")
    rate = standing(*policies)
    assert (rate.n, rate.open) == (1, 2)


def test_a_retracted_answer_counts_no_more(
    project: Project, policies: tuple[ModelVersion, ModelVersion], lena: Person
) -> None:
    meet(project, policies)
    assignment = say(lena, project, "policy")
    assert standing(*policies).wins == 1
    retract(assignment=assignment, idempotency_key=uuid.uuid4())
    rate = standing(*policies)
    assert (rate.wins, rate.open) == (0, 3)


def test_with_overlap_the_majority_decides_and_only_when_all_have_answered(
    project: Project,
    policies: tuple[ModelVersion, ModelVersion],
    lena: Person,
    luis: Person,
    rita: Person,
) -> None:
    meet(project, policies, wanted=3)
    say(lena, project, "policy")
    say(luis, project, "policy")
    assert standing(*policies).wins == 0
    say(rita, project, "reference")
    assert standing(*policies).wins == 1
