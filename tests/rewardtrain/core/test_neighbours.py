import json

import pytest
import torch

from rewardtrain.core import neighbours
from rewardtrain.core.neighbours import keep_states, nearest


@pytest.fixture
def directory(tmp_path):
    rows = [
        {
            "messages": [{"role": "user", "content": f"Prompt {i}"}],
            "responses": [[{"role": "assistant", "content": f"{i}{side}"}] for side in "ab"],
            "outcome": "prefer",
            "tiers": [[0], [1]],
            "labeler": "ann",
        }
        for i in range(3)
    ]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    # Rows 0 and 2 taught the model; both responses of row 0 point nearly the same way.
    states = torch.tensor([[5.0, 0.0], [9.0, 1.0], [0.0, 2.0], [-1.0, 0.0]])
    keep_states(tmp_path, states, [0, 0, 2, 2])
    return tmp_path


def test_the_most_alike_comparisons_come_first_and_each_once(directory):
    (found,) = nearest(directory, torch.tensor([[3.0, 1.0]]), 2)
    assert [near["messages"][0]["content"] for near in found] == ["Prompt 0", "Prompt 2"]
    # By the nearer of row 0's two responses: (3, 1) and (9, 1).
    assert found[0]["likeness"] == pytest.approx(28 / (10 * 82) ** 0.5, abs=1e-3)
    assert found[1]["likeness"] == pytest.approx(1 / 10**0.5, abs=1e-3)
    assert "labeler" not in found[0]


def test_a_run_that_left_no_states_names_none(directory):
    (directory / "states.safetensors").unlink()
    assert nearest(directory, torch.ones(2, 2), 3) == [[], []]


def test_no_more_than_the_most_are_kept(directory, monkeypatch):
    monkeypatch.setattr(neighbours, "MOST", 1)
    keep_states(directory, torch.eye(2), [1, 2])
    (found,) = nearest(directory, torch.tensor([[0.0, 1.0]]), 3)
    assert [near["messages"][0]["content"] for near in found] == ["Prompt 1"]
