import random

import pytest

from rewardtrain.contract import ContractError
from rewardtrain.core.data import by_length, collate, encode, encode_prompt, mixed_batches
from rewardtrain.core.pretrained import PLAIN_TEMPLATE, load_tokenizer

TURNS = [
    {"role": "user", "content": "The small fox found a red lamp."},
    {"role": "assistant", "content": "The old bear lost a blue cup."},
    {"role": "user", "content": "They sang by the river."},
]
ANSWER = [{"role": "assistant", "content": "All was well."}]


def test_a_response_ends_at_its_last_token_of_content(tiny_tokenizer):
    ids, shortened = encode(tiny_tokenizer, TURNS, ANSWER, 1000)
    assert not shortened
    assert tiny_tokenizer.decode(ids).endswith("<|assistant|>All was well.")
    assert ids[0] == tiny_tokenizer.bos_token_id
    prompt, kept = encode_prompt(tiny_tokenizer, TURNS, 1000)
    assert ids[: len(prompt)] == prompt
    assert kept == TURNS


def test_a_response_of_several_turns_keeps_them_all(tiny_tokenizer):
    response = [*ANSWER, {"role": "user", "content": "And then?"}, *ANSWER]
    text = tiny_tokenizer.decode(encode(tiny_tokenizer, TURNS, response, 1000)[0])
    assert text.endswith("All was well.<|end|><|user|>And then?<|assistant|>All was well.")


def test_what_is_too_long_loses_its_oldest_turns_first(tiny_tokenizer):
    whole, _ = encode(tiny_tokenizer, TURNS, ANSWER, 1000)
    ids, shortened = encode(tiny_tokenizer, TURNS, ANSWER, len(whole) - 1)
    assert shortened
    assert ids == encode(tiny_tokenizer, TURNS[2:], ANSWER, 1000)[0]


def test_a_single_turn_too_long_is_cut_from_the_left_and_keeps_its_end(tiny_tokenizer):
    ids, shortened = encode(tiny_tokenizer, TURNS[:1], ANSWER, 8)
    assert shortened
    assert len(ids) == 8
    assert ids[0] == tiny_tokenizer.bos_token_id
    assert tiny_tokenizer.decode(ids).endswith("well.")


def test_an_empty_response_is_scored_at_the_end_of_its_prompt(tiny_tokenizer):
    empty = [{"role": "assistant", "content": ""}]
    assert (
        encode(tiny_tokenizer, TURNS, empty, 1000)[0]
        == encode_prompt(tiny_tokenizer, TURNS, 1000)[0]
    )


def test_a_tokenizer_without_a_template_gets_a_plain_one(tiny_tokenizer, tmp_path):
    bare = type(tiny_tokenizer)(
        tokenizer_object=tiny_tokenizer.backend_tokenizer, eos_token="<|end|>"
    )
    bare.save_pretrained(tmp_path)
    loaded = load_tokenizer(str(tmp_path), "policy")
    assert loaded.chat_template == PLAIN_TEMPLATE
    assert loaded.pad_token == "<|end|>"
    text = loaded.decode(encode(loaded, TURNS[2:], ANSWER, 1000)[0])
    assert text == "User: They sang by the river.\n\nAssistant: All was well."


def test_a_template_that_refuses_the_turns_is_named(tiny_tokenizer):
    strict = type(tiny_tokenizer)(
        tokenizer_object=tiny_tokenizer.backend_tokenizer,
        chat_template="{{ raise_exception('no system turn') }}",
    )
    with pytest.raises(ContractError, match="refuses the turns user, assistant, user"):
        encode(strict, TURNS, ANSWER, 1000)


def test_collate_pads_on_the_side_it_is_told():
    right = collate([[5, 6, 7], [8]], pad=0)
    assert right["input_ids"].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert right["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    left = collate([[5, 6, 7], [8]], pad=0, side="left")
    assert left["input_ids"].tolist() == [[5, 6, 7], [0, 0, 8]]
    assert left["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]


def test_batches_hold_every_index_once_with_little_padding():
    draw = random.Random(0)
    lengths = [draw.randint(1, 300) for _ in range(203)]
    order = draw.sample(range(203), 203)
    batches = mixed_batches(order, lengths, 8, draw)
    assert sorted(i for batch in batches for i in batch) == list(range(203))
    assert {len(batch) for batch in batches} <= {8, 203 % 64 % 8}
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
    assert padded < 1.2 * sum(lengths)
    firsts = [max(lengths[i] for i in batch) for batch in batches[:8]]
    assert firsts != sorted(firsts, reverse=True)


def test_by_length_begins_with_the_longest():
    assert by_length([3, 9, 5, 9], 2) == [[1, 3], [2, 0]]
