import json
from pathlib import Path

import pytest

from rewardtrain.contract import SampleRow, read_rows, read_status
from rewardtrain.core.runlog import run
from rewardtrain.scripts.generate import generate


def prompts(count: int) -> list[dict]:
    return [
        {"prompt": i, "messages": [{"role": "user", "content": f"Tell of {'a fox ' * (i % 5)}."}]}
        for i in range(count)
    ]


@pytest.fixture
def config(tiny_policy) -> dict:
    return {"kind": "generate", "model": tiny_policy, "max_new_tokens": 12, "batch_size": 4}


def written(directory: Path, code: int = 0) -> list[SampleRow]:
    assert run("generate", generate, [str(directory)]) == code, read_status(directory)
    return read_rows(directory / "samples.jsonl", SampleRow)


def texts(samples: list[SampleRow]) -> dict:
    return {(s.prompt, s.index, s.by_reference): s.text for s in samples}


def test_every_prompt_gets_its_samples_with_logprob_and_exact_kl(write_run, config, make_policy):
    config |= {"reference": make_policy(5), "samples_per_prompt": 3}
    directory = write_run(config, prompts(5))
    samples = written(directory)
    assert sorted((s.prompt, s.index) for s in samples) == [
        (p, i) for p in range(5) for i in range(3)
    ]
    assert all(s.logprob < 0 and s.kl > 0 and 1 <= s.tokens <= 12 for s in samples)
    assert all(s.truncated == (s.tokens == 12) or not s.truncated for s in samples)
    assert len({s.text for s in samples if s.prompt == 0}) > 1
    report = json.loads((directory / "report.json").read_text())
    assert report["samples"] == 15
    assert report["kl"]["mean"] == pytest.approx(sum(s.kl for s in samples) / 15)
    status = read_status(directory)
    assert (status.step, status.steps) == (15, 15)


def test_without_a_reference_there_is_no_kl_and_from_itself_none(write_run, config, tiny_policy):
    assert {s.kl for s in written(write_run(config, prompts(2)))} == {None}
    same = {**config, "reference": tiny_policy}
    assert {s.kl for s in written(write_run(same, prompts(2), "same"))} == {0.0}


def test_the_reference_writes_beside_it_when_asked(write_run, config, make_policy):
    config |= {"reference": make_policy(5), "samples_per_prompt": 1, "reference_samples": 2}
    samples = written(write_run(config, prompts(3)))
    theirs = [s for s in samples if s.by_reference]
    assert sorted((s.prompt, s.index) for s in theirs) == [(p, i) for p in range(3) for i in (0, 1)]
    assert {s.kl for s in theirs} == {None}
    alone = {**config, "model": config["reference"], "reference": None, "reference_samples": 0}
    drawn = texts(written(write_run(alone, prompts(3), "alone")))
    assert all(s.text != drawn[s.prompt, 0, False] for s in theirs)


def test_what_is_written_hangs_on_seed_and_prompt_alone(write_run, config):
    together = texts(written(write_run(config, prompts(6))))
    fewer = texts(written(write_run({**config, "batch_size": 3}, prompts(4), "fewer")))
    assert fewer == {key: together[key] for key in fewer}
    other = texts(written(write_run({**config, "seed": 1}, prompts(6), "other")))
    assert other.keys() == together.keys()
    assert other != together


def test_killed_and_started_again_it_writes_what_is_missing_once(
    write_run, config, launch, kill_when, finish
):
    config |= {"samples_per_prompt": 2, "max_new_tokens": 40, "batch_size": 4}
    whole = texts(written(write_run(config, prompts(30), "whole")))
    directory = write_run(config, prompts(30), "killed")
    path = directory / "samples.jsonl"
    kill_when(
        launch("generate", directory),
        lambda: path.is_file() and path.read_text().count("\n") >= 6,
    )
    before = path.read_text().count("\n")
    assert before < 60
    write_run({**config, "attempt": 2}, prompts(30), "killed")
    finish(launch("generate", directory), directory, "succeeded")
    samples = read_rows(path, SampleRow)
    assert len(samples) == 60
    assert texts(samples) == whole
    assert sum(s.attempt == 1 for s in samples) == before


def test_cancelled_it_keeps_what_it_wrote(write_run, config):
    directory = write_run(config, prompts(3))
    (directory / "cancel").touch()
    assert run("generate", generate, [str(directory)]) == 0
    assert read_status(directory).state == "cancelled"
    (directory / "cancel").unlink()
    assert len(written(directory)) == 6


def test_a_long_conversation_loses_its_oldest_turns_and_is_counted(write_run, config):
    turns = [
        {"role": role, "content": "They sang by the river until the moon rose. " * 3}
        for role in ("user", "assistant", "user")
    ]
    directory = write_run(config, [{"prompt": 0, "messages": turns}])
    assert len(written(directory)) == 2
    assert json.loads((directory / "report.json").read_text())["shortened"] == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"max_new_tokens": 128}, "max_new_tokens = 128 leaves no room"),
        ({"reference_samples": 1}, "reference_samples = 1 needs a reference"),
        ({"model": "/nowhere"}, "model = '/nowhere' is not a directory"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(write_run, config, change, sentence):
    directory = write_run({**config, **change}, prompts(1))
    assert run("generate", generate, [str(directory)]) == 1
    assert sentence in read_status(directory).error
