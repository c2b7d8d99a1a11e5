import pytest

from annotation import alarms
from annotation.asking import add_comparison, add_response
from annotation.models import Comparison, Project, Response
from annotation.refused import Refused
from rewardtrain import promotion, rounds
from rewardtrain.models import Generation, Match, ModelVersion
from tests.cast import Person
from tests.turning import add_run, add_version, name_reference


@pytest.fixture
def candidate(project: Project) -> ModelVersion:
    name_reference(project)
    return add_version(project, "policy", "candidate")


def judge(project: Project, policy: ModelVersion, lena: Person) -> None:
    """One match of the policy with the reference, answered as a tie."""
    reference = rounds.reference_of(project)
    assert reference is not None
    run = add_run(project, purpose="arena", policy=policy, reference=reference)
    project.comparisons.update(state="closed")
    prompt = project.prompts.earliest("pk")
    ours, theirs = prompt.responses.order_by("pk")
    comparison, _ = add_comparison(project, prompt, [ours, theirs], kind="arena")
    Match.objects.create(
        run=run, prompt=prompt, policy=policy, opponent=reference, policy_response=ours,
        opponent_response=theirs, comparison=comparison,
    )  # fmt: skip
    lena.answer(project, outcome="tie", tiers=[[0, 1]], strength=None)


def test_a_policy_that_people_judged_is_promoted_on_that_figure(
    project: Project, candidate: ModelVersion, lena: Person, maya: Person
) -> None:
    judge(project, candidate, lena)
    promotion.promote(version=candidate, actor=maya.user)
    candidate.refresh_from_db()
    reference = rounds.reference_of(project)
    assert reference is not None
    assert (candidate.stage, reference.stage) == ("promoted", "archived")
    told = project.decisions.get(what="promoted")
    assert told.actor == maya.user
    assert "in 50.0 % of 1 blind comparisons" in told.reason
    assert told.figures["win_rate"]["n"] == 1


def test_without_a_figure_a_reason_is_wanted(
    project: Project, candidate: ModelVersion, maya: Person
) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        promotion.promote(version=candidate, actor=maya.user)
    promotion.promote(version=candidate, actor=maya.user, reason="Its samples read well.")
    assert project.decisions.get(what="promoted").reason.endswith("Its samples read well.")


def test_a_promoted_policy_ends_the_round(
    project: Project, candidate: ModelVersion, maya: Person
) -> None:
    first = rounds.current(project)
    promotion.promote(version=candidate, actor=maya.user, reason="It reads well.")
    first.refresh_from_db()
    assert first.finished_at is not None
    assert rounds.current(project).number == 2
    assert project.decisions.get(what="promoted").round == first


def test_what_older_policies_wrote_is_asked_last(
    project: Project, candidate: ModelVersion, maya: Person
) -> None:
    reference = rounds.reference_of(project)
    run = add_run(project)
    old, new, imported, answered = project.comparisons.order_by("pk")
    for comparison in (old, new, answered):
        for response in comparison.responses.all():
            Generation.objects.create(response=response, version=reference, run=run, index=0)
    written, _ = add_response(new.prompt, [{"role": "assistant", "content": "By the candidate."}])
    Generation.objects.create(response=written, version=candidate, run=run, index=0)
    other = Response.objects.filter(prompt=new.prompt).earliest("pk")
    mixed, _ = add_comparison(project, new.prompt, [written, other])
    Comparison.objects.filter(pk=answered.pk).update(state="closed")
    promotion.promote(version=candidate, actor=maya.user, reason="It reads well.")
    priority = dict(Comparison.objects.values_list("pk", "priority"))
    assert mixed is not None
    assert priority[old.pk] == priority[new.pk] == promotion.OLD_PRIORITY
    assert priority[mixed.pk] == priority[imported.pk] == priority[answered.pk] == 0


def test_a_refused_reward_model_can_be_put_into_service_by_hand(
    project: Project, maya: Person
) -> None:
    champion = add_version(project, "reward", "provisional")
    refused = add_version(project, "reward", "candidate")
    promotion.promote(version=refused, actor=maya.user, reason="The held-out pairs were old.")
    champion.refresh_from_db()
    assert champion.stage == "archived"
    assert rounds.in_service(project, "reward") == refused
    assert rounds.current(project).number == 1


def test_what_is_in_service_cannot_be_promoted_again(project: Project, maya: Person) -> None:
    version = add_version(project, "reward", "provisional")
    with pytest.raises(Refused, match="in service already"):
        promotion.promote(version=version, actor=maya.user, reason="Again.")


def test_the_policy_in_service_cannot_be_archived(
    project: Project, candidate: ModelVersion, maya: Person
) -> None:
    promotion.promote(version=candidate, actor=maya.user, reason="It reads well.")
    with pytest.raises(Refused, match="always has one"):
        promotion.archive(version=candidate, actor=maya.user)


def test_a_version_that_a_run_works_with_cannot_be_archived(
    project: Project, candidate: ModelVersion, maya: Person
) -> None:
    run = add_run(project, policy=candidate)
    with pytest.raises(Refused, match=f"Run {run.pk} works with Policy 1"):
        promotion.archive(version=candidate, actor=maya.user)


def test_the_reference_stays_once_it_has_written(project: Project) -> None:
    name_reference(project)
    add_run(project)
    with pytest.raises(Refused, match="The reference stays"):
        rounds.set_reference(project=project, source="gpt2", actor=None)


def test_while_something_is_broken_nothing_goes_into_service(
    project: Project, candidate: ModelVersion, lena: Person, maya: Person
) -> None:
    judge(project, candidate, lena)
    alarm = alarms.ring(project=project, labeler=lena.user, note="All answers are rude.")
    with pytest.raises(Refused, match="something is broken"):
        promotion.promote(version=candidate, actor=maya.user, reason="It reads well.")

    model = add_version(project, "reward", "candidate", run=add_run(project, kind="reward"))
    promotion.pass_gate(model)
    promotion.pass_gate(model)
    model.refresh_from_db()
    assert model.stage == "candidate"
    assert "Reward model 1 waits" in project.decisions.get(what="held").reason

    rules = rounds.rules_of(project)
    promotion.pass_held(rules)
    model.refresh_from_db()
    assert model.stage == "candidate"
    alarms.end(alarm=alarm, actor=maya.user)
    promotion.pass_held(rules)
    model.refresh_from_db()
    assert model.stage == "provisional"
    promotion.promote(version=candidate, actor=maya.user)
    candidate.refresh_from_db()
    assert candidate.stage == "promoted"
