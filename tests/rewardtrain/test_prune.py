from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from annotation.models import Project
from rewardtrain import launch, prune
from rewardtrain.contract import COMPLETE
from rewardtrain.models import Run
from tests.cast import Person
from tests.turning import add_run, add_version


@pytest.fixture
def left(project: Project):
    """A run in a state, and the checkpoints it left: name to whether it is complete."""

    def leave(state: str, checkpoints: dict[str, bool]) -> Path:
        run = add_run(project)
        Run.objects.filter(pk=run.pk).update(state=state)
        folder = launch.run_dir(run) / "checkpoints/fit-1"
        for name, complete in checkpoints.items():
            (folder / name).mkdir(parents=True)
            (folder / name / "weights").write_bytes(b"0" * 1000)
            if complete:
                (folder / name / COMPLETE).touch()
        return folder

    return leave


def names() -> list[str]:
    return sorted(found.path.name for found in prune.spare())


def test_a_run_that_can_be_tried_again_keeps_its_last_checkpoint(left) -> None:
    left("failed", {"checkpoint-9": True, "checkpoint-10": True, "checkpoint-11": False})
    assert names() == ["checkpoint-11", "checkpoint-9"]


def test_a_finished_run_needs_no_checkpoint(left) -> None:
    left("succeeded", {"checkpoint-1": True, "checkpoint-2": True})
    assert names() == ["checkpoint-1", "checkpoint-2"]


def test_a_run_that_is_not_over_keeps_everything(left) -> None:
    left("running", {"checkpoint-1": True, "checkpoint-2": False})
    left("queued", {"checkpoint-1": True, "checkpoint-2": True})
    assert names() == []


def test_what_a_model_version_names_is_kept(left, project: Project, settings) -> None:
    folder = left("succeeded", {"checkpoint-1": True, "checkpoint-2": True})
    version = add_version(project, "policy", "candidate")
    version.source = str((folder / "checkpoint-2").relative_to(settings.STORE_DIR))
    version.save()
    assert names() == ["checkpoint-1"]


def test_a_manager_sees_what_may_go_with_its_size(left, project: Project, maya: Person) -> None:
    folder = left("failed", {"checkpoint-9": True, "checkpoint-10": True, "checkpoint-11": False})
    run = int(folder.parents[1].name)
    other = Project.objects.create(slug="other", name="Other")
    assert prune.spare(other) == []
    found = maya.api.get(f"/api/projects/{project.slug}/spare/").json()["results"]
    assert found == [
        {"run": run, "name": "checkpoint-11", "bytes": 1000, "why": "half_written"},
        {"run": run, "name": "checkpoint-9", "bytes": 1000, "why": "newer"},
    ]


def test_the_command_shows_sizes_and_deletes_only_when_told(left) -> None:
    folder = left("succeeded", {"checkpoint-1": True})
    out = StringIO()
    call_command("prune_runs", stdout=out)
    assert "0.0 MB in 1 folders may be removed" in out.getvalue()
    assert (folder / "checkpoint-1").is_dir()
    call_command("prune_runs", "--delete", stdout=out)
    assert not (folder / "checkpoint-1").exists()
    assert names() == []
