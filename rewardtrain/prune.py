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

from django.conf import settings

from rewardtrain import contract, launch
from rewardtrain.models import ModelVersion, Run


@dataclass(frozen=True)
class Spare:
    path: Path
    size: int
    """Bytes."""
    why: str


def spare() -> list[Spare]:
    """The checkpoints that may be deleted, the largest first."""
    named = {Path(settings.STORE_DIR, source) for source in _sources()}
    found = [
        Spare(path, size_of(path), why)
        for run in Run.objects.exclude(state__in=Run.ACTIVE)
        for path, why in _spare_of(run)
        if path not in named
    ]
    return sorted(found, key=lambda one: (-one.size, str(one.path)))


def _sources() -> list[str]:
    return list(ModelVersion.objects.values_list("source", flat=True))


def _spare_of(run: Run) -> Iterator[tuple[Path, str]]:
    over = run.state == Run.State.SUCCEEDED
    if over and run.kind == Run.Kind.POLICY and _may_be_met(run):
        return
    checkpoints = launch.run_dir(run) / contract.CHECKPOINTS
    for folder in {path.parent for path in checkpoints.rglob("checkpoint-*") if path.is_dir()}:
        paths = sorted(folder.glob("checkpoint-*"), key=_step)
        whole = [path for path in paths if (path / contract.COMPLETE).is_file()]
        for path in paths:
            if over:
                yield path, f"run {run.pk} succeeded"
            elif path not in whole:
                yield path, f"run {run.pk} was ended while writing it"
            elif path != whole[-1]:
                yield path, f"run {run.pk} has a newer one"


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
