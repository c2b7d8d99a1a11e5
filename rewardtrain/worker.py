"""What a worker does with runs: claim one, look after its process, and find those that were lost.

Postgres owns the queue. A Celery message says only that something waits on a queue; it may come
twice or never. A run is claimed by a row lock, and owned by the worker and attempt in its row.
"""

import logging
import multiprocessing
import os
import socket
import subprocess
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.utils import timezone

from rewardtrain import artifacts, contract, ingest, launch, loop, results, rounds, start
from rewardtrain.contract import ContractError
from rewardtrain.models import ModelVersion, Run
from rewardtrain.sources import UnusableSource

log = logging.getLogger(__name__)
State = Run.State

LOOK_EVERY = 0.5
"""Seconds between two looks at a running script."""
HAND_BACK_SECONDS = 4.0
"""For a last checkpoint: a server that stops gives its workers five seconds."""
DATABASE_GONE = (OperationalError, InterfaceError)
stopping = multiprocessing.RawValue("b", 0)
"""Set in the worker's main process when it shuts down; its pool process shares this memory."""


def work_off(queue: str) -> Run | None:
    """Run what has waited longest on `queue`, to its end; None when nothing waits."""
    run = claim(queue)
    if run is not None:
        look_after(run)
        loop.advance(run.project)
    return run


@transaction.atomic
def claim(queue: str) -> Run | None:
    run = (
        Run.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(queue=queue, state=State.QUEUED)
        .order_by("pk")
        .first()
    )
    if run is None:
        return None
    now = timezone.now()
    run.state, run.attempt, run.worker = State.RUNNING, run.attempt + 1, identity()
    run.heartbeat_at, run.started_at = now, run.started_at or now
    run.stage = "starting"
    if run.kind == Run.Kind.REWARD:
        run.reward_model = rounds.in_service(run.project, ModelVersion.Kind.REWARD)
    run.save()
    return run


def look_after(run: Run) -> None:
    """Start a claimed run's script and stay with it to the end.

    What an earlier attempt left running here is ended first.
    """
    launch.stop(run)
    try:
        launch.prepare(run)
        process = launch.spawn(run)
    except (ContractError, UnusableSource, OSError) as error:
        with transaction.atomic():
            if owned := ingest.mine(run):
                results.fail(owned, str(error))
        return
    Run.objects.filter(pk=run.pk, attempt=run.attempt).update(pid=process.pid)
    ending = watch(run, process)
    launch.stop(run)
    process.wait()
    if ending:
        end(run, ending)


def watch(run: Run, process: subprocess.Popen) -> str:
    """Follow the script; how it ended in words, or "" when this worker is to leave the run."""
    told_to_stop = False
    while process.poll() is None:
        try:
            now = ingest.follow(run)
        except DATABASE_GONE:
            # The script goes on; what it writes is taken in when the database is back.
            close_old_connections()
            time.sleep(LOOK_EVERY)
            continue
        if now is None:
            return ""
        if stopping.value:
            hand_back(run)
            return ""
        if now.state == State.CANCELLING and not told_to_stop:
            told_to_stop = True
            launch.ask_to_stop(run)
            launch.stop(run)
        time.sleep(LOOK_EVERY)
    code = process.returncode
    return f"it was killed by signal {-code}" if code < 0 else f"it left with status {code}"


def hand_back(run: Run) -> None:
    """The server stops: end the script at a checkpoint and queue the run for the next worker."""
    launch.stop(run, HAND_BACK_SECONDS)
    results.settle(run, "the server was stopped; it goes on at the next start", handed_back=True)


def end(run: Run, ending: str) -> None:
    """Settle a run whose processes are gone; one that cannot be taken in has failed."""
    try:
        status = ingest.status_of(run)
        if status and status.state == "succeeded":
            artifacts.push(launch.run_dir(run) / contract.MODEL)
        results.settle(run, ending)
    except DATABASE_GONE:
        raise
    except Exception as error:
        log.exception("Run %s could not be taken in.", run.pk)
        with transaction.atomic():
            if owned := ingest.mine(run):
                what = f"{type(error).__name__}: {error}"
                results.fail(owned, f"What it wrote could not be taken in ({what}).")


def reconcile() -> None:
    """Find runs that were lost, and say again what waits unheard."""
    for run in Run.objects.filter(state__in=ingest.AT_WORK):
        if abandoned(run) and take_over(run):
            launch.stop(run)
            end(run, "its worker vanished")
            loop.advance(run.project)
    unheard = timezone.now() - timedelta(seconds=settings.RECONCILE_SECONDS)
    for run in Run.objects.filter(state=State.QUEUED).order_by("pk"):
        busy = Run.objects.filter(queue=run.queue, state__in=ingest.AT_WORK).exists()
        if run.sent_at is None or (run.sent_at < unheard and not busy):
            start.send(run)


def abandoned(run: Run) -> bool:
    """Whether nobody looks after a run: its worker is gone, or silent for too long."""
    host, _, process = run.worker.partition(" ")
    if host == socket.gethostname() and not alive(process):
        return True
    silent = timedelta(seconds=settings.HEARTBEAT_SECONDS)
    return run.heartbeat_at is None or timezone.now() - run.heartbeat_at > silent


def take_over(run: Run) -> bool:
    """Become the run's owner, unless somebody else has just done so."""
    mine = identity()
    taken = Run.objects.filter(
        pk=run.pk, attempt=run.attempt, worker=run.worker, state__in=ingest.AT_WORK
    ).update(worker=mine, heartbeat_at=timezone.now())
    run.worker = mine
    return bool(taken)


def identity() -> str:
    """This process: host, id and start, since an id may be used again."""
    return f"{socket.gethostname()} {os.getpid()}/{started(os.getpid())}"


def alive(process: str) -> bool:
    """Whether the process of an `identity` on this host still lives."""
    pid, _, then = process.partition("/")
    return bool(then) and started(int(pid)) == then


def started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty when it has ended."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, ticks = after_name[0], after_name[19]
    return "" if state in "ZX" else ticks
