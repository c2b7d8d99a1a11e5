import pytest

from annotation.batches import freeze
from annotation.models import Batch, Project
from rewardtrain import start
from tests.cast import Person
from tests.turning import add_version


@pytest.fixture
def batch(project: Project, lena: Person, luis: Person) -> Batch:
    Project.objects.update(grace_seconds=0)
    project.refresh_from_db()
    lena.answer(project)
    lena.answer(project, outcome="tie", tiers=[[0, 1]], strength=None)
    luis.answer(project)
    return freeze(project)


def test_a_batch_says_who_gave_what(batch: Batch, rita: Person) -> None:
    shown = rita.api.get(f"/api/batches/{batch.pk}/").json()
    assert (shown["size"], shown["fresh"], shown["sha256"]) == (3, 3, batch.sha256)
    assert shown["labelers"] == [
        {"username": "lena", "count": 2}, {"username": "luis", "count": 1},
    ]  # fmt: skip
    assert shown["outcomes"] == {"prefer": 2, "tie": 1}
    assert shown["reward_model"] is shown["run"] is None


def test_a_batch_leads_to_what_was_learnt_from_it(
    project: Project, batch: Batch, rita: Person
) -> None:
    run = start.create(project, "reward", [], configuration={}, batch=batch)
    version = add_version(project, "reward", "provisional", run=run, batch=batch)
    shown = rita.api.get(f"/api/batches/{batch.pk}/").json()
    assert (shown["run"]["id"], shown["reward_model"]["id"]) == (run.pk, version.pk)


def test_its_preferences_show_the_better_response_first(batch: Batch, rita: Person) -> None:
    shown = rita.api.get(f"/api/batches/{batch.pk}/preferences/").json()
    assert shown["next"] is None
    assert [row["labeler"] for row in shown["results"]] == ["luis", "lena", "lena"]
    assert [[r["tier"] for r in row["responses"]] for row in shown["results"]] == [
        [0, 1], [0, 0], [0, 1],
    ]  # fmt: skip
    preference = batch.preferences.get(labeler__username="luis")
    best = preference.comparison.responses.get(pk=preference.tiers[0][0])
    assert shown["results"][0]["responses"][0]["messages"] == best.messages


def test_an_answer_after_the_freeze_is_not_in_it(
    project: Project, batch: Batch, lena: Person, rita: Person
) -> None:
    lena.answer(project)
    shown = rita.api.get(f"/api/batches/{batch.pk}/preferences/").json()
    assert len(shown["results"]) == 3
