"""What a model version came from, down to the people, and what has come of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count

from annotation.models import Batch, Preference
from rewardtrain.models import ModelVersion, Run


@dataclass(frozen=True)
class Link:
    """One step of a lineage; `href` is a page of the front end."""

    type: str
    id: int | str
    label: str
    href: str


def ancestors(version: ModelVersion) -> list[Link]:
    """Policy, run, reward model, batch, preferences, labelers: nearest first, each once."""
    return _once(_up(version))


def descendants(version: ModelVersion) -> list[Link]:
    """The runs that used the version, what they left, and so on: nearest first, each once."""
    links = _once(_down(version, set()))
    return [link for link in links if link != version_link(version)]


def _up(version: ModelVersion) -> Iterator[Link]:
    run = version.trained_by
    if run is None:
        return
    yield run_link(run)
    if run.kind == Run.Kind.POLICY:
        for parent in (run.policy, run.reference, run.reward_model):
            if parent is not None:
                yield version_link(parent)
                yield from _up(parent)
    if run.batch is not None:
        yield from batch_links(run.batch)


def _down(version: ModelVersion, seen: set[int]) -> Iterator[Link]:
    if version.pk in seen:
        return
    seen.add(version.pk)
    runs = Run.objects.filter(kind=Run.Kind.POLICY)
    used = (
        runs.filter(policy=version)
        | runs.filter(reference=version)
        | runs.filter(reward_model=version)
    )
    for run in used.distinct().order_by("pk"):
        yield run_link(run)
        for child in ModelVersion.objects.filter(run=run):
            yield version_link(child)
            yield from _down(child, seen)
            for checkpoint in child.checkpoints.order_by("step"):
                yield version_link(checkpoint)
    for batch in batches_about(version):
        yield batch_link(batch)
        for child in ModelVersion.objects.filter(batch=batch):
            yield version_link(child)
            yield from _down(child, seen)


def batches_about(version: ModelVersion) -> list[Batch]:
    """The batches that hold a preference on something the version wrote."""
    wrote = Preference.objects.filter(comparison__responses__generations__version=version)
    batches = Batch.objects.filter(items__preference__in=wrote.values("pk"))
    return list(batches.distinct().order_by("number"))


def version_link(version: ModelVersion) -> Link:
    type_ = "reward_model" if version.kind == ModelVersion.Kind.REWARD else "policy"
    return Link(type_, version.pk, str(version), f"/models/{version.pk}")


def run_link(run: Run) -> Link:
    return Link("run", run.pk, f"Run {run.pk}", f"/runs/{run.pk}")


def batch_link(batch: Batch) -> Link:
    return Link("batch", batch.pk, f"Batch {batch.number}", f"/batches/{batch.pk}")


def batch_links(batch: Batch) -> Iterator[Link]:
    """A batch, its preferences, and who gave them."""
    yield batch_link(batch)
    page = f"/batches/{batch.pk}"
    yield Link("preferences", batch.pk, f"{batch.size} preferences", f"{page}#preferences")
    for labeler in labelers_of(batch):
        label = f"{labeler['username']} ({labeler['count']})"
        yield Link("labelers", labeler["username"], label, f"{page}#labelers")


def labelers_of(batch: Batch) -> list[dict]:
    """Who gave the batch's preferences, and how many; imported ones have nobody."""
    rows = batch.preferences.values("labeler__username").annotate(count=Count("pk"))
    return [
        {"username": row["labeler__username"] or "import", "count": row["count"]}
        for row in rows.order_by("-count", "labeler__username")
    ]


def _once(links: Iterator[Link]) -> list[Link]:
    found: dict[tuple[str, int | str], Link] = {}
    for link in links:
        found.setdefault((link.type, link.id), link)
    return list(found.values())
