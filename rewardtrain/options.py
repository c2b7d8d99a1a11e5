"""What may be asked of a run: the fields of the contract's Configs, within bounds."""

import dataclasses
import math
from typing import Any

from annotation.refused import Refused
from rewardtrain import contract
from rewardtrain.models import Run

# The demo's run with hardly any anchor.
HACKABLE = {"beta": 1e-6, "learning_rate": 1e-3, "steps": 40}
HACKABLE_WARNING = (
    " With hardly any anchor to the reference it will find what the reward model likes and people "
    "do not: watch the KL grow while the language goes."
)

# What an option may be, lowest and highest; the scripts check how options fit together.
LIMITS: dict[str, tuple[float, float]] = {
    "batch_size": (1, 4096),
    "beta": (0, 100),
    "centring": (0, 10),
    "checkpoint_every": (1, 100_000),
    "epochs": (1, 1_000),
    "folds": (0, 20),
    "keep_checkpoints": (1, 10_000),
    "learning_rate": (1e-9, 1),
    "max_length": (8, 1_000_000),
    "members": (0, 64),
    "max_new_tokens": (1, 100_000),
    "reference_samples": (0, 64),
    "sample_every": (1, 100_000),
    "samples_per_prompt": (1, 64),
    "wanted": (1, 100_000),
    "samples_per_step": (2, 100_000),
    "seed": (0, 2**31 - 1),
    "steps": (1, 1_000_000),
    "target_kl": (0.001, 1_000),
    "temperature": (0.01, 10),
    "top_p": (0.01, 1),
    "weight_decay": (0, 1),
}
FROM_LINEAGE = {
    "attempt",
    "cache",
    "champion",
    "kind",
    "model",
    "policy",
    "reference",
    "reward_model",
    "second_opinion",
}


def configure(kind: str, options: dict[str, Any], *, seed: int) -> dict[str, Any]:
    """The contract's fields of a run, its models and attempt apart.

    Raises:
        Refused: an option is unknown, of the wrong type or out of bounds.
    """
    if kind != Run.Kind.EVALUATE:
        options = {"seed": seed, **options}
    return check_options(kind, options, "options")


def check_options(kind: str, options: dict[str, Any], field: str) -> dict[str, Any]:
    """The options and the contract's defaults for what they leave out; raises as configure."""
    cls = contract.CONFIGS[kind]
    lineage = FROM_LINEAGE & {f.name for f in dataclasses.fields(cls)}
    for name, value in options.items():
        low, high = LIMITS.get(name, (-math.inf, math.inf))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in FROM_LINEAGE:
            problem = "follows from the project and is not an option; leave it out."
        elif number and not low <= value <= high:
            problem = f"is {value}; it must lie between {low:g} and {high:g}."
        else:
            continue
        raise Refused(
            "invalid", f"{name} {problem}", field=f"{field}.{name}", fix=f"Change {name}."
        )
    if kind == Run.Kind.POLICY and "rewards" in options:
        check_rewards(options["rewards"], field)
    fields = dataclasses.fields(cls)
    required = [f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING]
    placeholders = dict.fromkeys(required, "")
    try:
        config = contract.decode(cls, {**placeholders, **options}, field)
    except contract.ContractError as error:
        raise Refused("invalid", str(error), field=field, fix="Correct it.") from None
    return {k: v for k, v in dataclasses.asdict(config).items() if k not in lineage}


def check_rewards(rewards: Any, field: str) -> None:
    """Raises Refused where what an answer shall be worth cannot be told."""
    try:
        contract.decode_rewards(rewards, field)
    except contract.ContractError as error:
        raise Refused(
            "invalid", str(error), field=f"{field}.rewards", fix="Correct that reward."
        ) from None
