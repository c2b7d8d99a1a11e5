"""Read what a running script writes into the tables: metrics to the last whole line, its status.

Every write is fenced: it counts only while the run is still this worker's, in this attempt. What
was read and how far go into one transaction, so a worker killed in between repeats nothing.
"""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from rewardtrain import contract
from rewardtrain.launch import run_dir
from rewardtrain.models import Metric, Run

HEARTBEAT_EVERY = 5.0
"""Seconds between heartbeats while nothing else changes."""
AT_WORK = (Run.State.RUNNING, Run.State.CANCELLING)


def mine(run: Run) -> Run | None:
    """The run as it is now, locked, if this worker and attempt still own it."""
    return (
        Run.objects.select_for_update(of=("self",))
        .filter(pk=run.pk, attempt=run.attempt, worker=run.worker, state__in=AT_WORK)
        .first()
    )


@transaction.atomic
def follow(run: Run) -> Run | None:
    """Take in what is new; the run as it is now, or None when another owner has taken it."""
    now = mine(run)
    if now is None:
        return None
    metrics = _take_metrics(now)
    changed = _take_status(now)
    waited = (timezone.now() - now.heartbeat_at).total_seconds() if now.heartbeat_at else math.inf
    if metrics or changed or waited > HEARTBEAT_EVERY:
        now.heartbeat_at = timezone.now()
        now.save()
    return now


def _take_metrics(run: Run) -> int:
    """New whole lines of metrics.jsonl; a step that comes again in an attempt replaces itself."""
    lines, size = whole_lines(run_dir(run) / contract.METRICS, run.ingested_bytes)
    rows = {(line["attempt"], line["step"]): line for line in lines}
    Metric.objects.bulk_create(
        [
            Metric(
                run=run,
                attempt=attempt,
                step=step,
                time=datetime.fromtimestamp(line["time"], UTC),
                values=_finite(line["values"]),
            )
            for (attempt, step), line in rows.items()
        ],
        update_conflicts=True,
        unique_fields=["run", "attempt", "step"],
        update_fields=["time", "values"],
    )
    run.ingested_bytes += size
    return size


def whole_lines(path: Path, start: int) -> tuple[list[dict[str, Any]], int]:
    """The JSON lines of a file from byte `start` to its last newline, and how many bytes."""
    if not path.is_file():
        return [], 0
    with path.open("rb") as file:
        file.seek(start)
        new = file.read()
    whole = new[: new.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()], len(whole)


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """Postgres holds no NaN in JSON, and no chart could show one."""
    return {
        name: value
        for name, value in values.items()
        if not isinstance(value, float) or math.isfinite(value)
    }


def status_of(run: Run) -> contract.Status | None:
    """The script's status in this attempt; an earlier attempt's says nothing."""
    status = contract.read_status(run_dir(run))
    return status if status and status.attempt == run.attempt else None


def _take_status(run: Run) -> bool:
    status = status_of(run)
    if status is None:
        return False
    said = {
        "step": status.step,
        "steps": status.steps,
        "stage": status.stage[:200],
        "device": status.device[:120],
        "seconds_left": status.seconds_left,
    }
    changed = any(getattr(run, name) != value for name, value in said.items())
    for name, value in said.items():
        setattr(run, name, value)
    return changed
