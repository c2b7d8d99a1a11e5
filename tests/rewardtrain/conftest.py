"""A policy small enough to train in a second, with a tokenizer of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rewardtrain.core.reward_model import start_reward_model

torch.set_num_threads(1)

TEXT = (
    "The small fox found a red lamp. The old bear lost a blue cup. "
    "They sang by the river until the moon rose, and all was well. "
)
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>"
    "{{ message['content'] }}{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        [TEXT],
        trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token="<|pad|>",
        bos_token="<|begin|>",
        eos_token="<|end|>",
        chat_template=TEMPLATE,
        model_max_length=128,
    )


@pytest.fixture(scope="session")
def make_policy(tiny_tokenizer, tmp_path_factory) -> Callable[[int], str]:
    """Write a random policy from a seed and give its directory."""

    def make(seed: int) -> str:
        directory = tmp_path_factory.mktemp(f"policy-{seed}")
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=len(tiny_tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=128,
            tie_word_embeddings=True,
            # Wide enough that its next tokens are far from uniform.
            initializer_range=0.2,
            pad_token_id=tiny_tokenizer.pad_token_id,
            bos_token_id=tiny_tokenizer.bos_token_id,
            eos_token_id=tiny_tokenizer.eos_token_id,
        )
        LlamaForCausalLM(config).save_pretrained(directory)
        tiny_tokenizer.save_pretrained(directory)
        return str(directory)

    return make


@pytest.fixture(scope="session")
def tiny_policy(make_policy) -> str:
    return make_policy(0)


@pytest.fixture(scope="session")
def tiny_reward_model(tiny_policy, tmp_path_factory) -> str:
    """A random head, whose taste is as good as any to a policy."""
    directory = tmp_path_factory.mktemp("reward")
    torch.manual_seed(3)
    reward = start_reward_model(tiny_policy, 100, torch.device("cpu"))
    torch.nn.init.normal_(reward.model.score.weight, std=1.0)
    reward.save(directory, reward.settings)
    return str(directory)


def said(*texts: str) -> list[dict[str, str]]:
    """A conversation that the user begins."""
    roles = ["user", "assistant"]
    return [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]


@pytest.fixture
def write_run(tmp_path) -> Callable[..., Path]:
    """Write a run directory as the web side would."""

    def write(config: dict[str, Any], rows: list[dict[str, Any]], name: str = "run") -> Path:
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        (directory / "config.json").write_text(json.dumps(config))
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (directory / "data.jsonl").write_text(lines)
        return directory

    return write
