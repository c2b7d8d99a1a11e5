"""How a run ends, and what a finished one leaves: versions and scores (responses: written.py).

All that a run leaves is written in one transaction with its end, so a worker killed in between
leaves nothing, and the next one repeats it without doubling.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation.asking import sha256_of
from annotation.models import Project
from rewardtrain import (
    contract,
    ingest,
    launch,
    lessons,
    promotion,
    rounds,
    selection,
    start,
    suspects,
    written,
)
from rewardtrain.models import ModelVersion, Run, Score
from rewardtrain.rows import prompts_of

State, Purpose = Run.State, Run.Purpose
MOST_LOST = 3
"""A run whose process vanishes this often has failed."""


@transaction.atomic
def settle(run: Run, ending: str, *, handed_back: bool = False) -> Run | None:
    """Give a run whose processes are gone its end, by what it left; `ending` says how they ended.

    What was `handed_back` unfinished by a worker that stops is not counted as lost. None when
    another owner has taken the run.
    """
    now = ingest.follow(run)
    if now is None:
        return None
    status = ingest.status_of(now)
    state = status.state if status else ""
    report = launch.read_report(now)
    if state == "succeeded" and report is not None:
        _succeed(now, report)
    elif now.state == State.CANCELLING:
        _end(now, State.CANCELLED, stage="cancelled")
    elif state == "failed":
        assert status is not None
        fail(now, status.error)
    elif handed_back:
        wait_again(now, ending)
    else:
        lose(now, ending)
    return now


def fail(run: Run, error: str) -> None:
    _end(run, State.FAILED, error=error, stage="failed")
    rounds.tell(run.project, "failed", f"Run {run.pk} ({run.kind}) failed: {error}", run=run)


def lose(run: Run, ending: str) -> None:
    """Queue a run whose process vanished once more, or give it up."""
    if run.lost + 1 >= MOST_LOST:
        fail(run, f"Its process vanished {MOST_LOST} times; the last time {ending}.")
        return
    run.lost += 1
    wait_again(run, f"{ending}; it goes on from its last checkpoint")


def wait_again(run: Run, stage: str) -> None:
    """Hand the run back to the queue, at its place."""
    run.state, run.stage, run.sent_at, run.pid = State.QUEUED, stage[:200], None, None
    run.worker, run.heartbeat_at, run.seconds_left = "", None, None
    run.save()
    transaction.on_commit(lambda: start.send(run))


def _end(run: Run, state: str, *, error: str = "", stage: str) -> None:
    run.state, run.error, run.stage = state, error, stage
    run.finished_at, run.seconds_left, run.pid = timezone.now(), None, None
    run.save()


def _succeed(run: Run, report: dict[str, Any]) -> None:
    left = LEAVES[run.kind](run, report)
    run.report = {**report, **left}
    _end(run, State.SUCCEEDED, stage="finished")


def _leave_reward_model(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    version = _add_version(run, report, ModelVersion.Kind.REWARD, batch=run.batch)
    promotion.pass_gate(version)
    return {}


def _leave_policy(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    version = _add_version(
        run, report, ModelVersion.Kind.POLICY, parent=run.policy, reward_model=run.reward_model
    )
    before, after = report["before"], report["after"]
    tell_guard(run, version, report["guard"])
    rounds.tell(
        run.project,
        "fine-tuned",
        f"{version} was fine-tuned {lessons.way_of(run)}: proxy reward "
        f"{before['reward']['mean']:.2f} before, {after['reward']['mean']:.2f} after, KL to the "
        f"reference {after['kl']['mean']:.1f} nats. What people think of it is still to be asked.",
        figures={"before": before, "after": after},
        run=run,
        version=version,
    )
    suspects.follow_up(version)
    return {}


def tell_guard(run: Run, version: ModelVersion, guard: dict[str, Any]) -> None:
    """A line of the story where the guard ended a run, or only would have."""
    stop = guard["stop"]
    if stop is None:
        return
    ended = run.configuration["guard"] == "stop"
    kept = (
        f"{version} is the checkpoint of step {guard['kept']}, the last clean one."
        if ended
        else f"It was told only to watch, so {version} is that of the last step."
    )
    rounds.tell(
        run.project,
        "guard",
        f"The guard of run {run.pk}: {stop['sentence']} {kept}",
        figures=stop,
        run=run,
        version=version,
    )


def _add_version(run: Run, report: dict[str, Any], kind: str, **lineage: Any) -> ModelVersion:
    Project.objects.select_for_update(no_key=True).get(pk=run.project_id)
    return ModelVersion.objects.create(
        project=run.project,
        kind=kind,
        number=rounds.next_number(run.project, kind),
        source=launch.version_source(run),
        run=run,
        weights_sha256=report["hashes"]["weights"],
        data_sha256=report["hashes"]["data"],
        config_sha256=report["hashes"]["config"],
        metrics={name: value for name, value in report.items() if name != "hashes"},
        **lineage,
    )


def _leave_scores(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    """What the reward model gives each response that was scored."""
    if run.purpose == Purpose.MEASURE:
        return {}
    rows = launch.read_data(run)
    lines, _ = ingest.whole_lines(launch.run_dir(run) / contract.SCORES, 0)
    by_row = {line["row"]: line["scores"] for line in lines}
    given: dict[int, float] = {}
    for row, prompt in zip(rows, prompts_of(run, rows), strict=True):
        responses = {r.sha256: r.pk for r in prompt.responses.all()}
        for messages, score in zip(row["responses"], by_row[row["row"]], strict=True):
            given[responses[sha256_of(messages)]] = score
    Score.objects.bulk_create(
        [
            Score(response_id=response, version=run.reward_model, value=value)
            for response, value in given.items()
        ],
        ignore_conflicts=True,
    )
    if run.purpose == Purpose.SUSPECT:
        suspects.leave_scores(run)
    return {}


LEAVES: dict[str, Callable[[Run, dict[str, Any]], dict[str, Any]]] = {
    Run.Kind.REWARD: _leave_reward_model,
    Run.Kind.POLICY: _leave_policy,
    Run.Kind.GENERATE: written.leave_responses,
    Run.Kind.EVALUATE: _leave_scores,
    Run.Kind.SELECT: selection.leave_comparisons,
}
