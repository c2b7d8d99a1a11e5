import os
import subprocess
import sys
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from annotation.models import Project
from annotation.refused import Refused
from rewardtrain import start, worker
from rewardtrain.api.rows import RunSerializer
from rewardtrain.models import Run
from tests.turning import add_run, add_version, claim


def position(run: Run) -> int | None:
    return RunSerializer(Run.objects.get(pk=run.pk)).data["queue_position"]


def messages(queue: str) -> int:
    return redis.Redis.from_url(settings.REDIS_URL).llen(queue)


@pytest.fixture
def empty_queues() -> None:
    redis.Redis.from_url(settings.REDIS_URL).delete("infer", "train")


def test_runs_are_claimed_in_the_order_in_which_they_were_asked_for(project: Project) -> None:
    first, second = add_run(project), add_run(project)
    assert [position(first), position(second)] == [0, 1]
    claim(first)
    assert [position(first), position(second)] == [None, 1]
    claim(second)
    assert worker.claim("infer") is None


def test_a_queue_gives_only_its_own_runs(project: Project) -> None:
    add_run(project)
    assert worker.claim("train") is None


def test_each_claim_is_an_attempt(project: Project) -> None:
    run = claim(add_run(project))
    assert (run.attempt, run.state) == (1, "running")
    Run.objects.filter(pk=run.pk).update(state="queued")
    assert claim(run).attempt == 2


def test_a_reward_run_meets_the_model_in_service_when_it_begins(project: Project) -> None:
    run = add_run(project, "reward")
    champion = add_version(project, "reward", "provisional")
    assert claim(run).reward_model == champion


def test_asking_for_a_run_tells_a_worker_after_the_commit(
    project: Project, empty_queues: None, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = add_run(project)
        assert messages("infer") == 0
    assert messages("infer") == 1
    assert Run.objects.get(pk=run.pk).sent_at is not None


def test_what_was_never_sent_is_sent_by_reconcile(project: Project, empty_queues: None) -> None:
    add_run(project)
    worker.reconcile()
    assert messages("infer") == 1
    worker.reconcile()
    assert messages("infer") == 1


def test_what_was_sent_in_vain_is_sent_again(project: Project, empty_queues: None) -> None:
    run = add_run(project)
    long_ago = timezone.now() - timedelta(seconds=settings.RECONCILE_SECONDS + 1)
    Run.objects.filter(pk=run.pk).update(sent_at=long_ago)
    worker.reconcile()
    assert messages("infer") == 1


def test_what_waits_behind_a_run_at_work_is_not_sent_again(
    project: Project, empty_queues: None
) -> None:
    claim(add_run(project))
    waiting = add_run(project)
    long_ago = timezone.now() - timedelta(seconds=settings.RECONCILE_SECONDS + 1)
    Run.objects.filter(pk=waiting.pk).update(sent_at=long_ago)
    worker.reconcile()
    assert messages("infer") == 0


def test_a_run_whose_worker_lives_is_left_alone(project: Project) -> None:
    run = claim(add_run(project))
    worker.reconcile()
    assert Run.objects.get(pk=run.pk).state == "running"


def test_a_run_whose_worker_has_ended_is_queued_again_at_once(project: Project) -> None:
    run = claim(add_run(project))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = worker.identity().partition(" ")[0]
    Run.objects.filter(pk=run.pk).update(worker=f"{host} {ended.pid}/123")
    worker.reconcile()
    run.refresh_from_db()
    assert (run.state, run.lost, run.worker) == ("queued", 1, "")


def test_a_process_id_that_was_used_again_is_not_the_worker(project: Project) -> None:
    run = claim(add_run(project))
    host = worker.identity().partition(" ")[0]
    Run.objects.filter(pk=run.pk).update(worker=f"{host} {os.getpid()}/1")
    worker.reconcile()
    assert Run.objects.get(pk=run.pk).lost == 1


def test_a_worker_of_another_host_is_lost_when_it_is_silent_for_too_long(project: Project) -> None:
    run = claim(add_run(project))
    silent = timezone.now() - timedelta(seconds=settings.HEARTBEAT_SECONDS - 5)
    Run.objects.filter(pk=run.pk).update(worker="elsewhere 1/1", heartbeat_at=silent)
    worker.reconcile()
    assert Run.objects.get(pk=run.pk).state == "running"
    Run.objects.filter(pk=run.pk).update(heartbeat_at=silent - timedelta(seconds=10))
    worker.reconcile()
    assert Run.objects.get(pk=run.pk).state == "queued"


def test_a_queued_run_is_cancelled_at_once_and_never_claimed(project: Project) -> None:
    run = start.cancel(add_run(project), actor=None)
    assert run.state == "cancelled"
    assert worker.claim("infer") is None


def test_what_has_ended_cannot_be_cancelled(project: Project) -> None:
    run = start.cancel(add_run(project), actor=None)
    with pytest.raises(Refused, match="already ended"):
        start.cancel(run, actor=None)


def test_a_cancelled_run_can_be_tried_again(project: Project) -> None:
    run = start.cancel(add_run(project), actor=None)
    assert start.retry(run, actor=None).state == "queued"
    assert claim(run).attempt == 1


def test_a_run_at_work_cannot_be_tried_again(project: Project) -> None:
    run = claim(add_run(project))
    with pytest.raises(Refused, match="already"):
        start.retry(run, actor=None)


def test_a_model_that_is_gone_fails_the_run_with_the_reason(project: Project) -> None:
    run = add_run(project)
    project.versions.filter(is_reference=True).update(source="/gone")
    worker.work_off("infer")
    run.refresh_from_db()
    assert run.state == "failed"
    assert "/gone is neither" in run.error
