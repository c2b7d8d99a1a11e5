"""The store that hosts share: what one of them made, where another can have it.

Without ARTIFACT_STORE nothing is copied: one host, or several on one disk. With it (a path, or an
address that fsspec knows, such as s3://bucket/vibecheck) a run's data and a finished run's model
are pushed, under their place in STORE_DIR, and fetched by the host that needs them.
"""

import os
import shutil
from pathlib import Path

import fsspec
from django.conf import settings


def push(path: Path) -> None:
    """Copy a file or folder of STORE_DIR into the shared store."""
    if not settings.ARTIFACT_STORE:
        return
    shared, root = fsspec.core.url_to_fs(settings.ARTIFACT_STORE)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            target = f"{root}/{file.relative_to(settings.STORE_DIR).as_posix()}"
            shared.makedirs(target.rpartition("/")[0], exist_ok=True)
            shared.put_file(str(file), target)


def fetch(path: Path) -> bool:
    """Bring a file or folder of STORE_DIR here unless it is; whether it is here now."""
    if path.exists() or not settings.ARTIFACT_STORE:
        return path.exists()
    shared, root = fsspec.core.url_to_fs(settings.ARTIFACT_STORE)
    place = f"{root}/{path.relative_to(settings.STORE_DIR).as_posix()}"
    # Whole or not at all: a host that is killed meanwhile must not leave half a model.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    for file in shared.find(place):
        target = draft / file.removeprefix(place).lstrip("/") if file != place else draft
        target.parent.mkdir(parents=True, exist_ok=True)
        shared.get_file(file, str(target))
    if draft.exists():
        os.replace(draft, path)
    return path.exists()
