import json
from pathlib import Path
from typing import Any

import pytest

from annotation.models import Project, Prompt
from rewardtrain import contract, ingest
from rewardtrain.launch import prepare, read_data, run_dir
from rewardtrain.models import Metric, Run
from tests.cast import Person
from tests.turning import add_run, add_version, claim, name_reference, say_metrics


@pytest.fixture
def project(project: Project) -> Project:
    name_reference(project)
    project.prompts.update(split=Prompt.Split.TRAIN)
    return project


def ask_for(person: Person, expected: int = 201, **what: Any) -> dict[str, Any]:
    answer = person.api.post("/api/projects/tales/runs/", what)
    assert answer.status_code == expected, answer.json()
    return answer.json()


def test_a_manager_freezes_and_trains_by_a_click(
    project: Project, maya: Person, lena: Person
) -> None:
    Project.objects.update(grace_seconds=0)
    lena.answer(project)
    shown = ask_for(maya, kind="reward")
    assert (shown["kind"], shown["state"], shown["requested_by"]) == ("reward", "queued", "maya")
    assert shown["batch"]["number"] == 1
    again = ask_for(maya, 409, kind="reward")
    assert again["error"]["code"] == "already_running"


def test_without_a_new_label_there_is_nothing_to_train_on(project: Project, maya: Person) -> None:
    refusal = ask_for(maya, 409, kind="reward")["error"]
    assert refusal["code"] == "nothing_new"
    assert refusal["fix"] == "Collect labels first."


def test_without_a_backbone_the_refusal_names_the_field(
    project: Project, maya: Person, lena: Person
) -> None:
    project.versions.all().delete()
    assert ask_for(maya, 409, kind="reward")["error"]["field"] == "reward_backbone"


def test_fine_tuning_is_refused_with_a_sentence_while_no_model_is_in_service(
    project: Project, maya: Person
) -> None:
    refusal = ask_for(maya, 409, kind="policy")["error"]
    assert refusal["code"] == "no_reward_model"
    assert refusal["message"].startswith("No reward model is in service")


def test_fine_tuning_takes_options_and_keeps_them(project: Project, maya: Person) -> None:
    reward_model = add_version(project, "reward", "provisional")
    shown = ask_for(maya, kind="policy", options={"steps": 12, "beta": 0.2})
    assert shown["reward_model"] == {"id": reward_model.pk, "number": 1, "step": None}
    configuration = maya.api.get(f"/api/runs/{shown['id']}/").json()["configuration"]
    assert (configuration["steps"], configuration["beta"]) == (12, 0.2)
    assert configuration["learning_rate"] == contract.PolicyConfig.learning_rate


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"steps": 0}, "options.steps"),
        ({"beta": -1}, "options.beta"),
        ({"policy": "/etc"}, "options.policy"),
        ({"warp": 9}, "options"),
        ({"steps": "many"}, "options"),
        ({"rewards": []}, "options.rewards"),
        ({"rewards": "model"}, "options.rewards"),
        ({"rewards": [{"kind": "luck"}]}, "options.rewards"),
        ({"rewards": [{"kind": "model", "weight": 0}]}, "options.rewards"),
        ({"rewards": [{"kind": "length", "weight": -1.0}]}, "options.rewards"),
        ({"rewards": [{"kind": "model"}, {"kind": "model"}]}, "options.rewards"),
        ({"rewards": [{"kind": "flag"}]}, "options.rewards"),
        ({"rewards": [{"kind": "checks", "name": "math"}]}, "options.rewards"),
        ({"rewards": [{"kind": "lower", "spreads": -1.0}]}, "options.rewards"),
    ],
)
def test_an_option_that_does_not_fit_is_named(
    project: Project, maya: Person, options: dict, field: str
) -> None:
    add_version(project, "reward", "provisional")
    refusal = ask_for(maya, 400, kind="policy", options=options)["error"]
    assert refusal["field"] == field
    assert next(iter(options)) in refusal["message"]
    assert not Run.objects.exists()


def test_rewards_are_a_list_and_the_story_names_them(project: Project, maya: Person) -> None:
    add_version(project, "reward", "provisional")
    flag = {"kind": "flag", "name": "hallucination", "weight": 0.5}
    rewards = [{"kind": "lower", "spreads": 2.0}, flag, {"kind": "length", "weight": 0.1}]
    shown = ask_for(maya, kind="policy", options={"rewards": rewards})
    run = Run.objects.get(pk=shown["id"])
    assert [part["weight"] for part in run.configuration["rewards"]] == [1.0, 0.5, 0.1]
    story = project.decisions.get(what="started").reason
    assert "against Reward model 1, hallucination and length, " in story
    given = contract.read_config(written(run)).rewards
    assert [part.title for part in given] == ["lower", "flag:hallucination", "length"]


def test_for_checks_alone_no_reward_model_is_needed(project: Project, maya: Person) -> None:
    options = {"rewards": [{"kind": "checks"}]}
    refusal = ask_for(maya, 409, kind="policy", options=options)["error"]
    assert (refusal["code"], refusal["field"]) == ("no_checks", "options.rewards")
    line = {"prompt": "Name the capital.", "checks": [{"kind": "exact", "text": "Paris"}]}
    report = maya.api.post("/api/projects/tales/prompts/", {"text": json.dumps(line)}).json()
    assert report["errors"] == []
    project.prompts.update(split=Prompt.Split.TRAIN)
    shown = ask_for(maya, kind="policy", options=options)
    run = Run.objects.get(pk=shown["id"])
    assert (shown["reward_model"], run.reward_model) == (None, None)
    # Prompts on which all answers earn the same would teach nothing.
    [row] = read_data(run)
    assert row["checks"] == line["checks"]
    assert contract.read_config(written(run)).reward_model is None
    assert maya.api.get(f"/api/runs/{run.pk}/").json()["lineage"]
    assert "against checks, " in project.decisions.get(what="started").reason


def written(run: Run) -> Path:
    """The directory of a run as its script finds it."""
    prepare(claim(run))
    return run_dir(run)


def test_the_run_with_hardly_any_anchor_comes_with_its_warning(
    project: Project, maya: Person
) -> None:
    add_version(project, "reward", "provisional")
    shown = ask_for(maya, kind="policy", hackable=True)
    run = Run.objects.get(pk=shown["id"])
    assert (run.configuration["beta"], run.configuration["learning_rate"]) == (1e-6, 1e-3)
    assert "hardly any anchor" in project.decisions.get(what="started").reason


def test_the_policy_is_asked_again_by_a_click(project: Project, maya: Person) -> None:
    shown = ask_for(maya, kind="generate", purpose="ask", prompts=2)
    assert (shown["purpose"], shown["policy"]["number"]) == ("ask", 0)
    lines = (run_dir(Run.objects.get()) / contract.DATA).read_text().splitlines()
    assert len(lines) == 2


def test_the_reference_alone_has_nobody_to_meet(project: Project, maya: Person) -> None:
    refusal = ask_for(maya, 409, kind="generate", purpose="arena")["error"]
    assert refusal["code"] == "no_candidate"


def test_without_held_out_prompts_there_is_no_arena(project: Project, maya: Person) -> None:
    add_version(project, "policy", "candidate")
    refusal = ask_for(maya, 409, kind="generate", purpose="arena")["error"]
    assert "held out" in refusal["message"]


def test_what_waits_says_how_many_run_before_it(project: Project, rita: Person) -> None:
    add_run(project)
    add_run(project)
    shown = rita.api.get("/api/projects/tales/runs/").json()["results"]
    assert [run["queue_position"] for run in shown] == [1, 0]


def test_metrics_come_after_a_step_and_the_latest_attempt_wins_it(
    project: Project, rita: Person
) -> None:
    run = claim(add_run(project))
    say_metrics(run, (1, {"loss": 0.9}), (2, {"loss": 0.8}), (3, {"loss": 0.7}))
    ingest.follow(run)
    Metric.objects.create(
        run=run, attempt=2, step=2, time=Metric.objects.earliest("pk").time, values={"loss": 0.5}
    )
    seen = rita.api.get(f"/api/runs/{run.pk}/metrics/").json()
    assert [(m["step"], m["values"]["loss"]) for m in seen["results"]] == [
        (1, 0.9), (2, 0.5), (3, 0.7),
    ]  # fmt: skip
    seen = rita.api.get(f"/api/runs/{run.pk}/metrics/?after=2").json()
    assert [m["step"] for m in seen["results"]] == [3]


def test_a_wrong_after_is_refused_with_a_sentence(project: Project, rita: Person) -> None:
    run = add_run(project)
    answer = rita.api.get(f"/api/runs/{run.pk}/metrics/?after=soon")
    assert answer.status_code == 400
    assert "whole number" in answer.json()["error"]["message"]


def test_the_log_is_its_last_64_kilobytes(project: Project, rita: Person) -> None:
    run = add_run(project)
    assert rita.api.get(f"/api/runs/{run.pk}/log/").json() == {"text": ""}
    (run_dir(run) / contract.LOG).write_text("first\n" + "x" * 70_000 + "\nlast\n")
    text = rita.api.get(f"/api/runs/{run.pk}/log/").json()["text"]
    assert len(text) == 64 * 1024
    assert text.endswith("last\n")


def test_samples_come_with_their_prompt_as_they_are_written(project: Project, rita: Person) -> None:
    run = add_run(project)
    assert rita.api.get(f"/api/runs/{run.pk}/samples/").json() == {"results": []}
    with (run_dir(run) / contract.SAMPLES).open("a") as file:
        for index in range(3):
            sample = contract.SampleRow(
                prompt=0, index=index, text=f"Tale {index}.", tokens=3, truncated=False,
                logprob=-4.0, kl=0.1, reward=1.5, step=5,
            )  # fmt: skip
            file.write(contract.encode(sample) + "\n")
        file.write('{"prompt": 0, "ind')
    seen = rita.api.get(f"/api/runs/{run.pk}/samples/?after=1").json()["results"]
    assert [(s["place"], s["text"], s["prompt"]) for s in seen] == [
        (2, "Tale 1.", "Tell a tale."), (3, "Tale 2.", "Tell a tale."),
    ]  # fmt: skip
    assert (seen[0]["step"], seen[0]["reward"], seen[0]["by_reference"]) == (5, 1.5, False)


def test_a_manager_cancels_and_tries_again(project: Project, maya: Person) -> None:
    run = add_run(project)
    assert maya.api.post(f"/api/runs/{run.pk}/cancel/").json()["state"] == "cancelled"
    again = maya.api.post(f"/api/runs/{run.pk}/cancel/")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ended")
    assert maya.api.post(f"/api/runs/{run.pk}/retry/").json()["state"] == "queued"


def test_a_runs_page_links_to_what_it_was_made_from(project: Project, rita: Person) -> None:
    run = add_run(project)
    shown = rita.api.get(f"/api/runs/{run.pk}/").json()
    policy = shown["policy"]["id"]
    assert shown["lineage"] == [
        {"type": "policy", "id": str(policy), "label": "Policy 0", "href": f"/models/{policy}"}
    ]
    assert shown["kl"] is None


def test_the_guards_levels_and_its_stop_are_shown(project: Project, maya: Person) -> None:
    run = add_run(project, "policy", policy=None, reference=None)
    shown = maya.api.get(f"/api/runs/{run.pk}/").json()
    assert (shown["guard"], shown["guard_standing"]) == (None, None)
    level = {"null": 0.4, "warning": [0.2, 0.6], "stop": [None, 0.8]}
    sample = {"prompt": "A tale?", "text": "And and and", "tokens": 3, "truncated": False}
    stop = {
        "step": 12,
        "since": 10,
        "sentence": "Stopped at step 12: entropy was 0.90.",
        "signals": ["entropy"],
        "samples": [{**sample, "reward": 2.0, "kl": 30.0, "repetition": 0.5}],
    }
    guard = {"standing": "stopped", "levels": {"entropy": level}, "stop": stop, "kept": 8}
    contract.write_json(run_dir(run) / contract.GUARD, {**guard, "scales": {}, "noise": 0.1})
    shown = maya.api.get(f"/api/runs/{run.pk}/").json()
    assert shown["guard"] == guard
    listed = maya.api.get("/api/projects/tales/runs/").json()["results"]
    assert listed[0]["guard_standing"] == "stopped"
