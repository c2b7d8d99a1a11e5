"""The arena of a policy's states: who enters, who meets whom, and which answers are believed."""

import uuid

import pytest

from annotation.asking import add_prompt
from annotation.forms import Answer
from annotation.models import Comparison, Project
from annotation.preferences import submit
from annotation.queue import lease
from rewardtrain import (
    checkpoints,
    contract,
    ingest,
    launch,
    loop,
    meetings,
    promotion,
    results,
    rounds,
    start,
)
from rewardtrain.models import LoopPolicy, Match, ModelVersion, Run
from tests.cast import Person
from tests.turning import (
    add_version,
    claim,
    finish,
    name_reference,
    policy_report,
    say_metrics,
    say_samples,
)

STEPS = {"steps": 40, "checkpoint_every": 10}
KL = {1: 0.0, 11: 1.0, 21: 4.0, 31: 9.0, 40: 16.0}


@pytest.fixture
def project(project: Project) -> Project:
    """Thirty held-out prompts, nothing else to answer, two checkpoints beside the last state."""
    project.comparisons.update(state=Comparison.State.CLOSED)
    project.prompts.update(split="train")
    for number in range(30):
        prompt, _ = add_prompt(project, [{"role": "user", "content": f"Tell tale {number}."}])
        type(prompt).objects.filter(pk=prompt.pk).update(split="heldout")
    name_reference(project)
    add_version(project, "reward", "provisional")
    LoopPolicy.objects.update_or_create(
        project=project, defaults={"arena_checkpoints": 2, "arena_prompts": 14}
    )
    return project


@pytest.fixture
def tuned(project: Project) -> ModelVersion:
    """A policy of 40 steps, its KL 0, 1, 4, 9 and 16 every ten steps, with its checkpoints."""
    return fine_tune(project)


def fine_tune(project: Project, **report) -> ModelVersion:
    run = claim(start.start_policy(project, options=STEPS))
    say_metrics(run, *((step, {"kl": kl, "reward": kl / 8}) for step, kl in KL.items()))
    for step in (10, 20, 30, 40):
        folder = launch.run_dir(run) / contract.CHECKPOINTS / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / contract.COMPLETE).touch()
    finish(run, {**policy_report(), **report})
    ingest.follow(run)
    results.settle(run, "it left with status 0")
    return ModelVersion.objects.get(run=run)


def write(project: Project) -> list[Run]:
    """Every generate run that waits writes a text of its own policy, and ends."""
    project.runs.filter(kind="evaluate").update(state="succeeded")
    waiting = project.runs.filter(kind="generate", state="queued").order_by("pk")
    ended = []
    for run in waiting:
        owned = claim(run)
        say_samples(
            owned,
            lambda _prompt, _index, by_reference, who=run.policy: (
                "By the reference." if by_reference else f"By {who}."
            ),
        )
        finish(owned, {"samples": 1})
        results.settle(owned, "it left with status 0")
        ended.append(owned)
    return ended


LIKED = ["Policy 1 at step 20", "Policy 1 at step 30", "the reference", "Policy 1"]


def answer_all(project: Project, lena: Person, liked: list[str] = LIKED, most: int = 500) -> int:
    """Lena answers until nothing is left, always for the one that she likes more."""
    membership = project.memberships.get(user=lena.user)
    answered = 0
    while answered < most and (held := lease(membership, 1)):
        texts = [
            held[0].comparison.places.get(place=place).response.messages[0]["content"]
            for place in held[0].order
        ]
        ranks = [liked.index(text.removeprefix("By ").removesuffix(".")) for text in texts]
        best = ranks.index(min(ranks))
        submit(
            assignment=held[0],
            answer=Answer(outcome="prefer", tiers=[[best], [1 - best]], strength=1),
            idempotency_key=uuid.uuid4(),
        )
        answered += 1
    return answered


def turn(project: Project, lena: Person, liked: list[str] = LIKED) -> None:
    """Until neither machines nor people have anything to do in the arena."""
    for _ in range(20):
        loop.advance(project)
        if not write(project) + [None] * answer_all(project, lena, liked):
            return
    raise AssertionError("the arena does not end")


def test_steps_are_spaced_evenly_in_the_root_of_the_kl() -> None:
    distances = {10: 0.5, 20: 1.0, 30: 2.0, 40: 2.1, 50: 3.0}
    assert checkpoints.spaced(distances, [0.0, 4.0], 3) == [30, 50, 20]
    assert checkpoints.spaced({}, [0.0, 4.0], 3) == []
    assert checkpoints.spaced({10: 1.0}, [0.0, 4.0], 3) == [10]


def test_checkpoints_enter_the_arena_beside_the_last_state(
    project: Project, tuned: ModelVersion
) -> None:
    loop.advance(project)
    loop.advance(project)
    assert [str(state) for state in meetings.states_of(tuned)] == [
        "Policy 1", "Policy 1 at step 20", "Policy 1 at step 30",
    ]  # fmt: skip
    runs = project.runs.filter(kind="generate", purpose="arena").order_by("pk")
    assert [str(run.policy) for run in runs] == [
        "Policy 1", "Policy 1 at step 20", "Policy 1 at step 30",
    ]  # fmt: skip
    assert len({str(launch.read_data(run)) for run in runs}) == 1
    checkpoint = meetings.states_of(tuned)[1]
    assert checkpoint.source.endswith(f"{tuned.run_id}/checkpoints/checkpoint-20")


def test_what_the_guard_rolled_back_from_enters_too(project: Project) -> None:
    stop = {"step": 40, "sentence": "Too far."}
    policy = fine_tune(project, guard={"kept": 20, "stop": stop})
    Run.objects.filter(pk=policy.run_id).update(configuration={**STEPS, "guard": "stop"})
    loop.advance(project)
    assert [state.step for state in meetings.states_of(policy)] == [None, 30, 40]


def test_all_meet_the_reference_alike_before_anybody_is_chosen(
    project: Project, tuned: ModelVersion
) -> None:
    loop.advance(project)
    write(project)
    pairs = list(Match.objects.values_list("policy__step", "opponent__number"))
    assert sorted(pairs, key=str) == sorted(
        [(step, 0) for step in (None, 20, 30) for _ in range(meetings.UNIFORM)], key=str
    )
    assert set(project.comparisons.filter(kind="arena").values_list("stream")) == {("random",)}


def test_the_one_who_leads_is_believed_on_fresh_prompts_only(
    project: Project, tuned: ModelVersion, lena: Person
) -> None:
    turn(project, lena)
    told = project.decisions.get(what="found")
    assert str(told.version) == "Policy 1 at step 20"
    assert told.figures["ratings"]["Policy 1 at step 20"] > 0
    judged = project.decisions.get(what="judged")
    assert judged.version == told.version
    assert judged.run.purpose == "confirm"
    assert judged.figures["n"] == 14
    fresh = set(Match.objects.filter(run=judged.run).values_list("prompt", flat=True))
    before = set(Match.objects.exclude(run=judged.run).values_list("prompt", flat=True))
    assert not fresh & before
    assert meetings.verdict(told.version).n == 14

    drawn = project.comparisons.filter(stream="overlap")
    assert all(0 < p < 1 for p in drawn.values_list("selection_probability", flat=True))
    assert Match.objects.filter(opponent__is_reference=False).exists(), "states meet one another"
    spent = Match.objects.exclude(run=judged.run).count()
    assert spent <= 3 * 14 + meetings.WAVE


def test_by_default_a_manager_promotes_and_the_loop_waits(
    project: Project, tuned: ModelVersion, lena: Person, maya: Person
) -> None:
    turn(project, lena)
    assert rounds.in_service(project, "policy") == rounds.reference_of(project)
    assert "a manager's decision" in project.decisions.get(what="judged").reason
    leader = meetings.to_judge(tuned)
    assert leader is not None
    promotion.promote(version=leader, actor=maya.user)
    assert rounds.in_service(project, "policy") == leader
    told = project.decisions.filter(what="promoted").first()
    assert told is not None
    assert told.reason.startswith("Policy 1 at step 20 is in service. People preferred it")
    assert told.figures["win_rate"]["n"] == 14


def test_where_the_arena_decides_it_promotes_as_soon_as_the_answer_is_clear(
    project: Project, tuned: ModelVersion, lena: Person
) -> None:
    LoopPolicy.objects.update(promotion="arena", arena_prompts=15)
    loop.advance(project)
    write(project)
    while not project.decisions.filter(what="promoted", version__kind="policy").exists():
        loop.advance(project)
        write(project)
        assert answer_all(project, lena, most=1) or project.decisions.filter(what="judged").exists()
    judged = project.decisions.get(what="judged")
    assert judged.figures["n"] < 15
    assert judged.figures["low"] >= 0.5
    assert not project.comparisons.filter(kind="arena", state="open", done=0).exists()
    assert str(rounds.in_service(project, "policy")) == "Policy 1 at step 20"
    assert project.decisions.filter(what="promoted", actor=None).exists()


def test_where_the_arena_decides_a_policy_that_people_dislike_is_not_promoted(
    project: Project, tuned: ModelVersion, lena: Person
) -> None:
    LoopPolicy.objects.update(promotion="arena")
    turn(project, lena, ["the reference", *(name for name in LIKED if name != "the reference")])
    judged = project.decisions.get(what="judged")
    assert judged.figures["high"] <= 0.5
    assert rounds.in_service(project, "policy") == rounds.reference_of(project)
