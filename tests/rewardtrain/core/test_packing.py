"""Packed rows give the scores and gradients of one sequence at a time."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForSequenceClassification,
)

from rewardtrain.core.packing import (
    can_pack,
    common_prefix,
    fill_rows,
    lay_out,
    pack,
    packed_rewards,
    plant,
    tree_mask,
)

BUDGET = 128
SHAPE = {
    "vocab_size": 100,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_labels": 1,
    "pad_token_id": 0,
}


def llama() -> PreTrainedModel:
    return LlamaForSequenceClassification(LlamaConfig(**SHAPE))


def qwen() -> PreTrainedModel:
    return Qwen2ForSequenceClassification(Qwen2Config(**SHAPE, num_key_value_heads=2))


def bert() -> PreTrainedModel:
    return BertForSequenceClassification(BertConfig(**SHAPE))


def words(draw: torch.Generator, count: int) -> list[int]:
    return torch.randint(1, 100, (count,), generator=draw).tolist()


def groups_of(responses: int) -> list[list[list[int]]]:
    """Groups of K sequences: ordinary ones, and each edge the packing has."""
    draw = torch.Generator().manual_seed(responses)
    groups = []
    for prompt_length in (3, 17, 40):
        prompt = words(draw, prompt_length)
        groups.append([prompt + words(draw, 1 + 7 * k) for k in range(responses)])
    prompt = words(draw, 20)
    groups.append([prompt + words(draw, 1) for _ in range(responses)])
    groups.append([words(draw, k + 1) for k in range(responses)])
    beyond = words(draw, BUDGET + 20)
    groups.append([beyond + words(draw, k) for k in range(responses)])
    return groups


def loss_of(rewards: torch.Tensor) -> torch.Tensor:
    """Some function of all scores whose gradient tells them apart."""
    return torch.nn.functional.logsigmoid(rewards * torch.arange(1, len(rewards) + 1)).sum()


def gradients(model: PreTrainedModel, rewards: torch.Tensor) -> torch.Tensor:
    model.zero_grad()
    loss_of(rewards).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("make", [llama, qwen, bert])
@pytest.mark.parametrize("responses", [2, 5])
def test_scores_and_gradients_are_those_of_one_at_a_time(
    make: Callable[[], PreTrainedModel], responses: int
) -> None:
    torch.manual_seed(0)
    model = make().eval()
    groups = groups_of(responses)
    single = torch.cat([model(input_ids=torch.tensor([s])).logits[:, 0] for g in groups for s in g])
    single_gradients = gradients(model, single)
    packed = packed_rewards(model, groups, BUDGET)
    packed_gradients = gradients(model, packed)
    assert can_pack(model)
    assert (single - packed).abs().max() < 1e-6
    difference = (single_gradients - packed_gradients).norm() / single_gradients.norm()
    assert difference < 1e-5


def test_a_prompt_is_computed_once_for_all_its_responses() -> None:
    prompt = list(range(1, 51))
    group = [[*prompt, 60 + k, 70 + k] for k in range(4)]
    (row,) = pack([group], 1024, causal=True)
    assert len(row.ids) == 50 + 4 * 2
    padded = 4 * 52
    assert padded / len(row.ids) > 3.5


def test_an_encoder_shares_no_prompt() -> None:
    group = [[1, 2, 3, 4], [1, 2, 3, 5]]
    (row,) = pack([group], 1024, causal=False)
    assert len(row.ids) == 8
    assert row.at.tolist() == [0, 4]


def test_a_tree_over_the_budget_repeats_its_trunk() -> None:
    trunk = [1] * 10
    group = [[*trunk, *[k] * 8] for k in range(2, 6)]
    trees = list(plant(group, 0, 30, causal=True))
    assert [tree.order for tree in trees] == [[0, 1], [2, 3]]
    assert all(tree.trunk == trunk and tree.tokens <= 30 for tree in trees)


def test_nobody_sees_another_tree_or_another_branch() -> None:
    row = lay_out(
        [*plant([[1, 2, 3], [1, 2, 4]], 0, 99, causal=True), *plant([[7]], 2, 99, causal=True)],
        causal=True,
    )
    assert tree_mask(row, causal=True)[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [0, 0, 0, 0, 1],
    ]


sequences = st.lists(st.integers(1, 5), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(sequences, min_size=1, max_size=5), min_size=1, max_size=8),
    st.integers(4, 40),
    st.booleans(),
)
def test_every_sequence_can_be_read_back_along_its_branch(
    groups: list[list[list[int]]], budget: int, causal: bool
) -> None:
    flat = [sequence for group in groups for sequence in group]
    found = {}
    for row in pack(groups, budget, causal=causal):
        mask = tree_mask(row, causal=causal)[0, 0]
        for at, number in zip(row.at.tolist(), row.sequence.tolist(), strict=True):
            seen = mask[at].nonzero()[:, 0]
            ordered = seen[row.position[seen].argsort()]
            assert number not in found
            found[number] = row.ids[ordered].tolist()
            assert row.position[ordered].tolist() == list(range(len(ordered)))
    assert [found[number] for number in range(len(flat))] == flat


@settings(max_examples=100, deadline=None)
@given(st.lists(sequences, min_size=1, max_size=30), st.integers(12, 40))
def test_no_row_is_over_its_budget(group: list[list[int]], budget: int) -> None:
    trees = [tree for s in group for tree in plant([s], 0, budget, causal=True)]
    assert all(sum(t.tokens for t in row) <= budget for row in fill_rows(trees, budget))


def test_the_common_prefix_is_of_all() -> None:
    assert common_prefix([[1, 2, 3], [1, 2, 4], [1, 2]]) == 2
    assert common_prefix([[1], [2]]) == 0
    assert common_prefix([[1, 2, 3]]) == 3
