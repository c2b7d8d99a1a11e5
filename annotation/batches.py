"""Freezing: the only reader of preferences that training sees.

A batch is cumulative and fixed for good. Its canonical JSONL holds no database id, no name and no
time, so the same texts and answers give the same bytes, and the same sha256, in any database.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import Batch, BatchItem, Comparison, Preference, Project, Response
from annotation.models.asked import RANDOM
from annotation.preferences import countable

IN_FLIGHT_SECONDS = 60
"""Far longer than a submission takes to commit."""


IMPORTED = "import"
"""The labeler of what no person of ours answered."""


class NothingToFreeze(Exception):
    """No preference stands that an earlier batch does not hold."""


@transaction.atomic
def freeze(project: Project, *, actor: Any = None, now: datetime | None = None) -> Batch:
    """Fix all that is countable and older than the grace period as the project's next batch.

    Raises:
        NothingToFreeze: it would hold nothing that the last batch did not.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # Labelers go on.
    rows = list(
        countable(project)
        .filter(created_at__lte=_ripe_since(project, now))
        .select_related("comparison__prompt")
        .prefetch_related("comparison__places__response")
    )
    earlier = set(
        BatchItem.objects.filter(batch__project=project).values_list("preference_id", flat=True)
    )
    new = sum(row.pk not in earlier for row in rows)
    if not new:
        raise NothingToFreeze
    lines = canonical_lines(rows)
    last = _last(project)
    batch = Batch.objects.create(
        project=project,
        number=last.number + 1 if last else 1,
        size=len(rows),
        fresh=new,
        sha256=sha256_of_lines(lines),
        simulated=project.simulated,
        created_by=actor,
    )
    BatchItem.objects.bulk_create(
        BatchItem(batch=batch, preference=row, place=place) for place, (row, _) in enumerate(lines)
    )
    return batch


def fresh_count(project: Project, *, up_to: int | None = None) -> int:
    """Countable preferences that no batch holds yet, those within their grace included.

    With `up_to` the count stops there, and so does its cost.
    """
    return fresh(project)[:up_to].count()


def progress(project: Project) -> tuple[int, int]:
    """fresh_count up to freeze_at, and freeze_at: how far it is to the next batch."""
    last = _last(project)
    wanted = _freeze_at(project, last)
    return _fresh(project, last)[:wanted].count(), wanted


def ripe_count(project: Project, now: datetime | None = None) -> int:
    """Those of fresh_count that a batch frozen now would take: older than the grace period."""
    return fresh(project).filter(created_at__lte=_ripe_since(project, now)).count()


def freeze_at(project: Project) -> int:
    """New preferences at which a batch is frozen: `freeze_after`, and no fewer than a fifth of what
    is countable then, since fewer would hardly change what a model learns from all of them."""
    return _freeze_at(project, _last(project))


def batch_lines(batch: Batch) -> Iterator[dict[str, Any]]:
    """The batch's rows as training reads them, in canonical order.

    Raises:
        ValueError: the rows no longer give the batch's sha256.
    """
    rows = (
        Preference.objects.filter(batch_items__batch=batch)
        .select_related("comparison__prompt")
        .prefetch_related("comparison__places__response")
    )
    lines = canonical_lines(rows)
    if (found := sha256_of_lines(lines)) != batch.sha256:
        raise ValueError(f"batch {batch.pk} was frozen as {batch.sha256}, its rows give {found}.")
    return (values for _, values in lines)


def gold_lines(project: Project) -> list[dict[str, Any]]:
    """The project's golds with the answers expected of them, as lines beside those of a batch: a
    model is judged on them and never learns from them."""
    golds = (
        project.comparisons.filter(kind=Comparison.Kind.GOLD, expected__isnull=False)
        .select_related("prompt")
        .prefetch_related("places__response")
        .order_by("sha256")
    )
    return [
        _asked(gold, expected["tiers"])
        | {"outcome": expected["outcome"], "labeler": IMPORTED, "ranking": "complete"}
        for gold in golds
        if (expected := gold.expected)
    ]


def canonical_lines(
    rows: QuerySet[Preference] | list[Preference],
) -> list[tuple[Preference, dict[str, Any]]]:
    """Each preference with its line, ordered by content."""
    lines = [(row, _line(row)) for row in rows]
    aliases = _aliases(lines)
    named = [(row, values | {"labeler": aliases[row.labeler_id]}) for row, values in lines]
    return sorted(named, key=lambda pair: (pair[1]["comparison"], encode(pair[1])))


def sha256_of_lines(lines: list[tuple[Preference, dict[str, Any]]]) -> str:
    digest = hashlib.sha256()
    for _, values in lines:
        digest.update(encode(values).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def encode(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _ripe_since(project: Project, now: datetime | None) -> datetime:
    return (now or timezone.now()) - timedelta(seconds=project.grace_seconds)


def fresh(project: Project) -> QuerySet[Preference]:
    """Countable preferences that no batch holds yet."""
    return _fresh(project, _last(project))


def _last(project: Project) -> Batch | None:
    return Batch.objects.filter(project=project).order_by("-number").first()


def _freeze_at(project: Project, last: Batch | None) -> int:
    return max(project.freeze_after, -(-last.size // 4) if last else 0)


def _fresh(project: Project, last: Batch | None) -> QuerySet[Preference]:
    rows = countable(project)
    if last is None:
        return rows
    # The index on (project, created_at) bounds the count by what is new; an answer that was in
    # flight while the batch was frozen lies within the margin.
    margin = timedelta(seconds=project.grace_seconds + IN_FLIGHT_SECONDS)
    return rows.filter(created_at__gte=last.created_at - margin, batch_items__isnull=True)


def _aliases(lines: list[tuple[Preference, dict[str, Any]]]) -> dict[int | None, str]:
    """Labelers are told apart in training, never named: they are numbered by what they said.

    Two who said just the same may swap numbers, and the lines stay the same.
    """
    said: dict[int, list[str]] = defaultdict(list)
    for row, values in lines:
        if row.labeler_id is not None:
            said[row.labeler_id].append(encode(values))
    ordered = sorted(said, key=lambda labeler: sorted(said[labeler]))
    return {None: IMPORTED} | {pk: f"labeler {n}" for n, pk in enumerate(ordered, 1)}


def _line(row: Preference) -> dict[str, Any]:
    comparison = row.comparison
    responses = [place.response for place in comparison.places.all()]
    return {
        **_asked(comparison, row.tiers),
        "outcome": row.outcome,
        "ranking": row.ranking,
        "strength": row.strength,
        "levels": row.levels,
        # Lines of before anything was steered stay what they were.
        **({} if comparison.stream == RANDOM else {"stream": comparison.stream}),
        **_remarks(row, responses),
    }


def _asked(comparison: Comparison, tiers: list[list[int]]) -> dict[str, Any]:
    """What was asked, and an answer to it as places among the responses."""
    responses = [place.response for place in comparison.places.all()]
    place_of = {response.pk: place for place, response in enumerate(responses)}
    return {
        "comparison": comparison.sha256,
        "kind": comparison.kind,
        "thread_root": comparison.prompt.thread_root,
        "split": comparison.prompt.split,
        "messages": comparison.prompt.messages,
        "responses": [response.messages for response in responses],
        "tiers": [sorted(place_of[response] for response in tier) for tier in tiers],
    }


def _remarks(row: Preference, responses: list[Response]) -> dict[str, Any]:
    """Each response's flags and ratings, where any were given. Which were asked for is the
    project's and may change; a line may not."""
    remarks: dict[str, Any] = {}
    if row.flags:
        remarks["flags"] = [sorted(row.flags.get(str(r.pk), [])) for r in responses]
    if row.ratings:
        remarks["ratings"] = [row.ratings.get(str(r.pk), {}) for r in responses]
    return remarks
