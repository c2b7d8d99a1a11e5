"""What a reward model reads in texts, kept in a file so that no text is read twice.

A text is a prompt with a response, known by the hash of its content; a file belongs to one model.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from rewardtrain.contract import Message
from rewardtrain.core.reward_model import RewardModel

Text = tuple[list[Message], list[Message]]
"""A prompt and a response to it."""


@dataclass(frozen=True)
class Features:
    """Of N texts in the order given: states (N, hidden) that the heads read, raw scores (N,), and
    how many of the texts had to be read."""

    states: torch.Tensor
    scores: torch.Tensor
    fresh: int


def features_of(model: RewardModel, texts: Sequence[Text], cache: Path | None) -> Features:
    """Features in half precision, from the cache as far as it knows the texts; the rest is added.

    Two that add at once lose what one of them added, and read it again another time.
    """
    keys = [key_of(text) for text in texts]
    kept = load_file(cache) if cache and cache.is_file() else {}
    known = {
        bytes(key): place for place, key in enumerate(kept.get("keys", torch.empty(0)).numpy())
    }
    fresh = [at for at, key in enumerate(dict.fromkeys(keys)) if key not in known]
    unique = list(dict(zip(keys, texts, strict=True)).items())
    read = [unique[at] for at in fresh]
    found, states = model.read([model.encode(*text)[0] for _, text in read])
    new = {
        "keys": torch.tensor([list(key) for key, _ in read], dtype=torch.uint8).reshape(-1, 32),
        "states": states.half(),
        "scores": found.preference.float(),
    }
    whole = {name: torch.cat([kept[name], new[name]]) if kept else new[name] for name in new}
    if cache and read:
        cache.parent.mkdir(parents=True, exist_ok=True)
        draft = cache.with_name(f".{cache.name}.{os.getpid()}")
        save_file(whole, draft)
        os.replace(draft, cache)
    place = {bytes(key): at for at, key in enumerate(whole["keys"].numpy())}
    order = torch.tensor([place[key] for key in keys], dtype=torch.int64)
    return Features(whole["states"][order].float(), whole["scores"][order], len(read))


def key_of(text: Text) -> bytes:
    canonical = json.dumps(text, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).digest()
