import json

import pytest
import torch

from rewardtrain.core.reward_model import Settings, load_reward_model, start_reward_model
from rewardtrain.scripts.score import main

ROWS = [
    {"prompt": "Tell a tale.", "responses": ["A fox sang.", "No."], "id": 7},
    {
        "messages": [{"role": "user", "content": "Tell a tale."}],
        "responses": [[{"role": "assistant", "content": "A fox sang."}]],
    },
]


@pytest.fixture(scope="module")
def reward(tiny_policy, tmp_path_factory) -> str:
    directory = tmp_path_factory.mktemp("reward")
    torch.manual_seed(0)
    model = start_reward_model(tiny_policy, 128, torch.device("cpu"))
    model.add_heads(["member 1", "member 2", "flag:dull"])
    model.save(directory, Settings(max_length=128, mean=0.5, spread=2.0))
    return str(directory)


def write(path, rows) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_line_comes_back_with_its_scores(reward, tmp_path):
    out = tmp_path / "out.jsonl"
    assert main([reward, write(tmp_path / "in.jsonl", ROWS), str(out)]) == 0
    first, second = read(out)
    model = load_reward_model(reward, "model", torch.device("cpu"))
    asked = [{"role": "user", "content": "Tell a tale."}]
    (raw,) = model.scores([model.encode(asked, ROWS[1]["responses"][0])[0]])
    assert first["scores"][0] == pytest.approx((raw - 0.5) / 2, abs=1e-5)
    assert second["scores"] == pytest.approx(first["scores"][:1], abs=1e-5)
    assert first["id"] == 7
    assert len(first["spread"]) == 2
    assert 0 < first["remarks"]["flag:dull"][0] < 1


def test_ended_and_started_again_it_scores_what_is_missing(reward, tmp_path):
    given, out = write(tmp_path / "in.jsonl", ROWS * 3), tmp_path / "out.jsonl"
    main([reward, given, str(out)])
    whole = read(out)
    lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join(lines[:4]) + lines[4][:20])
    assert main([reward, given, str(out)]) == 0
    assert out.read_text().splitlines(keepends=True)[:4] == lines[:4]
    for before, after in zip(whole, read(out), strict=True):
        assert after["scores"] == pytest.approx(before["scores"], abs=1e-5)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "in.jsonl:1 is not JSON"),
        ('{"prompt": "a"}', "in.jsonl:1: responses is missing"),
        ('{"responses": ["a"]}', "in.jsonl:1: give messages, or prompt as a text"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(reward, tmp_path, capsys, line, sentence):
    (tmp_path / "in.jsonl").write_text(line + "\n")
    assert main([reward, str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl")]) == 1
    assert sentence in capsys.readouterr().err


def test_a_model_that_is_not_there_is_named(tmp_path, capsys):
    given = write(tmp_path / "in.jsonl", ROWS)
    assert main(["/gone", given, str(tmp_path / "out.jsonl")]) == 1
    assert "model = '/gone' is not a directory" in capsys.readouterr().err
