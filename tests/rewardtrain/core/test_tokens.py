from dataclasses import replace

import pytest
import torch

from rewardtrain.core.reward_model import RewardModel, start_reward_model
from rewardtrain.core.tokens import encode_all


@pytest.fixture
def model(tiny_policy) -> RewardModel:
    return start_reward_model(tiny_policy, 32, torch.device("cpu"))


def text(prompt: str, response: str) -> tuple[list[dict], list[dict]]:
    return [{"role": "user", "content": prompt}], [{"role": "assistant", "content": response}]


TEXTS = [text("A fox?", "A red one."), text("A fox? " * 30, "No."), text("A fox?", "A red one.")]


def test_a_text_that_is_known_is_not_read_again(model, tmp_path, monkeypatch) -> None:
    plain = [model.encode(*one) for one in TEXTS]
    assert [cut for _, cut in plain] == [False, True, False]
    assert encode_all(model, TEXTS, None) == plain
    assert encode_all(model, TEXTS, tmp_path) == plain
    later = [*TEXTS, text("A new one?", "Yes.")]
    asked = []
    encode = RewardModel.encode
    monkeypatch.setattr(
        RewardModel, "encode", lambda self, *one: (asked.append(one), encode(self, *one))[1]
    )
    assert encode_all(model, later, tmp_path) == [*plain, encode(model, *later[-1])]
    assert asked == [later[-1]]


def test_another_length_has_a_file_of_its_own(model, tmp_path) -> None:
    encode_all(model, TEXTS, tmp_path)
    longer = replace(model, settings=replace(model.settings, max_length=64))
    assert encode_all(longer, TEXTS, tmp_path) == [longer.encode(*one) for one in TEXTS]
    assert len(list(tmp_path.iterdir())) == 2
