"""Which queues have a worker that listens, by the heartbeats of Celery's main processes."""

from collections.abc import Iterable

from django.core.cache import cache

QUEUES = ("default", "infer", "live", "train")
SEEN_SECONDS = 15


def say(queues: Iterable[str]) -> None:
    """This worker listens on `queues`."""
    cache.set_many({f"worker-of-{queue}": True for queue in queues}, SEEN_SECONDS)


def listening() -> dict[str, bool]:
    seen = cache.get_many([f"worker-of-{queue}" for queue in QUEUES])
    return {queue: f"worker-of-{queue}" in seen for queue in QUEUES}
