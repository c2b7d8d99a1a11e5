"""From what the guard names to people, to the next batch, and to the next reward model."""

import pytest

from annotation.asking import add_prompt
from annotation.batches import batch_lines, freeze
from annotation.models import Comparison, Project
from rewardtrain import contract, launch, loop, results, start, suspects
from rewardtrain.models import ModelVersion, Run, Suspect
from tests.cast import Person
from tests.turning import (
    add_version,
    claim,
    finish,
    name_reference,
    policy_report,
    reward_report,
    say_samples,
)

SPREAD = {"normalisation": {"mean": 0.0, "spread": 2.0}}


@pytest.fixture
def project(project: Project) -> Project:
    """Four training prompts, six held-out ones, a reward model in service."""
    project.comparisons.update(state=Comparison.State.CLOSED)
    project.prompts.update(split="train")
    for number in range(6):
        prompt, _ = add_prompt(project, [{"role": "user", "content": f"Tell tale {number}."}])
        type(prompt).objects.filter(pk=prompt.pk).update(split="heldout")
    project.grace_seconds = 0
    project.save()
    name_reference(project)
    add_version(project, "reward", "provisional", metrics=reward_report(**SPREAD))
    return project


def suspect(prompt: int, reward: float, attempt: int = 1, **fields) -> contract.SuspectRow:
    return contract.SuspectRow(
        prompt=prompt, step=20, text=f"Glad glad {prompt}.", reward=reward, kl=30.0,
        repetition=0.5, why="kl", attempt=attempt, **fields,
    )  # fmt: skip


@pytest.fixture
def tuned(project: Project) -> ModelVersion:
    """A run whose guard named one text on each of two prompts, and one in a lost attempt."""
    run = claim(start.start_policy(project, options={"steps": 30, "checkpoint_every": 10}))
    directory = launch.run_dir(run)
    rows = [suspect(3, 1.0, attempt=0), suspect(0, 2.0), suspect(0, 2.0), suspect(1, 3.0)]
    lines = "".join(contract.encode(row) + "\n" for row in rows)
    (directory / contract.SUSPECTS).write_text(lines)
    for step in (10, 20):
        folder = directory / contract.CHECKPOINTS / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / contract.COMPLETE).touch()
    finish(run, policy_report())
    results.settle(run, "it left with status 0")
    return ModelVersion.objects.get(run=run)


def score(project: Project, worth) -> Run:
    """The evaluate run that waits ends with worth(text) for every response."""
    run = project.runs.get(kind="evaluate", purpose="suspect", state="queued")
    Run.objects.filter(queue="infer", state="queued").exclude(pk=run.pk).update(state="cancelled")
    owned = claim(run)
    with (launch.run_dir(owned) / contract.SCORES).open("w") as file:
        for row in launch.read_data(owned):
            scores = [worth(response[-1]["content"]) for response in row["responses"]]
            file.write(contract.encode(contract.ScoreRow(row=row["row"], scores=scores)) + "\n")
    finish(owned, {})
    results.settle(owned, "it left with status 0")
    return owned


def write(project: Project) -> Run:
    """The checkpoint writes glad texts, gladder for later prompts."""
    run = claim(project.runs.get(kind="generate", purpose="suspect"))
    say_samples(
        run, lambda prompt, _, by_reference: "A tale." if by_reference else f"Glad {prompt}."
    )
    finish(run, {"samples": 1})
    results.settle(run, "it left with status 0")
    return run


def fooled(text: str) -> float:
    """What the fooled reward model gives: more for later prompts."""
    return 0.0 if text == "A tale." else 4.0 + int(text.rstrip(".").split()[-1])


def test_the_checkpoint_that_cheated_writes_to_the_same_prompts_and_to_held_out_ones(
    project: Project, tuned: ModelVersion
) -> None:
    run = project.runs.get(kind="generate", purpose="suspect")
    assert str(run.policy) == "Policy 1 at step 20"
    assert run.reward_model == tuned.reward_model
    rows = launch.read_data(run)
    assert len(rows) == 2 + 6


def test_suspects_are_asked_blind_on_both_splits_the_most_overrated_first(
    project: Project, tuned: ModelVersion
) -> None:
    write(project)
    score(project, fooled)
    asked = project.comparisons.filter(kind="suspect", state="open")
    assert asked.filter(prompt__split="train").count() == 2
    assert asked.filter(prompt__split="heldout").count() == 2
    assert set(Suspect.objects.filter(why="reward").values_list(
        "response__messages__0__content", flat=True
    )) == {"Glad 7.", "Glad 6."}  # fmt: skip
    assert not Suspect.objects.filter(response__messages__0__content="Glad glad 3.").exists()
    told = project.decisions.get(what="suspected")
    assert told.figures == {"asked": 4, "heldout": 2}


def test_a_run_without_suspects_asks_nothing(project: Project) -> None:
    run = claim(start.start_policy(project, options={"steps": 30}))
    finish(run, policy_report())
    results.settle(run, "it left with status 0")
    assert not project.runs.filter(purpose="suspect").exists()


def test_their_labels_train_the_next_model_and_the_story_says_what_it_pays(
    project: Project, tuned: ModelVersion, lena: Person, rita: Person
) -> None:
    write(project)
    score(project, fooled)
    project.comparisons.filter(kind="arena").update(state="closed")
    for _ in range(4):
        served = lena.api.post("/api/projects/tales/assignments/", {"want": 1}).json()
        texts = [r["messages"][0]["content"] for r in served["assignments"][0]["responses"]]
        best = texts.index("A tale.")
        lena.answer(project, tiers=[[best], [1 - best]])
    lines = list(batch_lines(freeze(project)))
    assert sorted(line["split"] for line in lines) == ["heldout", "heldout", "train", "train"]
    assert {line["kind"] for line in lines} == {"suspect"}

    run = Run.objects.get(kind="policy")
    assert suspects.preferred(run).losses == 4
    assert suspects.paid(run, tuned.reward_model)["mean"] > 2

    ModelVersion.objects.filter(kind="reward").update(stage="archived")
    add_version(project, "reward", "promoted", metrics=reward_report(**SPREAD))
    loop.advance(project)
    loop.advance(project)
    score(project, lambda text: 1.0 if text == "A tale." else 0.0)
    told = project.decisions.get(what="measured")
    assert told.figures["before"]["mean"] > 2
    assert told.figures["after"]["mean"] == -0.5
    (shown,) = rita.api.get("/api/projects/tales/arena/").json()["exploits"]
    assert (shown["suspects"], shown["preferred"]["losses"]) == (4, 4)
    assert shown["after_heldout"]["n"] == 2
    assert shown["reward_model"]["number"] == 2
