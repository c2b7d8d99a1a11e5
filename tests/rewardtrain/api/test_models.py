from typing import Any

import pytest

from annotation.batches import freeze
from annotation.models import Project, Response
from rewardtrain import start
from rewardtrain.models import Generation, ModelVersion, Run
from rewardtrain.options import configure
from tests.cast import Person
from tests.turning import add_run, add_version, name_reference


@pytest.fixture
def turned(project: Project, lena: Person, luis: Person) -> dict[str, Any]:
    """A circle that has turned once: labels, batch, reward model, fine-tuned policy."""
    Project.objects.update(grace_seconds=0)
    project.refresh_from_db()
    reference = name_reference(project)
    wrote = add_run(project)
    for response in Response.objects.all():
        Generation.objects.create(response=response, version=reference, run=wrote, index=0)
    lena.answer(project)
    lena.answer(project)
    luis.answer(project)
    batch = freeze(project)
    learnt = start.create(project, "reward", [], configuration={}, batch=batch)
    reward_model = add_version(project, "reward", "provisional", run=learnt, batch=batch)
    tuned = start.create(
        project, "policy", [], configuration=configure("policy", {}, seed=1),
        policy=reference, reference=reference, reward_model=reward_model,
    )  # fmt: skip
    policy = add_version(
        project, "policy", "candidate", run=tuned, parent=reference, reward_model=reward_model
    )
    return {
        "reference": reference, "batch": batch, "learnt": learnt, "reward_model": reward_model,
        "tuned": tuned, "policy": policy,
    }  # fmt: skip


def links(shown: dict[str, Any], way: str) -> list[tuple[str, str]]:
    return [(link["type"], link["label"]) for link in shown[way]]


def test_a_policy_leads_up_to_the_people_it_learnt_from(
    turned: dict[str, Any], rita: Person
) -> None:
    shown = rita.api.get(f"/api/models/{turned['policy'].pk}/").json()
    assert links(shown, "ancestors") == [
        ("run", f"Run {turned['tuned'].pk}"),
        ("policy", "Policy 0"),
        ("reward_model", "Reward model 1"),
        ("run", f"Run {turned['learnt'].pk}"),
        ("batch", "Batch 1"),
        ("preferences", "3 preferences"),
        ("labelers", "lena (2)"),
        ("labelers", "luis (1)"),
    ]
    assert shown["ancestors"][2]["href"] == f"/models/{turned['reward_model'].pk}"
    assert shown["run"]["id"] == turned["tuned"].pk


def test_the_reference_leads_down_to_all_that_came_of_it(
    turned: dict[str, Any], rita: Person
) -> None:
    shown = rita.api.get(f"/api/models/{turned['reference'].pk}/").json()
    assert links(shown, "descendants") == [
        ("run", f"Run {turned['tuned'].pk}"),
        ("policy", "Policy 1"),
        ("batch", "Batch 1"),
        ("reward_model", "Reward model 1"),
    ]


def test_a_reward_model_leads_both_ways(turned: dict[str, Any], rita: Person) -> None:
    shown = rita.api.get(f"/api/models/{turned['reward_model'].pk}/").json()
    assert ("batch", "Batch 1") in links(shown, "ancestors")
    assert links(shown, "descendants") == [
        ("run", f"Run {turned['tuned'].pk}"), ("policy", "Policy 1"),
    ]  # fmt: skip
    assert shown["accuracy"]["source"] == "folds"
    assert shown["win_rate"] is None


def test_every_link_of_the_lineage_is_a_page(turned: dict[str, Any], rita: Person) -> None:
    shown = rita.api.get(f"/api/models/{turned['policy'].pk}/").json()
    pages = {link["href"].split("#")[0] for link in shown["ancestors"]}
    assert pages
    for page in pages:
        assert rita.api.get(f"/api{page}/").status_code == 200, page


def test_the_list_is_newest_first(turned: dict[str, Any], rita: Person) -> None:
    shown = rita.api.get("/api/projects/tales/models/").json()["results"]
    assert [(v["kind"], v["number"]) for v in shown] == [
        ("policy", 1), ("reward", 1), ("policy", 0),
    ]  # fmt: skip


def test_a_manager_promotes_with_a_reason(turned: dict[str, Any], maya: Person) -> None:
    policy = turned["policy"]
    refused = maya.api.post(f"/api/models/{policy.pk}/promote/")
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "reason")
    shown = maya.api.post(f"/api/models/{policy.pk}/promote/", {"reason": "It reads well."}).json()
    assert shown["stage"] == "promoted"
    assert shown["decisions"][0]["actor"] == "maya"
    assert shown["decisions"][0]["reason"].endswith("It reads well.")
    assert ModelVersion.objects.get(pk=turned["reference"].pk).stage == "archived"


def test_a_manager_archives_what_is_not_in_use(turned: dict[str, Any], maya: Person) -> None:
    address = f"/api/models/{turned['policy'].pk}/archive/"
    Run.objects.update(state="succeeded")
    assert maya.api.post(address).json()["stage"] == "archived"
    assert maya.api.post(address).status_code == 409
