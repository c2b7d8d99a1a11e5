"""Where a model comes from: a name on the hub, or a folder under a configured model root.

The database holds the source as a person entered it, or relative to a root, so that a store which
moves to another disk keeps its models.
"""

import re
from pathlib import Path

from django.conf import settings

from rewardtrain import artifacts

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


class UnusableSource(ValueError):
    """A source that is neither a folder under a model root nor a hub name; the text says why."""


def resolve(source: str) -> str:
    """The absolute folder of `source`, fetched from the shared store if need be, or the hub name.

    Raises:
        UnusableSource: a path outside of the model roots, or one that leads nowhere.
    """
    roots = [Path(root).resolve() for root in settings.MODEL_ROOTS]
    for folder in (Path(base, source).resolve() for base in (settings.BASE_DIR, *roots)):
        if folder.is_dir() and any(folder.is_relative_to(root) for root in roots):
            return str(folder)
    own, store = Path(settings.STORE_DIR, source), Path(settings.STORE_DIR).resolve()
    if own.resolve().is_relative_to(store) and artifacts.fetch(own) and own.is_dir():
        return str(own.resolve())
    if HUB_NAME.fullmatch(source) and not (settings.BASE_DIR / source).exists():
        return source
    raise UnusableSource(
        f"{source} is neither a name on the hub nor a folder under a model root "
        f"({', '.join(map(str, roots))}): put the model there, or add its folder to MODEL_ROOTS."
    )


def is_path(resolved: str) -> bool:
    return resolved.startswith("/")
