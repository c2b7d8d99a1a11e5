from typing import Any

import pytest
from django.core.cache import cache

from annotation import asking
from annotation.models import Project, Prompt
from rewardtrain import loop, presence, results, rounds
from rewardtrain.models import Run
from tests.cast import Person
from tests.turning import add_run, add_version, claim, finish, name_reference, reward_report


@pytest.fixture
def project(project: Project) -> Project:
    project.freeze_after, project.grace_seconds = 3, 0
    project.save()
    name_reference(project)
    return project


def circle(person: Person) -> dict[str, Any]:
    answer = person.api.get("/api/projects/tales/circle/")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_it_waits_for_labels_and_says_how_many(
    project: Project, rita: Person, lena: Person
) -> None:
    lena.answer(project)
    seen = circle(rita)
    assert seen["waits_for"] == "labels"
    assert seen["waits_sentence"] == "2 more labels until the next reward model."
    assert seen["labels"] == {"new": 1, "countable": 1, "freeze_after": 3, "open": 3}
    assert seen["policy"] == {
        "id": rounds.reference_of(project).pk, "number": 0, "stage": "promoted",
        "is_reference": True,
    }  # fmt: skip
    assert seen["reward_model"] is seen["batch"] is seen["candidate"] is seen["win_rate"] is None


def test_it_waits_for_the_grace_of_the_last_answer(
    project: Project, rita: Person, lena: Person
) -> None:
    Project.objects.update(grace_seconds=600)
    for _ in range(3):
        lena.answer(project)
    seen = circle(rita)
    assert seen["waits_for"] == "labels"
    assert "can no longer be undone (600 s)" in seen["waits_sentence"]


def test_an_open_alarm_comes_before_everything_until_a_manager_has_ended_it(
    project: Project, rita: Person, lena: Person, maya: Person
) -> None:
    for _ in range(3):
        lena.answer(project)
    loop.advance(project)
    lena.api.post("/api/projects/tales/alarms/", {"note": "All answers are the same."})
    seen = circle(rita)
    assert seen["waits_for"] == "alarm"
    assert "until a manager has looked" in seen["waits_sentence"]
    (alarm,) = rita.api.get("/api/projects/tales/alarms/").json()["results"]
    maya.api.post(f"/api/alarms/{alarm['id']}/end/")
    assert circle(rita)["waits_for"] == "reward_run"


def test_a_run_at_work_is_what_it_waits_for(project: Project, rita: Person, lena: Person) -> None:
    for _ in range(3):
        lena.answer(project)
    loop.advance(project)
    seen = circle(rita)
    run = Run.objects.get()
    assert seen["waits_for"] == "reward_run"
    assert seen["waits_sentence"].endswith("It waits for a worker.")
    assert seen["batch"]["size"] == 3
    assert [shown["id"] for shown in seen["runs"]] == [run.pk]
    assert seen["runs"][0]["queue_position"] == 0
    assert [step["done"] for step in seen["rounds"][0]["steps"]] == [True] + [False] * 4
    assert seen["story"][0]["what"] == "frozen"
    assert seen["story"][0]["run"] == run.pk


def test_a_model_in_service_waits_for_a_manager_to_start(
    project: Project, rita: Person, lena: Person
) -> None:
    for _ in range(3):
        lena.answer(project)
    loop.advance(project)
    run = claim(Run.objects.get())
    finish(run, reward_report())
    results.settle(run, "it left")
    seen = circle(rita)
    assert seen["waits_for"] == "start_policy"
    assert seen["reward_model"]["stage"] == "provisional"
    assert seen["reward_model"]["accuracy"] == {
        "n": 90, "value": 0.75, "low": 0.65, "high": 0.83, "source": "folds",
    }  # fmt: skip


def test_a_candidate_shows_its_win_rate_once_it_has_met(project: Project, rita: Person) -> None:
    add_version(project, "policy", "candidate")
    seen = circle(rita)
    assert seen["candidate"]["number"] == 1
    assert seen["win_rate"] is None


def test_it_says_which_workers_listen(project: Project, rita: Person) -> None:
    cache.clear()
    assert circle(rita)["workers"] == {
        "train": False, "infer": False, "live": False, "default": False, "device": "",
    }  # fmt: skip
    presence.say(["train", "infer"])
    add_run(project)
    Run.objects.update(device="CPU, 1 thread")
    assert circle(rita)["workers"] == {
        "train": True, "infer": True, "live": False, "default": False, "device": "CPU, 1 thread",
    }  # fmt: skip


def test_it_can_be_tuned_once_something_tells_answers_apart(project: Project, rita: Person) -> None:
    project.prompts.update(split=Prompt.Split.TRAIN)
    assert not circle(rita)["tunable"]
    prompt = project.prompts.first()
    asking.set_checks(project, [(prompt, [{"kind": "exact", "text": "Paris"}])])
    assert circle(rita)["tunable"]
    asking.set_checks(project, [(prompt, [])])
    add_version(project, "reward", "provisional")
    assert circle(rita)["tunable"]
