import fcntl
import json
import os
import re
import signal
import time

import pytest

from rewardtrain.contract import (
    EvaluateConfig,
    MetricLine,
    SampleRow,
    ScoringRow,
    read_rows,
    read_status,
    write_json,
)
from rewardtrain.core import runlog
from rewardtrain.core.runlog import (
    Cancelled,
    complete_checkpoint,
    newest_checkpoint,
    run,
)

ROW = {"row": 1, "messages": [], "responses": []}


@pytest.fixture
def directory(write_run):
    return write_run({"kind": "evaluate", "reward_model": "m"}, [ROW])


def set_attempt(directory, attempt: int) -> None:
    config = {"kind": "evaluate", "reward_model": "m", "attempt": attempt}
    write_json(directory / "config.json", config)


def sample_row(index: int) -> SampleRow:
    return SampleRow(prompt=0, index=index, text="a", tokens=1, truncated=False, logprob=-1.0)


def test_a_story_is_told_with_its_configuration_and_rows(directory):
    def tell(log):
        assert log.config == EvaluateConfig(reward_model="m")
        assert log.rows(ScoringRow) == [ScoringRow(**ROW)]
        log.stage("counting", steps=3, device="CPU")
        for step in (1, 2, 3):
            log.metrics(step, loss=1.0 / step, accuracy=None)
        log.report({"ok": True})

    assert run("evaluate", tell, [str(directory)]) == 0
    status = read_status(directory)
    assert (status.state, status.step, status.steps, status.device) == ("succeeded", 3, 3, "CPU")
    assert status.pid == os.getpid()
    assert time.time() - status.updated < 5
    lines = read_rows(directory / "metrics.jsonl", MetricLine)
    assert [(line.step, line.values) for line in lines] == [
        (1, {"loss": 1.0}),
        (2, {"loss": 0.5}),
        (3, {"loss": 1 / 3}),
    ]
    assert json.loads((directory / "report.json").read_text()) == {"ok": True}


def test_a_failure_is_one_sentence_in_the_status_and_a_traceback_in_the_log(directory, capsys):
    def tell(log):
        raise RuntimeError("the disk is on fire\nand more")

    assert run("evaluate", tell, [str(directory)]) == 1
    status = read_status(directory)
    assert status.state == "failed"
    assert status.error == "RuntimeError: the disk is on fire (the log has the whole story)."
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_fails_and_names_the_step(directory, value):
    assert run("evaluate", lambda log: log.metrics(7, loss=value), [str(directory)]) == 1
    assert read_status(directory).error == (
        f"The loss became {value} at step 7; lower learning_rate and try again."
    )
    assert not (directory / "metrics.jsonl").exists()


def test_two_processes_never_write_in_one_directory(directory, capsys):
    with (directory / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run("evaluate", lambda log: None, [str(directory)]) == 75
    assert f"at work in {directory}" in capsys.readouterr().err
    assert read_status(directory) is None


def test_an_older_attempt_stops_writing_when_a_newer_one_is_called(directory):
    def tell(log):
        log.metrics(1, loss=1.0)
        set_attempt(directory, 2)
        log.metrics(2, loss=1.0)

    assert run("evaluate", tell, [str(directory)]) == 75
    assert len(read_rows(directory / "metrics.jsonl", MetricLine)) == 1
    assert read_status(directory).state == "running"


def test_an_older_attempt_that_comes_late_does_nothing(directory):
    set_attempt(directory, 3)
    run("evaluate", lambda log: None, [str(directory)])
    set_attempt(directory, 2)
    assert run("evaluate", lambda log: pytest.fail("told"), [str(directory)]) == 75
    assert read_status(directory).attempt == 3


def test_a_finished_run_is_not_told_again(directory):
    told = []

    def tell(log):
        told.append(log.config.attempt)
        log.report({})

    assert run("evaluate", tell, [str(directory)]) == 0
    set_attempt(directory, 2)
    assert run("evaluate", tell, [str(directory)]) == 0
    assert told == [1]
    status = read_status(directory)
    assert (status.attempt, status.state) == (2, "succeeded")


def test_the_heart_beats_through_a_long_step(directory, monkeypatch):
    monkeypatch.setattr(runlog, "HEARTBEAT_SECONDS", 0.05)

    def tell(log):
        log.stage("thinking")
        before = read_status(directory).updated
        time.sleep(0.5)
        assert read_status(directory).updated > before + 0.2

    assert run("evaluate", tell, [str(directory)]) == 0


def test_sigterm_and_the_cancel_file_both_ask_to_stop(directory):
    def by_signal(log):
        assert not log.cancelled
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        log.check()

    def by_file(log):
        (directory / "cancel").touch()
        assert log.cancelled
        raise Cancelled

    handler = signal.getsignal(signal.SIGTERM)
    try:
        for tell in (by_signal, by_file):
            assert run("evaluate", tell, [str(directory)]) == 0
            assert read_status(directory).state == "cancelled"
    finally:
        signal.signal(signal.SIGTERM, handler)


def test_the_time_left_follows_the_pace(directory):
    def tell(log):
        log.stage("stepping", steps=10)
        for step in (1, 2, 3):
            time.sleep(0.1)
            log.metrics(step, loss=0.0)
        assert 0.6 < read_status(directory).seconds_left < 1.5

    assert run("evaluate", tell, [str(directory)]) == 0


def test_the_half_line_of_a_killed_process_is_dropped(directory):
    path = directory / "samples.jsonl"

    def tell(log):
        log.samples([sample_row(1)])

    path.write_text(json.dumps(sample_row(0).__dict__) + '\n{"prompt": 0, "ind')
    assert run("evaluate", tell, [str(directory)]) == 0
    assert [row.index for row in read_rows(path, SampleRow)] == [0, 1]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ('{"kind": "reward", "backbone": "m"}', "kind = 'reward' must be 'evaluate'"),
        ('{"kind": "evaluate"}', "reward_model is missing"),
        ('{"kind": "evaluate", "reward_model": 3}', "reward_model = 3 .* must be str"),
        ("{", "is not JSON"),
    ],
)
def test_a_bad_configuration_fails_with_its_reason(directory, config, sentence):
    (directory / "config.json").write_text(config)
    assert run("evaluate", lambda log: pytest.fail("told"), [str(directory)]) == 1
    status = read_status(directory)
    assert status.state == "failed"
    assert re.search(sentence, status.error)


@pytest.mark.parametrize("rows", [[], None, [{"row": "one"}]])
def test_rows_that_are_absent_or_wrong_fail_with_their_reason(directory, rows):
    path = directory / "data.jsonl"
    path.unlink()
    if rows is not None:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("evaluate", lambda log: log.rows(ScoringRow), [str(directory)]) == 1
    assert "data.jsonl" in read_status(directory).error


def test_no_directory_is_a_usage_error(tmp_path):
    assert run("evaluate", lambda log: None, []) == 2
    assert run("evaluate", lambda log: None, [str(tmp_path / "nowhere")]) == 2


def test_only_complete_checkpoints_count(directory):
    assert newest_checkpoint(directory / "checkpoints") == (None, 0)
    for step in (5, 10, 100):
        (directory / f"checkpoints/checkpoint-{step}").mkdir(parents=True)
    complete_checkpoint(directory / "checkpoints/checkpoint-5")
    complete_checkpoint(directory / "checkpoints/checkpoint-10")
    assert newest_checkpoint(directory / "checkpoints") == (
        directory / "checkpoints/checkpoint-10",
        10,
    )
