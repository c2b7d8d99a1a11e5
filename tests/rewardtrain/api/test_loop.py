from pathlib import Path

import pytest

from annotation.models import Event, Project
from rewardtrain import checks, rounds
from rewardtrain.demo.projects import POLICY
from rewardtrain.models import ModelCheck
from tests.cast import Person
from tests.turning import add_run, name_reference

LOOP = "/api/projects/tales/loop/"


def test_a_manager_names_policy_and_rules(project: Project, maya: Person) -> None:
    assert maya.api.get(LOOP).json()["policy"] is None
    shown = maya.api.patch(
        LOOP, {"policy": POLICY, "autopilot": True, "policy_options": {"steps": 5}}
    ).json()
    assert (shown["policy"], shown["autopilot"]) == (POLICY, True)
    reference = rounds.reference_of(project)
    assert reference is not None
    assert (reference.number, reference.stage) == (0, "promoted")
    assert Event.objects.filter(project=project, subject="loop").exists()


def test_a_change_leaves_the_other_rules_alone(project: Project, maya: Person) -> None:
    maya.api.patch(LOOP, {"policy": POLICY, "prompts_per_round": 7})
    shown = maya.api.patch(LOOP, {"arena_prompts": 9}).json()
    assert (shown["prompts_per_round"], shown["arena_prompts"]) == (7, 9)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"policy": "/etc"}, "policy"),
        ({"reward_backbone": "../../etc"}, "reward_backbone"),
        ({"policy_options": {"steps": -1}}, "policy_options.steps"),
        ({"policy_options": {"rewards": [{"kind": "luck"}]}}, "policy_options.rewards"),
        ({"reward_options": {"champion": "x"}}, "reward_options.champion"),
        ({"prompts_per_round": 0}, "prompts_per_round"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_changed(
    project: Project, maya: Person, change: dict, field: str
) -> None:
    before = maya.api.get(LOOP).json()
    answer = maya.api.patch(LOOP, {"autopilot": True, **change})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert maya.api.get(LOOP).json() == before


def test_a_reference_that_has_written_stays(project: Project, maya: Person) -> None:
    name_reference(project)
    add_run(project)
    answer = maya.api.patch(LOOP, {"policy": "gpt2"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "reference_used")


def check(maya: Person, source: str) -> dict:
    answer = maya.api.post("/api/projects/tales/model-checks/", {"source": source})
    assert answer.status_code == 201
    return answer.json()


def test_a_path_out_of_reach_is_refused_at_once(project: Project, maya: Person) -> None:
    shown = check(maya, "/etc")
    assert shown["state"] == "refused"
    assert "MODEL_ROOTS" in shown["reason"]


def test_a_worker_says_whether_a_model_loads(project: Project, maya: Person) -> None:
    shown = check(maya, POLICY)
    assert shown["state"] == "waiting"
    checks.run(shown["id"])
    shown = maya.api.get(f"/api/model-checks/{shown['id']}/").json()
    assert shown["state"] == "loadable"
    assert "M parameters" in shown["reason"]


def test_a_folder_without_a_model_is_refused_with_the_reason_and_not_its_path(
    project: Project, maya: Person, settings
) -> None:
    folder = Path(settings.STORE_DIR) / "no-model"
    folder.mkdir(parents=True, exist_ok=True)
    shown = check(maya, "no-model")
    checks.run(shown["id"])
    row = ModelCheck.objects.get(pk=shown["id"])
    assert row.state == "refused"
    assert "could not be loaded" in row.reason
    assert str(folder) not in row.reason
    answer = maya.api.patch("/api/projects/tales/loop/", {"reward_backbone": "no-model"})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "reward_backbone"
    assert "could not be loaded" in answer.json()["error"]["message"]
