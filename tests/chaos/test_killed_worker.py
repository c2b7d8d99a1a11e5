"""A worker killed by SIGKILL at work: its run is taken up again, and nothing is doubled."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from annotation.models import Project
from config.celery import app
from rewardtrain import launch, loop, rounds, start
from rewardtrain.models import Decision, Metric, ModelVersion, Run
from tests.cast import Person
from tests.turning import add_run, name_reference

Start = Callable[..., subprocess.Popen]


@pytest.fixture
def long_run(project: Project, lena: Person, worker_env: dict[str, str]) -> Iterator[Run]:
    """A reward run of some hundred steps, with a checkpoint every twenty, and nobody at it yet."""
    name_reference(project)
    Project.objects.filter(pk=project.pk).update(grace_seconds=0, heldout_share=0)
    project.refresh_from_db()
    project.prompts.update(split="train")
    for _ in range(4):
        lena.answer(project)
    rules = rounds.rules_of(project)
    rules.reward_options = {
        "epochs": 40, "batch_size": 1, "folds": 0, "checkpoint_every": 20,
    }  # fmt: skip
    rules.save()
    run = start.start_reward(project)
    yield run
    launch.stop(run)


def wait(run: Run, until: Callable[[Run], bool], seconds: float = 120) -> Run:
    deadline = time.monotonic() + seconds
    while True:
        now = Run.objects.get(pk=run.pk)
        if until(now):
            return now
        assert now.state != Run.State.FAILED, now.error
        assert time.monotonic() < deadline, f"{now}: {now.stage}, step {now.step}"
        time.sleep(0.1)


def kill(process: subprocess.Popen) -> None:
    """The worker and its pool, as the kernel does when memory runs out; not the script."""
    main = psutil.Process(process.pid)
    for member in [*main.children(recursive=True), main]:
        if "train_reward" not in " ".join(member.cmdline()):
            member.kill()
    process.wait()


def at_step(step: int) -> Callable[[Run], bool]:
    return lambda run: run.step >= step


def ended(run: Run) -> bool:
    return run.state not in Run.ACTIVE


def test_a_killed_workers_run_goes_on_in_the_next_one_and_leaves_one_model(
    long_run: Run, worker: Start
) -> None:
    kill(worker_at(long_run, worker))
    killed_at = Metric.objects.filter(run=long_run).count()
    worker("default", "train")
    done = wait(long_run, ended)
    assert (done.state, done.attempt, done.lost) == ("succeeded", 2, 1), done.error
    assert ModelVersion.objects.filter(run=done).count() == 1
    assert Decision.objects.filter(run=done, what__in=["promoted", "refused"]).count() == 1
    steps = list(Metric.objects.filter(run=done).values_list("attempt", "step"))
    assert len(steps) == len(set(steps))
    assert {step for _, step in steps} == set(range(1, done.steps + 1))
    again = [step for attempt, step in steps if attempt == 2]
    assert killed_at > 20
    assert min(again) > 20, "the second attempt began anew instead of at its last checkpoint"


def worker_at(run: Run, worker: Start) -> subprocess.Popen:
    """A worker that is in the middle of the run."""
    process = worker("default", "train")
    wait(run, at_step(45))
    return process


def test_the_killed_workers_script_does_not_outlive_it(long_run: Run, worker: Start) -> None:
    process = worker_at(long_run, worker)
    run = Run.objects.get(pk=long_run.pk)
    assert len(launch.processes_of(run)) == 1
    kill(process)
    deadline = time.monotonic() + 10
    while launch.processes_of(run):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_a_script_left_finished_is_taken_in_without_another_attempt(
    long_run: Run, worker: Start
) -> None:
    """The worker is killed, and its script ends well before anyone looks."""
    process = worker("default", "train")
    run = wait(long_run, at_step(5))
    pool = psutil.Process(process.pid).children()
    for member in [psutil.Process(process.pid), *pool]:
        member.suspend()
    path = launch.run_dir(run) / "status.json"
    deadline = time.monotonic() + 120
    while '"succeeded"' not in path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    for member in pool:
        member.kill()
    process.wait()
    worker("default")
    done = wait(run, ended)
    assert (done.state, done.attempt, done.lost) == ("succeeded", 1, 0)
    assert ModelVersion.objects.filter(run=done).count() == 1
    assert Metric.objects.filter(run=done).count() == done.steps


def test_a_stopped_worker_hands_its_run_back_at_a_checkpoint(long_run: Run, worker: Start) -> None:
    process = worker_at(long_run, worker)
    process.terminate()
    process.wait(20)
    waiting = Run.objects.get(pk=long_run.pk)
    assert (waiting.state, waiting.lost) == ("queued", 0)
    assert launch.processes_of(waiting) == []
    worker("train")
    done = wait(long_run, ended)
    assert (done.state, done.attempt) == ("succeeded", 2)


def test_cancel_ends_the_whole_group_within_ten_seconds(long_run: Run, worker: Start) -> None:
    worker_at(long_run, worker)
    run = Run.objects.get(pk=long_run.pk)
    began = time.monotonic()
    start.cancel(run, actor=None)
    cancelled = wait(run, ended, 15)
    assert time.monotonic() - began < 10
    assert cancelled.state == "cancelled"
    assert launch.processes_of(run) == []
    assert not ModelVersion.objects.filter(run=run).exists()


def test_runs_of_a_queue_wait_for_one_another(project: Project, worker: Start) -> None:
    name_reference(project)
    first, second = (add_run(project, purpose="measure") for _ in range(2))
    worker("infer")
    wait(first, lambda run: run.state == "running")
    assert Run.objects.get(pk=second.pk).state == "queued"
    done = wait(second, ended)
    first.refresh_from_db()
    assert first.finished_at is not None
    assert done.started_at is not None
    assert done.started_at >= first.finished_at


def test_two_looks_at_once_freeze_one_batch(project: Project, lena: Person, worker: Start) -> None:
    """Two workers tick at the same time, many times."""
    name_reference(project)
    Project.objects.filter(pk=project.pk).update(grace_seconds=0, freeze_after=4)
    for _ in range(4):
        lena.answer(project)
    worker("default")
    worker("default")
    for _ in range(20):
        app.send_task("rewardtrain.tasks.tick", queue="default")
    deadline = time.monotonic() + 30
    while not project.runs.filter(kind="reward").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(3)
    assert project.batches.count() == 1
    assert project.runs.filter(kind="reward").count() == 1
    loop.advance(Project.objects.get(pk=project.pk))
    assert project.batches.count() == 1
