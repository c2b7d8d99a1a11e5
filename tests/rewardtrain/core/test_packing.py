"""Packed rows give the scores and gradients of one sequence at a time."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    MistralConfig,
    MistralForSequenceClassification,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from rewardtrain.core.packing import (
    PADDING,
    Budget,
    Layout,
    common_prefix,
    families,
    fill_rows,
    lay_out,
    layout_of,
    pack,
    plant,
    tree_mask,
)
from rewardtrain.core.reward_model import RewardModel, Settings

MASKED = Budget(row=128, tokens=512)
WITHIN = Budget(row=None, tokens=512)
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
    beyond = words(draw, 128 + 20)
    groups.append([beyond + words(draw, k) for k in range(responses)])
    return groups


def loss_of(rewards: torch.Tensor) -> torch.Tensor:
    """Some function of all scores whose gradient tells them apart."""
    return torch.nn.functional.logsigmoid(rewards * torch.arange(1, len(rewards) + 1)).sum()


def gradients(model: PreTrainedModel, rewards: torch.Tensor) -> torch.Tensor:
    model.zero_grad()
    loss_of(rewards).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def mistral() -> PreTrainedModel:
    """Its window slides, so it takes no mask of ours."""
    return MistralForSequenceClassification(
        MistralConfig(**SHAPE, num_key_value_heads=2, sliding_window=64)
    )


def roberta() -> PreTrainedModel:
    """Its positions begin after the padding's, and its head pools by itself."""
    return RobertaForSequenceClassification(RobertaConfig(**SHAPE))


def distilbert() -> PreTrainedModel:
    shape = {"vocab_size": 100, "dim": 64, "hidden_dim": 128, "n_layers": 3, "n_heads": 4}
    return DistilBertForSequenceClassification(DistilBertConfig(**shape, num_labels=1))


@pytest.mark.parametrize(
    ("make", "layout", "budget"),
    [
        (llama, "tree", MASKED),
        (llama, "tree", WITHIN),
        (qwen, "tree", MASKED),
        (qwen, "tree", WITHIN),
        (bert, "apart", MASKED),
        (bert, "apart", WITHIN),
        (mistral, "padded", MASKED),
        (roberta, "padded", MASKED),
        (distilbert, "padded", MASKED),
    ],
)
@pytest.mark.parametrize("responses", [2, 5])
def test_scores_and_gradients_are_those_of_one_at_a_time(
    make: Callable[[], PreTrainedModel], layout: Layout, budget: Budget, responses: int
) -> None:
    torch.manual_seed(0)
    model = make().eval()
    reward = RewardModel(model, tokenizer=None, settings=Settings(max_length=512))
    groups = groups_of(responses)
    single = torch.cat([model(input_ids=torch.tensor([s])).logits[:, 0] for g in groups for s in g])
    single_gradients = gradients(model, single)
    passes = reward.pack(groups, budget)
    scores = torch.cat([reward.all_rewards(packed)[:, 0] for packed in passes])
    packed = scores[torch.cat([packed.sequence for packed in passes]).argsort()]
    packed_gradients = gradients(model, packed)
    assert layout_of(model) == layout
    assert (single - packed).abs().max() < 1e-6
    difference = (single_gradients - packed_gradients).norm() / single_gradients.norm()
    assert difference < 1e-5


def test_a_prompt_is_computed_once_for_all_its_responses() -> None:
    prompt = list(range(1, 51))
    group = [[*prompt, 60 + k, 70 + k] for k in range(4)]
    (packed,) = pack([group], Budget(1024, 1024), "tree")
    assert packed.ids.shape == (1, 50 + 4 * 2)
    padded = 4 * 52
    assert padded / packed.ids.numel() > 3.5


def test_an_encoder_shares_no_prompt() -> None:
    group = [[1, 2, 3, 4], [1, 2, 3, 5]]
    (packed,) = pack([group], Budget(1024, 1024), "apart")
    assert packed.ids.shape == (1, 8)
    assert packed.at.tolist() == [0, 4]


def test_a_tree_over_the_budget_repeats_its_trunk() -> None:
    trunk = [1] * 10
    group = [[*trunk, *[k] * 8] for k in range(2, 6)]
    trees = list(plant(group, 0, 30, "tree"))
    assert [tree.order for tree in trees] == [[0, 1], [2, 3]]
    assert all(tree.trunk == trunk and tree.tokens <= 30 for tree in trees)


def test_a_group_is_wholly_in_one_pass() -> None:
    groups = [[[k] * 20 + [place] for place in range(5)] for k in range(1, 8)]
    passes = pack(groups, Budget(row=24, tokens=60), "tree")
    assert sorted(g for packed in passes for g in packed.groups) == list(range(7))
    for packed in passes:
        assert {number // 5 for number in packed.sequence.tolist()} == set(packed.groups)


def test_rows_of_a_fixed_budget_are_filled_up_with_padding_that_sees_nobody() -> None:
    (packed,) = pack([[[1, 2, 3], [1, 2, 4]]], Budget(8, 8, fixed=True), "tree")
    assert packed.ids.shape == (1, 8)
    assert packed.tree[0].tolist() == [0] * 4 + [PADDING] * 4
    mask = tree_mask(packed, causal=True)[0, 0]
    assert not mask[:4, 4:].any()
    assert not mask[4:, :4].any()


def test_trees_that_attend_within_themselves_lie_in_one_row_without_padding() -> None:
    groups = [[[k, k, 1], [k, k, 2, 2]] for k in range(3, 6)]
    (packed,) = pack(groups, Budget(row=None, tokens=64), "tree")
    assert packed.ids.shape == (1, 3 * 5)
    assert packed.trees == [[2, 1, 2]] * 3


def test_nobody_sees_another_tree_or_another_branch() -> None:
    trees = [*plant([[1, 2, 3], [1, 2, 4]], 0, 99, "tree"), *plant([[7]], 2, 99, "tree")]
    packed = lay_out([trees], "tree", [0, 1], 0)
    assert tree_mask(packed, causal=True)[0, 0].int().tolist() == [
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
    st.integers(1, 4),
    st.sampled_from(["tree", "apart", "padded"]),
)
def test_every_sequence_can_be_read_back_along_its_branch(
    groups: list[list[list[int]]], row: int, rows: int, layout: Layout
) -> None:
    flat = [sequence for group in groups for sequence in group]
    found = {}
    for packed in pack(groups, Budget(row, row * rows), layout):
        mask = tree_mask(packed, causal=layout != "apart")[:, 0]
        places = zip(packed.row, packed.at, packed.sequence.tolist(), strict=True)
        for at_row, at, number in places:
            seen = mask[at_row, at].nonzero()[:, 0]
            ordered = seen[packed.position[at_row, seen].argsort()]
            assert number not in found
            found[number] = packed.ids[at_row, ordered].tolist()
            assert packed.position[at_row, ordered].tolist() == list(range(len(ordered)))
    assert [found[number] for number in range(len(flat))] == flat


@settings(max_examples=100, deadline=None)
@given(st.lists(sequences, min_size=1, max_size=30), st.integers(12, 40))
def test_no_row_is_over_its_budget(group: list[list[int]], budget: int) -> None:
    trees = [tree for s in group for tree in plant([s], 0, budget, "tree")]
    assert all(sum(t.tokens for t in row) <= budget for row in fill_rows(trees, budget))


def test_the_common_prefix_is_of_all() -> None:
    assert common_prefix([[1, 2, 3], [1, 2, 4], [1, 2]]) == 2
    assert common_prefix([[1], [2]]) == 0
    assert common_prefix([[1, 2, 3]]) == 3


def test_neighbours_that_begin_alike_are_a_family() -> None:
    assert families([[1, 2, 3], [1, 2, 4], [5, 6], [5, 7], [5, 6]], 99) == [
        [[1, 2, 3], [1, 2, 4]],
        [[5, 6], [5, 7], [5, 6]],
    ]
    assert families([[1, 2], [3, 4]], 99) == [[[1, 2]], [[3, 4]]]
    assert families([[1, 2], [1, 3], [1, 4]], 4) == [[[1, 2], [1, 3]], [[1, 4]]]
