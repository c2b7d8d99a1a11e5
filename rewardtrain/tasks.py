"""Thin Celery tasks; the work is in worker.py, loop.py and checks.py."""

from celery import shared_task
from celery.signals import heartbeat_sent, worker_ready, worker_shutting_down
from django.db import close_old_connections

from annotation.queue import expire
from rewardtrain import checks, loop, presence, talk, worker
from rewardtrain import reply as replies
from rewardtrain import scoring as scorings


@shared_task
def work(queue: str) -> None:
    """Run what has waited longest on a queue."""
    close_old_connections()
    worker.work_off(queue)


@shared_task
def tick() -> None:
    """Look whether a project's circle has something to do next."""
    close_old_connections()
    loop.advance_all()


@shared_task
def reconcile() -> None:
    """Find lost runs, unheard ones, and what labelers left behind."""
    close_old_connections()
    worker.reconcile()
    checks.send_unheard()
    talk.send_unheard()
    scorings.send_unheard()
    expire()


@shared_task
def check_model(check: int) -> None:
    """Find out whether a model that a manager named can be loaded."""
    close_old_connections()
    checks.run(check)


@shared_task
def reply(turn: int, attempt: int) -> None:
    """Let the policy write the replies of a talk's turn."""
    close_old_connections()
    replies.write(turn, attempt)


@shared_task
def score(scoring: int) -> None:
    """Let a reward model score texts that somebody entered."""
    close_old_connections()
    scorings.score(scoring)


@heartbeat_sent.connect
def seen(sender, **_) -> None:
    presence.say(sender.eventer.app.amqp.queues.consume_from)


@worker_ready.connect
def look_for_lost_runs(**_) -> None:
    """A worker that was killed and started again takes up its run at once."""
    reconcile.apply_async(retry=False)


@worker_shutting_down.connect
def hand_back_runs(**_) -> None:
    worker.stopping.value = 1
