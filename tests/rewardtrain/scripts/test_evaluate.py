import json
from pathlib import Path

import pytest
import torch

from rewardtrain.contract import ScoreRow, read_rows, read_status
from rewardtrain.core.reward_model import Settings, load_reward_model, start_reward_model
from rewardtrain.core.runlog import run
from rewardtrain.scripts import evaluate as script
from rewardtrain.scripts.evaluate import evaluate

TALES = ["They found a red lamp.", "They lost a blue cup.", "All was well."]


def say(text: str, role: str = "assistant") -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


def scoring(i: int, **over) -> dict:
    return {
        "row": i,
        "messages": say(f"Tell a tale of {i} foxes.", "user"),
        "responses": [say(text) for text in TALES[: 2 + i % 2]],
        **over,
    }


@pytest.fixture(scope="module")
def reward_model(tiny_policy, tmp_path_factory) -> str:
    directory = tmp_path_factory.mktemp("reward")
    torch.manual_seed(3)
    reward = start_reward_model(tiny_policy, 100, torch.device("cpu"))
    reward.save(directory, Settings(max_length=60, mean=0.25, spread=2.0))
    return str(directory)


def evaluated(directory: Path) -> tuple[dict, dict]:
    assert run("evaluate", evaluate, [str(directory)]) == 0, read_status(directory)
    scores = read_rows(directory / "scores.jsonl", ScoreRow)
    assert len(scores) == len({s.row for s in scores})
    report = json.loads((directory / "report.json").read_text())
    return report, {s.row: s.scores for s in scores}


def test_every_response_gets_its_score_in_order(write_run, reward_model):
    rows = [scoring(i) for i in range(5)]
    report, scores = evaluated(write_run({"kind": "evaluate", "reward_model": reward_model}, rows))
    model = load_reward_model(reward_model, "reward_model", torch.device("cpu"))
    for row in rows:
        for response, score in zip(row["responses"], scores[row["row"]], strict=True):
            ids, _ = model.encode(row["messages"], response)
            assert model.scores([ids]) == pytest.approx([score], abs=1e-5)
    flat = [score for row in scores.values() for score in row]
    assert report["mean"] == pytest.approx(sum(flat) / len(flat))
    assert (report["rows"], report["responses"]) == (5, len(flat))
    assert report["normalisation"] == {"mean": 0.25, "spread": 2.0}
    assert report["accuracy"]["n"] == 0


def test_with_tiers_it_says_how_often_it_agrees(write_run, reward_model):
    config = {"kind": "evaluate", "reward_model": reward_model}
    rows = [scoring(2 * i) for i in range(6)]
    _, scores = evaluated(write_run(config, rows))
    best = {row: max((0, 1), key=lambda i: found[i]) for row, found in scores.items()}
    judged = [
        {**row, "tiers": [[best[row["row"]]], [1 - best[row["row"]]]][:: 1 if i else -1]}
        for i, row in enumerate(rows)
    ]
    report, _ = evaluated(write_run(config, [*judged, scoring(12, tiers=[[0, 1]])], "judged"))
    assert report["accuracy"]["n"] == 6
    assert report["accuracy"]["accuracy"] == pytest.approx(5 / 6)
    assert report["accuracy"]["low"] < 5 / 6 < report["accuracy"]["high"]
    assert report["accuracy"]["nll"] > 0


def test_stopped_and_started_again_it_scores_what_is_missing(write_run, reward_model, monkeypatch):
    monkeypatch.setattr(script, "ROWS_A_PART", 3)
    config = {"kind": "evaluate", "reward_model": reward_model}
    rows = [scoring(i) for i in range(8)]
    _, whole = evaluated(write_run(config, rows, "whole"))
    directory = write_run(config, rows, "stopped")
    kept = "".join(json.dumps({"row": row, "scores": whole[row]}) + "\n" for row in (0, 1, 2, 3))
    (directory / "scores.jsonl").write_text(kept + '{"row": 4, "sc')
    assert evaluated(directory)[1] == whole
    assert (directory / "scores.jsonl").read_text().startswith(kept)


def test_what_is_too_long_is_shortened_and_counted(write_run, reward_model):
    long = scoring(0, messages=say("Tell me a long tale. " * 60, "user"))
    config = {"kind": "evaluate", "reward_model": reward_model}
    report, _ = evaluated(write_run(config, [long, scoring(1)]))
    assert report["shortened"] == 2


def test_a_policy_in_its_place_is_refused(write_run, tiny_policy):
    directory = write_run({"kind": "evaluate", "reward_model": tiny_policy}, [scoring(0)])
    assert run("evaluate", evaluate, [str(directory)]) == 1
    assert "holds no weights for score" in read_status(directory).error
