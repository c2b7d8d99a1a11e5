import uuid
from typing import Any

import pytest

from annotation.batches import freeze
from annotation.models import Demonstration, Preference, Project, Prompt
from rewardtrain import contract, launch, lessons
from rewardtrain.models import Run
from tests.cast import Person
from tests.turning import add_version, name_reference


@pytest.fixture
def project(project: Project) -> Project:
    name_reference(project)
    project.prompts.update(split=Prompt.Split.TRAIN)
    Project.objects.update(grace_seconds=0, rewrites=True)
    project.refresh_from_db()
    add_version(project, "reward", "provisional")
    return project


def fine_tune(maya: Person, method: str, expected: int = 201, **options: Any) -> dict[str, Any]:
    body = {"kind": "policy", "options": {"method": method, **options}}
    answer = maya.api.post("/api/projects/tales/runs/", body)
    assert answer.status_code == expected, answer.json()
    return answer.json()


def read_by_script(run: Run, row: type) -> list[Any]:
    """What the script will find in the run's directory."""
    launch.prepare(run)
    assert contract.read_config(launch.run_dir(run)).method == run.configuration["method"]
    return contract.read_rows(launch.run_dir(run) / contract.DATA, row)


def test_dpo_learns_from_the_decided_comparisons_of_the_newest_batch(
    project: Project, maya: Person, lena: Person
) -> None:
    refusal = fine_tune(maya, "dpo", 409)["error"]
    assert (refusal["code"], refusal["field"]) == ("no_decided", "options.method")
    lena.answer(project)
    lena.answer(project, outcome="tie", tiers=[[0, 1]], strength=None)
    batch = freeze(project)
    run = Run.objects.get(pk=fine_tune(maya, "dpo")["id"])
    assert run.batch == batch
    [row] = read_by_script(run, contract.ComparisonRow)
    assert row.outcome == "prefer"
    assert "from the reference by DPO on the decided comparisons of batch 1, 60 steps, KL" in (
        project.decisions.get(what="started").reason
    )


def test_dpo_never_sees_a_held_out_prompt(project: Project, maya: Person, lena: Person) -> None:
    project.prompts.update(split=Prompt.Split.HELDOUT)
    lena.answer(project)
    freeze(project)
    assert fine_tune(maya, "dpo", 409)["error"]["code"] == "no_decided"


def test_sft_learns_from_what_people_wrote_and_stand_by(
    project: Project, maya: Person, lena: Person
) -> None:
    assert fine_tune(maya, "sft", 409)["error"]["code"] == "no_demonstrations"
    lena.answer(project, rewrites={"0": {"text": "A better tale.", "active_ms": 900}})
    prompt = Demonstration.objects.get().prompt
    other = project.prompts.exclude(pk=prompt.pk)[0]
    Demonstration.objects.create(
        project=project, prompt=other, author=lena.user, how="written", text="My own tale."
    )
    run = Run.objects.get(pk=fine_tune(maya, "sft")["id"])
    rows = read_by_script(run, contract.DemonstrationRow)
    written = {row.text: row.messages for row in rows}
    assert written == {"A better tale.": prompt.messages, "My own tale.": other.messages}
    assert lessons.way_of(run) == "by SFT on what people wrote"
    # A rewrite falls with its preference; nothing of a held-out prompt is taught.
    key = Preference.objects.get().assignment.key
    undo = {"idempotency_key": str(uuid.uuid4())}
    assert lena.api.post(f"/api/assignments/{key}/retract/", undo).status_code == 201
    assert [row["text"] for row in lessons.demonstration_rows(project)] == ["My own tale."]
    project.prompts.update(split=Prompt.Split.HELDOUT)
    assert list(lessons.demonstration_rows(project)) == []


@pytest.mark.parametrize("method", ["rloo", "grpo", "rejection_sampling"])
def test_methods_that_let_the_policy_write_ask_the_training_prompts(
    project: Project, maya: Person, method: str
) -> None:
    run = Run.objects.get(pk=fine_tune(maya, method)["id"])
    assert len(read_by_script(run, contract.PromptRow)) == project.prompts.count()
    assert run.batch is None
    assert f"by {lessons.NAMES[method]} against Reward model 1, 60 steps" in (
        project.decisions.get(what="started").reason
    )


def test_a_method_that_is_not_known_is_refused(project: Project, maya: Person) -> None:
    refusal = fine_tune(maya, "ppo", 400)["error"]
    assert "must be one of rloo, grpo, rejection_sampling, dpo, sft" in refusal["message"]


def test_every_method_has_its_name() -> None:
    known = contract.PolicyConfig.__dataclass_fields__["method"].type.__args__
    assert lessons.NAMES.keys() == set(known)
