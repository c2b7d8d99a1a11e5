"""Autopilot turns whole rounds and waits for people where it must; the scripts' work is written
by hand here, so that only the rules are tested."""

import pytest

from annotation.asking import add_prompt
from annotation.models import Comparison, Project
from rewardtrain import loop, results, rounds
from rewardtrain.models import LoopPolicy, Run
from tests.cast import Person
from tests.turning import (
    claim,
    difference,
    finish,
    judged,
    met,
    name_reference,
    policy_report,
    reward_report,
    say_samples,
)

EVEN = difference(150, 0.0, -0.05, 0.05)
AS_GOOD = met(judged(150, 0.7, 0.6, 0.8), EVEN)


@pytest.fixture
def project(project: Project) -> Project:
    """Autopilot by the arena's verdict, four labels a batch, fourteen held-out prompts."""
    project.comparisons.update(state=Comparison.State.CLOSED)
    project.prompts.update(split="train")
    for number in range(14):
        prompt, _ = add_prompt(project, [{"role": "user", "content": f"Tell tale {number}."}])
        type(prompt).objects.filter(pk=prompt.pk).update(split="heldout")
    project.freeze_after, project.grace_seconds = 4, 0
    project.save()
    name_reference(project)
    rules = {"autopilot": True, "promotion": "arena", "arena_checkpoints": 0, "arena_prompts": 14}
    LoopPolicy.objects.update_or_create(project=project, defaults=rules)
    return project


def work_off(project: Project) -> int:
    """Every run that waits does what its script would; how many there were."""
    waiting = list(project.runs.filter(state=Run.State.QUEUED).order_by("pk"))
    for run in waiting:
        if run.kind == Run.Kind.EVALUATE:
            Run.objects.filter(pk=run.pk).update(state=Run.State.CANCELLED)
            continue
        owned = claim(run)
        if run.kind == Run.Kind.GENERATE:
            who = f"{run.policy} in run {run.pk}"
            say_samples(
                owned,
                lambda _prompt, index, by_reference, who=who: (
                    "By the reference." if by_reference else f"{who}, number {index}."
                ),
            )
        reports = {
            Run.Kind.GENERATE: {"samples": 1},
            Run.Kind.REWARD: reward_report(champion=AS_GOOD),
            Run.Kind.POLICY: policy_report(),
        }
        finish(owned, reports[run.kind])
        results.settle(owned, "it left with status 0")
    return len(waiting)


def label(project: Project, lena: Person) -> int:
    """Lena answers all there is, always against the reference."""
    answered = 0
    while True:
        served = lena.api.post("/api/projects/tales/assignments/", {"want": 1}).json()
        if not served["assignments"]:
            return answered
        texts = [r["messages"][0]["content"] for r in served["assignments"][0]["responses"]]
        best = 1 if texts[0] == "By the reference." else 0
        lena.answer(project, tiers=[[best], [1 - best]])
        answered += 1


def test_three_rounds_turn_without_a_click(project: Project, lena: Person) -> None:
    for _ in range(40):
        loop.advance(project)
        if not work_off(project) + label(project, lena):
            pytest.fail("the circle stands still")
        if rounds.current(project).number == 4:
            break
    promoted = project.decisions.filter(what="promoted", version__kind="policy", actor=None)
    assert [str(d.version) for d in promoted.order_by("pk")] == ["Policy 1", "Policy 2", "Policy 3"]
    assert project.batches.count() >= 3
    told = set(project.decisions.values_list("what", flat=True))
    assert {"asked", "frozen", "promoted", "started", "fine-tuned", "judged"} <= told
    assert not project.decisions.exclude(actor=None).exists()


def test_by_a_managers_decision_it_goes_on_asking_but_promotes_nothing(
    project: Project, lena: Person
) -> None:
    LoopPolicy.objects.update(promotion="manager")
    for _ in range(12):
        loop.advance(project)
        work_off(project)
        label(project, lena)
    assert rounds.current(project).number > 1
    assert rounds.in_service(project, "policy") == rounds.reference_of(project)
