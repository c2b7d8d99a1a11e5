import math

import pytest
from django.db import transaction

from annotation.models import Project
from rewardtrain import contract, ingest, results
from rewardtrain.launch import run_dir
from rewardtrain.models import Metric, Run
from tests.turning import add_run, claim, say_metrics, say_status


@pytest.fixture
def run(project: Project) -> Run:
    return claim(add_run(project))


def test_metrics_are_taken_to_the_last_newline_only(run: Run) -> None:
    say_metrics(run, (1, {"loss": 0.7}), (2, {"loss": 0.6}), tail='{"attempt": 1, "st')
    assert ingest.follow(run)
    assert list(Metric.objects.values_list("step", "values")) == [
        (1, {"loss": 0.7}),
        (2, {"loss": 0.6}),
    ]


def test_the_rest_of_a_half_line_is_taken_when_it_comes(run: Run) -> None:
    say_metrics(run, (1, {"loss": 0.7}), tail='{"attempt": 1, "step": 2, ')
    ingest.follow(run)
    say_metrics(run, tail='"time": 1.0, "values": {"loss": 0.6}}\n')
    ingest.follow(run)
    assert list(Metric.objects.values_list("step", flat=True)) == [1, 2]


def test_following_twice_adds_nothing(run: Run) -> None:
    say_metrics(run, (1, {"loss": 0.7}))
    ingest.follow(run)
    before = Run.objects.get(pk=run.pk).ingested_bytes
    ingest.follow(run)
    assert Metric.objects.count() == 1
    assert Run.objects.get(pk=run.pk).ingested_bytes == before > 0


def test_a_worker_killed_before_the_commit_repeats_without_doubling(run: Run) -> None:
    say_metrics(run, (1, {"loss": 0.7}), (2, {"loss": 0.6}))

    with transaction.atomic():
        ingest.follow(run)
        assert Metric.objects.count() == 2
        transaction.set_rollback(True)
    assert Metric.objects.count() == 0
    ingest.follow(run)
    assert Metric.objects.count() == 2


def test_a_step_written_again_in_the_same_attempt_replaces_itself(run: Run) -> None:
    say_metrics(run, (1, {"loss": 0.7}))
    ingest.follow(run)
    say_metrics(run, (1, {"loss": 0.5}), (1, {"loss": 0.4}))
    ingest.follow(run)
    assert list(Metric.objects.values_list("step", "values")) == [(1, {"loss": 0.4})]


def test_what_is_not_a_number_is_left_out(run: Run) -> None:
    say_metrics(run, (1, {"loss": 0.7, "grad_norm": math.nan, "kl": math.inf}))
    ingest.follow(run)
    assert Metric.objects.get().values == {"loss": 0.7}


def test_the_status_moves_the_run(run: Run) -> None:
    say_status(run, "running", step=7, steps=60, stage="training", device="CPU", seconds_left=12.5)
    ingest.follow(run)
    run.refresh_from_db()
    assert (run.step, run.steps, run.stage, run.device, run.seconds_left) == (
        7, 60, "training", "CPU", 12.5,
    )  # fmt: skip


def test_the_status_of_an_earlier_attempt_says_nothing(run: Run) -> None:
    say_status(run, "running", step=7, steps=60)
    Run.objects.filter(pk=run.pk).update(attempt=2)
    run.attempt = 2
    ingest.follow(run)
    assert Run.objects.get(pk=run.pk).step == 0


@pytest.mark.parametrize("change", [{"attempt": 2}, {"worker": "another"}, {"state": "queued"}])
def test_a_worker_that_lost_the_run_writes_nothing(run: Run, change: dict) -> None:
    say_metrics(run, (1, {"loss": 0.7}))
    Run.objects.filter(pk=run.pk).update(**change)
    assert ingest.follow(run) is None
    assert results.settle(run, "it left") is None
    assert Metric.objects.count() == 0


def test_a_vanished_process_sends_the_run_back_to_the_queue(run: Run) -> None:
    settled = results.settle(run, "it was killed by signal 9")
    assert settled is not None
    assert (settled.state, settled.lost, settled.worker) == ("queued", 1, "")


def test_the_third_time_a_process_vanishes_the_run_has_failed(project: Project) -> None:
    run = add_run(project)
    for _ in range(2):
        results.settle(claim(run), "it was killed by signal 9")
    settled = results.settle(claim(run), "it was killed by signal 9")
    assert settled is not None
    assert settled.state == "failed"
    assert "vanished 3 times" in settled.error
    assert "signal 9" in settled.error
    assert project.decisions.get(what="failed").run == settled


def test_a_script_that_failed_is_not_tried_again(run: Run) -> None:
    say_status(run, "failed", error="The loss became nan at step 3; lower learning_rate.")
    settled = results.settle(run, "it left with status 1")
    assert settled is not None
    assert (settled.state, settled.lost) == ("failed", 0)
    assert settled.error == "The loss became nan at step 3; lower learning_rate."


def test_a_run_that_was_told_to_stop_is_cancelled(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="cancelling")
    say_status(run, "cancelled")
    settled = results.settle(run, "it left with status 0")
    assert settled is not None
    assert settled.state == "cancelled"
    assert settled.finished_at is not None


def test_a_run_that_ended_by_itself_before_the_signal_has_succeeded(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="cancelling", purpose="measure")
    contract.write_json(run_dir(run) / contract.REPORT, {"samples": 2})
    say_status(run, "succeeded")
    settled = results.settle(run, "it left with status 0")
    assert settled is not None
    assert settled.state == "succeeded"
    assert settled.report == {"samples": 2}


def test_a_run_handed_back_waits_and_is_not_counted_as_lost(run: Run) -> None:
    say_status(run, "cancelled")
    settled = results.settle(run, "the server was stopped", handed_back=True)
    assert settled is not None
    assert (settled.state, settled.lost) == ("queued", 0)


def test_a_run_that_was_being_cancelled_while_the_server_stopped_is_cancelled(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="cancelling")
    say_status(run, "cancelled")
    settled = results.settle(run, "the server was stopped", handed_back=True)
    assert settled is not None
    assert settled.state == "cancelled"
