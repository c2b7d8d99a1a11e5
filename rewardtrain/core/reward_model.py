"""A reward model: any backbone with one number at its last content token.

On disk it is a plain Hugging Face sequence classification model with one label, which other
libraries load as a reward function, beside `reward.json`: how long an input may be, and the mean
and spread that bring its scores to unit scale.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from rewardtrain.contract import ContractError, Message, write_json
from rewardtrain.core.data import by_length, collate, encode
from rewardtrain.core.pretrained import autocast, context_length, load_model, load_tokenizer

SETTINGS = "reward.json"


@dataclass(frozen=True)
class Settings:
    """What reward.json says. A normalised score is (score - mean) / spread."""

    max_length: int
    pooling: str = "last token"
    """"last token" of the content, or "first token" for an encoder's class token."""
    mean: float = 0.0
    spread: float = 1.0
    tau: float = 0.0
    """The learnt level between good and bad, in raw scores."""


@dataclass
class RewardModel:
    """A loaded reward model on its device."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    settings: Settings

    @property
    def device(self) -> torch.device:
        return self.model.device

    def encode(self, messages: list[Message], response: list[Message]) -> tuple[list[int], bool]:
        """Token ids of one prompt and response, and whether the prompt had to be shortened."""
        return encode(self.tokenizer, messages, response, self.settings.max_length)

    def rewards(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """Raw scores, shape (len(sequences),), with their gradient; one padded pass."""
        batch = collate(sequences, self.tokenizer.pad_token_id, self.device)
        with autocast(self.device):
            return self.model(**batch).logits[:, 0].float()

    @torch.inference_mode()
    def scores(self, sequences: Sequence[Sequence[int]], batch_size: int = 64) -> list[float]:
        """Raw scores in the order given, computed in batches of like length."""
        was_training = self.model.training
        self.model.eval()
        scores = [0.0] * len(sequences)
        for batch in by_length([len(s) for s in sequences], batch_size):
            found = self.rewards([sequences[i] for i in batch]).tolist()
            for index, score in zip(batch, found, strict=True):
                scores[index] = score
        self.model.train(was_training)
        return scores

    def normalise(self, score: float) -> float:
        return (score - self.settings.mean) / self.settings.spread

    def save(self, directory: Path, settings: Settings) -> None:
        """Write the model, its tokenizer and its settings."""
        self.model.save_pretrained(directory, safe_serialization=True)
        self.tokenizer.save_pretrained(directory)
        write_json(directory / SETTINGS, asdict(settings))


def start_reward_model(backbone: str, max_length: int, device: torch.device) -> RewardModel:
    """A fresh reward model on a backbone; its head is drawn from torch's seed.

    Raises:
        ContractError: the backbone cannot be loaded or is not one.
    """
    return _load(backbone, "backbone", max_length, device)


def load_reward_model(
    source: str, field: str, device: torch.device, max_length: int | None = None
) -> RewardModel:
    """A trained reward model, from a run or from elsewhere.

    One from elsewhere has no reward.json: it reads `max_length` tokens and its scores are taken as
    they are.

    Raises:
        ContractError: it cannot be loaded or has no head of one number.
    """
    path = Path(source) / SETTINGS
    known = Settings(**json.loads(path.read_text("utf-8"))) if path.is_file() else None
    loaded = _load(source, field, max_length, device, trained=True)
    if known:
        loaded.settings = known
    loaded.model.eval()
    return loaded


def _load(
    source: str, field: str, max_length: int | None, device: torch.device, trained: bool = False
) -> RewardModel:
    tokenizer = load_tokenizer(source, field, padding_side="right")
    options = {} if trained else {"num_labels": 1}
    model = load_model(AutoModelForSequenceClassification, source, field, device, **options)
    if model.config.num_labels != 1:
        raise ContractError(
            f"{field} = {source!r} gives {model.config.num_labels} numbers, not one; "
            "give a reward model."
        )
    if getattr(model.config.get_text_config(), "vocab_size", len(tokenizer)) < len(tokenizer):
        raise ContractError(f"{field} = {source!r}: its tokenizer knows more tokens than it does.")
    # Decoders pool at the last token that is not padding, encoders at their class token.
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    model.config.get_text_config().use_cache = False
    longest = context_length(model, tokenizer)
    settings = Settings(
        max_length=min(max_length or longest, longest),
        pooling="first token" if tokenizer.cls_token is not None else "last token",
    )
    return RewardModel(model, tokenizer, settings)
