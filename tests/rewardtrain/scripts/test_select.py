import json
from pathlib import Path

import pytest
import torch

from rewardtrain.contract import read_status
from rewardtrain.core.features import features_of
from rewardtrain.core.reward_model import Settings, load_reward_model, start_reward_model
from rewardtrain.core.runlog import run
from rewardtrain.scripts.select import choose

TALES = ["They found a red lamp.", "They lost a blue cup.", "All was well."]


def say(text: str, role: str = "assistant") -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


def possible(i: int, **over) -> dict:
    return {
        "row": i,
        "messages": say(f"Tell a tale of {i} foxes.", "user"),
        "responses": [say(text) for text in TALES],
        "pairs": [[0, 1], [0, 2], [1, 2]],
        **over,
    }


@pytest.fixture(scope="module")
def reward_model(tiny_policy, tmp_path_factory) -> str:
    directory = tmp_path_factory.mktemp("reward")
    torch.manual_seed(3)
    reward = start_reward_model(tiny_policy, 100, torch.device("cpu"))
    reward.save(directory, Settings(max_length=60))
    return str(directory)


@pytest.fixture
def config(reward_model, tmp_path) -> dict:
    cache = str(tmp_path / "features" / "a.safetensors")
    return {"kind": "select", "reward_model": reward_model, "wanted": 3, "cache": cache, "seed": 5}


@pytest.fixture
def rows() -> list[dict]:
    return [*(possible(i) for i in range(9)), possible(9, pairs=[[0, 1]], known=True)]


def chosen(directory: Path) -> dict:
    assert run("select", choose, [str(directory)]) == 0, read_status(directory)
    return json.loads((directory / "report.json").read_text())


def test_it_draws_pairs_of_different_prompts_with_their_probabilities(write_run, config, rows):
    report = chosen(write_run(config, rows))
    drawn = report["drawn"]
    assert len({one["row"] for one in drawn}) == len(drawn) == 3
    for one in drawn:
        assert one["row"] != 9
        assert one["pair"] in rows[0]["pairs"]
        assert 0 < one["probability"] < 1
    assert (report["prompts"], report["candidates"], report["known"]) == (9, 27, 1)
    assert (report["read"], report["responses"]) == (30, 30)


def test_what_was_read_once_is_not_read_again_and_the_draw_stays(write_run, config, rows):
    first = chosen(write_run(config, rows, "first"))
    again = chosen(write_run(config, rows, "again"))
    assert (first["read"], again["read"]) == (30, 0)
    assert again["drawn"] == first["drawn"]
    more = chosen(write_run(config, [*rows, possible(10)], "more"))
    assert more["read"] == 3
    without = chosen(write_run({**config, "cache": ""}, rows, "without"))
    assert without["drawn"] == first["drawn"]
    assert without["read"] == 30


def test_the_cache_gives_what_the_model_reads_in_the_order_asked(reward_model, tmp_path):
    model = load_reward_model(reward_model, "reward_model", torch.device("cpu"))
    texts = [(say("A tale?", "user"), say(text)) for text in (*TALES, TALES[0])]
    found = features_of(model, texts, tmp_path / "cache.safetensors")
    back = features_of(model, texts[::-1], tmp_path / "cache.safetensors")
    expected, states = model.read([model.encode(*text)[0] for text in texts])
    assert (found.fresh, back.fresh) == (3, 0)
    assert torch.allclose(found.states, states, atol=2e-3)
    assert torch.equal(back.states, found.states.flip(0))
    assert found.scores.tolist() == pytest.approx(expected.preference.tolist(), abs=1e-5)


@pytest.mark.parametrize("pair", [[0, 3], [1, 1], [0]])
def test_a_pair_that_names_no_two_responses_is_said(write_run, config, pair):
    directory = write_run(config, [possible(0, pairs=[pair])])
    assert run("select", choose, [str(directory)]) == 1
    assert "row 0 has the pair" in read_status(directory).error
