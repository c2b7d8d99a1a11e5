"""What runs left on the disk that nothing needs any more, and how large it is.

Kept are: everything of a run that is not over; the newest complete checkpoint of one that failed or
was cancelled, from which it can be tried again; every model and checkpoint that a model version
names, and the earlier states of a policy that is not archived. What is left of the checkpoints may
go.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from django.conf import settings

from annotation.models import Project
from rewardtrain import contract, launch
from rewardtrain.models import ModelVersion, Run

Why = Literal["finished", "half_written", "newer"]
WORDS = {
    "finished": "run {run} succeeded",
    "half_written": "run {run} was ended while writing it",
    "newer": "run {run} has a newer one",
}


@dataclass(frozen=True)
class Spare:
    run: int
    path: Path
    size: int
    """Bytes."""
    why: Why
    """Its run succeeded, or was ended while writing it, or has a newer one to go on from."""


def spare(project: Project | None = None) -> list[Spare]:
    """The checkpoints that may be deleted, the largest first; of all projects or of one."""
    named = {Path(settings.STORE_DIR, source) for source in _sources()}
    runs = Run.objects.all() if project is None else project.runs.all()
    found = [
        Spare(run.pk, path, size_of(path), why)
        for run in runs.exclude(state__in=Run.ACTIVE)
        for path, why in _spare_of(run)
        if path not in named
    ]
    return sorted(found, key=lambda one: (-one.size, str(one.path)))


def _sources() -> list[str]:
    return list(ModelVersion.objects.values_list("source", flat=True))


def _spare_of(run: Run) -> Iterator[tuple[Path, Why]]:
    over = run.state == Run.State.SUCCEEDED
    if over and run.kind == Run.Kind.POLICY and _may_be_met(run):
        return
    checkpoints = launch.run_dir(run) / contract.CHECKPOINTS
    for folder in {path.parent for path in checkpoints.rglob("checkpoint-*") if path.is_dir()}:
        paths = sorted(folder.glob("checkpoint-*"), key=_step)
        whole = [path for path in paths if (path / contract.COMPLETE).is_file()]
        for path in paths:
            if over:
                yield path, "finished"
            elif path not in whole:
                yield path, "half_written"
            elif path != whole[-1]:
                yield path, "newer"


def _may_be_met(run: Run) -> bool:
    """Whether the arena may still ask for earlier states of what the run left."""
    return ModelVersion.objects.filter(run=run).exclude(stage=ModelVersion.Stage.ARCHIVED).exists()


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def size_of(path: Path) -> int:
    """Bytes of a folder's files."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def delete(found: Spare) -> None:
    shutil.rmtree(found.path)
