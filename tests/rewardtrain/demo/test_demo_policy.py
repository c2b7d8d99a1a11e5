"""The committed demo policy: it loads as any Hugging Face model does, and tells tales."""

import random
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rewardtrain.demo import tales, taste
from rewardtrain.scripts import build_demo_policy

POLICY = Path(build_demo_policy.__file__).parents[1] / "demo" / "policy"
MESSAGES = [
    {"role": "user", "content": "Tell a tale about Pip the owl, who finds a key."},
    {"role": "assistant", "content": 'Pip the owl said, "A key!" And then?\nNothing.'},
    {"role": "user", "content": "Tell me more."},
]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(POLICY, trust_remote_code=False)


@pytest.fixture(scope="module")
def policy():
    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(
        POLICY, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    ).eval()


@pytest.fixture(scope="module")
def samples(policy, tokenizer):
    """64 prompts' subjects, the tales told for them, and whether each was told to its end."""
    rng = random.Random(11)
    subjects = [tales.subject(rng) for _ in range(64)]
    return subjects, *replies(
        policy, tokenizer, [[request(tales.ask(rng, about))] for about in subjects]
    )


def request(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def replies(policy, tokenizer, chats) -> tuple[list[str], list[bool]]:
    torch.manual_seed(11)
    asked = tokenizer.apply_chat_template(
        chats,
        add_generation_prompt=True,
        padding=True,
        return_tensors="pt",
        return_dict=True,
    )
    said = policy.generate(**asked)[:, asked["input_ids"].shape[1] :]
    ended = (said == tokenizer.eos_token_id).any(dim=1).tolist()
    return tokenizer.batch_decode(said, skip_special_tokens=True), ended


def test_the_files_are_small_enough_for_the_repository():
    assert sum(file.stat().st_size for file in POLICY.iterdir()) < 6_000_000


def test_it_is_a_llama_of_one_to_two_million_tied_parameters(policy):
    assert policy.config.model_type == "llama"
    assert 1_000_000 < policy.num_parameters() < 2_000_000
    assert policy.get_output_embeddings().weight is policy.get_input_embeddings().weight


def test_padding_is_not_the_end_of_a_text(policy, tokenizer):
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    assert policy.generation_config.eos_token_id == tokenizer.eos_token_id
    assert policy.generation_config.pad_token_id == tokenizer.pad_token_id
    assert len(tokenizer) == policy.config.vocab_size


def test_any_text_survives_the_tokenizer(tokenizer):
    text = "Zoë's owl, 42 naïve\tcats — 猫 🦉\n  and so on"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_chat_template_marks_every_turn_and_keeps_its_text(tokenizer):
    chat = tokenizer.apply_chat_template(MESSAGES, add_generation_prompt=True, tokenize=False)
    first, told, more = (message["content"] for message in MESSAGES)
    assert chat == (
        f"<|begin|><|user|>{first}<|assistant|>{told}<|end|><|user|>{more}<|assistant|>"
    )
    ids = tokenizer.apply_chat_template(MESSAGES, add_generation_prompt=True)["input_ids"]
    assert tokenizer.decode(ids) == chat
    assert tokenizer(chat)["input_ids"] == ids


def test_the_template_marks_what_the_assistant_says(tokenizer):
    chat = tokenizer.apply_chat_template(
        MESSAGES, return_dict=True, return_assistant_tokens_mask=True
    )
    marked = zip(chat["input_ids"], chat["assistant_masks"], strict=True)
    said = tokenizer.decode([token for token, mark in marked if mark])
    assert said == MESSAGES[1]["content"] + "<|end|>"


def test_most_tales_come_to_an_end(samples):
    _, _, ended = samples
    assert sum(ended) >= 0.8 * len(ended)


def test_most_tales_keep_the_hero_and_the_thing_they_were_asked_for(samples):
    subjects, told, _ = samples
    kept = [
        about.hero in text and about.thing in text
        for about, text in zip(subjects, told, strict=True)
    ]
    assert sum(kept) >= 0.75 * len(kept)


def test_tales_end_in_many_ways(samples):
    assert len({tales.ending(text) for text in samples[1]}) >= 20


def test_tales_differ_in_what_people_like(samples):
    moods = [taste.mood(text) for text in samples[1]]
    assert 0.3 < moods.count(1) / len(moods) < 0.7
    assert moods.count(-1) >= 6


def test_a_tale_goes_on_when_asked_for_more(policy, tokenizer):
    rng = random.Random(12)
    subjects = [tales.subject(rng) for _ in range(16)]
    chats = [
        [
            request(tales.ask(rng, about)),
            {"role": "assistant", "content": tales.tell(rng, about).text},
            request("Tell me more."),
        ]
        for about in subjects
    ]
    told, ended = replies(policy, tokenizer, chats)
    assert sum(ended) >= 12
    assert sum(about.hero in text for about, text in zip(subjects, told, strict=True)) >= 11
    assert sum(text == chat[1]["content"] for chat, text in zip(chats, told, strict=True)) == 0


def test_training_is_the_same_bit_by_bit_from_the_same_seed(tmp_path, monkeypatch):
    threads = torch.get_num_threads()
    for name, seed in (("one", 0), ("two", 0), ("other", 1)):
        arguments = [
            "build",
            str(tmp_path / name),
            "--examples",
            "60",
            "--seed",
            str(seed),
        ]
        monkeypatch.setattr("sys.argv", arguments)
        build_demo_policy.main()
    torch.set_num_threads(threads)
    one, two, other = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two", "other")
    )
    assert one == two != other
