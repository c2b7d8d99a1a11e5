"""Texts as tokens, kept in a file so that a growing batch is not tokenised anew by every run.

A text is known by the hash of its content; a file belongs to one tokenizer, template and length.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from rewardtrain.core.features import Text, key_of
from rewardtrain.core.reward_model import RewardModel

Encoded = tuple[list[int], bool]
"""Token ids of a text, and whether its prompt had to be shortened."""


def encode_all(model: RewardModel, texts: Sequence[Text], folder: Path | None) -> list[Encoded]:
    """The texts in the order given, from the folder's file as far as it knows them; the rest is
    added. Two that add at once lose what one of them added, and read it again another time."""
    path = file_of(model, folder) if folder else None
    known = read(path) if path and path.is_file() else {}
    keys = [key_of(text) for text in texts]
    fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    known |= {key: model.encode(*text) for key, text in fresh.items()}
    if path and fresh:
        write(path, known)
    return [known[key] for key in keys]


def file_of(model: RewardModel, folder: Path) -> Path | None:
    """The file of the model's way to encode; None where the tokenizer does not say all it is."""
    tokenizer = model.tokenizer
    if not tokenizer.is_fast:
        return None
    way = [
        tokenizer.backend_tokenizer.to_str(),
        str(tokenizer.chat_template),
        str(tokenizer.cls_token),
        str(model.settings.max_length),
    ]
    digest = hashlib.sha256("\0".join(way).encode("utf-8", "surrogatepass")).hexdigest()
    return folder / f"{digest}.safetensors"


def read(path: Path) -> dict[bytes, Encoded]:
    kept = load_file(path)
    ids = [part.tolist() for part in kept["ids"].split(kept["lengths"].tolist())]
    shortened = kept["shortened"].bool().tolist()
    keys = [bytes(key) for key in kept["keys"].numpy()]
    return dict(zip(keys, zip(ids, shortened, strict=True), strict=True))


def write(path: Path, known: dict[bytes, Encoded]) -> None:
    encoded = list(known.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    save_file(
        {
            "keys": torch.tensor([list(key) for key in known], dtype=torch.uint8),
            "lengths": torch.tensor([len(ids) for ids, _ in encoded], dtype=torch.int32),
            "shortened": torch.tensor([cut for _, cut in encoded], dtype=torch.uint8),
            "ids": torch.tensor([i for ids, _ in encoded for i in ids], dtype=torch.int32),
        },
        draft,
    )
    os.replace(draft, path)
