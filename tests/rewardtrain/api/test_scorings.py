"""Scoring pasted texts, with the resident process doing the real work."""

from pathlib import Path

import pytest
import torch
from django.conf import settings

from annotation.models import Project
from rewardtrain import scoring
from rewardtrain.core.reward_model import Settings, start_reward_model
from rewardtrain.demo.projects import POLICY
from rewardtrain.models import ModelVersion, Scoring
from rewardtrain.resident import resident
from tests.cast import Person
from tests.turning import add_version

TEXTS = {"prompt": "Tell a tale.", "responses": ["A fox sang.", "A bear slept."]}


@pytest.fixture
def version(project: Project) -> ModelVersion:
    directory = Path(settings.STORE_DIR) / "scored"
    torch.manual_seed(0)
    model = start_reward_model(str(settings.BASE_DIR / POLICY), 128, torch.device("cpu"))
    model.add_heads(["member 1", "member 2", "flag:dull"])
    model.save(directory, Settings(max_length=128))
    version = add_version(project, "reward", "provisional")
    version.source = "scored"
    version.save()
    return version


@pytest.fixture(autouse=True)
def ended() -> None:
    yield
    resident.stop()


def test_texts_are_scored_once_and_shown_with_spread_and_flags(
    version: ModelVersion, rita: Person
) -> None:
    address = f"/api/models/{version.pk}/scorings/"
    asked = rita.api.post(address, TEXTS).json()
    assert (asked["state"], asked["responses"]) == ("waiting", [])
    scoring.score(asked["id"])
    done = rita.api.get(f"/api/scorings/{asked['id']}/").json()
    assert done["state"] == "done", done["error"]
    first, second = done["responses"]
    assert first["text"] == "A fox sang."
    assert first["score"] != second["score"]
    assert first["spread"] > 0
    assert [remark["name"] for remark in first["remarks"]] == ["flag:dull"]
    assert first["nearest"] == []
    assert rita.api.post(address, TEXTS).json() == done
    assert Scoring.objects.count() == 1


def test_what_failed_says_why_and_can_be_asked_again(version: ModelVersion, rita: Person) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(source="gone")
    address = f"/api/models/{version.pk}/scorings/"
    asked = rita.api.post(address, TEXTS).json()
    scoring.score(asked["id"])
    failed = rita.api.get(f"/api/scorings/{asked['id']}/").json()
    assert failed["state"] == "failed"
    assert "gone" in failed["error"]
    again = rita.api.post(address, TEXTS).json()
    assert (again["id"], again["state"]) == (asked["id"], "waiting")


def test_a_policy_does_not_score(project: Project, rita: Person) -> None:
    policy = add_version(project, "policy", "candidate")
    answer = rita.api.post(f"/api/models/{policy.pk}/scorings/", TEXTS)
    assert answer.status_code == 409
    assert "does not score" in answer.json()["error"]["message"]


@pytest.mark.parametrize("responses", [[], [""], ["x"] * 17])
def test_no_response_an_empty_one_or_too_many_are_refused(
    version: ModelVersion, rita: Person, responses: list[str]
) -> None:
    address = f"/api/models/{version.pk}/scorings/"
    answer = rita.api.post(address, {"prompt": "Tell a tale.", "responses": responses})
    assert answer.status_code == 400
