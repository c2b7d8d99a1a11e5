"""What the two sides of a run directory agree on. Standard library only.

A run directory separates Django from torch. The web side writes `config.json` and `data.jsonl`
and reads everything else; a script of `rewardtrain.scripts` reads those two and writes the rest:

    config.json     one of the Config classes below, with `kind` naming which
    data.jsonl      the rows the run works on (PromptRow, ComparisonRow, DemonstrationRow or
                    ScoringRow, by kind and method)
    status.json     Status, replaced atomically: the script's heartbeat
    metrics.jsonl   one MetricLine a log step, append only
    samples.jsonl   SampleRow, append only: what the policy wrote (generate, policy)
    suspects.jsonl  SuspectRow, append only: what the guard of a policy run holds for exploits
    guard.json      a policy run's levels and where its guard stands, replaced atomically
    scores.jsonl    ScoreRow (evaluate)
    report.json     the figures of the finished run, replaced atomically
    log.txt         stdout and stderr
    checkpoints/    complete when their marker file COMPLETE is there
    states.safetensors  how a reward model read what taught it (core/neighbours.py)
    model/          the result in Hugging Face format, safetensors only; model/second/ is a second
                    opinion that a reward run was asked for
    lock            held with flock by the one process that may write here
    cancel          when this file exists the script stops at the next step, keeping a checkpoint
"""

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

Message = dict[str, str]
"""{"role": "user" | "assistant" | "system", "content": text}."""

CONFIG, DATA, STATUS, METRICS = "config.json", "data.jsonl", "status.json", "metrics.jsonl"
SAMPLES, SCORES, REPORT, LOG = "samples.jsonl", "scores.jsonl", "report.json", "log.txt"
SUSPECTS, STATES, GUARD = "suspects.jsonl", "states.safetensors", "guard.json"
CHECKPOINTS, MODEL, LOCK, CANCEL, COMPLETE = "checkpoints", "model", "lock", "cancel", "COMPLETE"
SECOND = "second"

RANDOM = "random"
"""The stream of comparisons that no strategy steered: on them alone a reward model is judged."""

HELDOUT_ENOUGH = 100
"""Held-out decided comparisons from which they alone say how good a reward model is; with fewer,
cross-validation over all labels does."""
TEACHING, GOLD = ("ask", "suspect"), "gold"
"""The kinds of comparisons that a reward model learns from, and that of a known answer."""
RATING_MAX = 4
"""Ratings of an attribute run from 0 to this."""


class ContractError(ValueError):
    """A configuration or row that does not fit; the text names the field, the value and the fix."""


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """A policy writes `samples_per_prompt` responses to every PromptRow of data.jsonl."""

    kind: Literal["generate"] = "generate"
    attempt: int = 1
    model: str
    reference: str | None = None
    """With a reference every sample of the model carries its exact KL(model || reference)."""
    samples_per_prompt: int = 2
    reference_samples: int = 0
    """Responses to every prompt that the reference writes too, for people to compare with."""
    max_new_tokens: int = 96
    temperature: float = 1.0
    top_p: float = 1.0
    batch_size: int = 64
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True, kw_only=True)
class RewardConfig:
    """Fit Bradley-Terry to the ComparisonRows of data.jsonl, always from the base model."""

    kind: Literal["reward"] = "reward"
    attempt: int = 1
    backbone: str
    champion: str | None = None
    """The reward model in service; scored on the same held-out rows for the gate."""
    folds: int = 5
    """Cross-validation by thread root over all rows before the final fit; 0 leaves it out."""
    epochs: int = 2
    learning_rate: float = 1.5e-3
    batch_size: int = 16
    """Comparisons an optimiser step."""
    max_length: int = 1024
    weight_decay: float = 0.01
    centring: float = 0.01
    strength: Literal["scale", "margin", "ignore"] = "scale"
    """What a strength does to the loss of its preference: weighs it, shifts it, or nothing."""
    ties: Literal["half", "rao_kupper"] = "half"
    """A tie is one half, or an outcome of its own whose width is learnt."""
    rankings: Literal["pairs", "plackett_luce"] = "pairs"
    """A ranking of three or more is all its pairs, or successive choices where nothing is tied."""
    labelers: Literal["equal", "dawid_skene", "crowd_bt"] = "equal"
    """Whom to believe: all alike, by agreement where several answered, or by the model itself."""
    curve: bool = True
    """Fits to an eighth, a quarter and a half of the labels, which say what more would bring."""
    warm_start: bool = False
    """Start from the champion's weights instead of the backbone's."""
    second_opinion: bool = False
    """Learn from one half of the threads, and fit a second model, which no policy is ever optimised
    against, to the other."""
    members: int = 4
    """Preference heads that each learn from a bootstrap of the threads, for their spread."""
    cache: str = ""
    """A folder that keeps texts as tokens, for the next run; none where empty."""
    precision: Literal["auto", "float32"] = "auto"
    """Training multiplies in bf16 where the device is faster at it, or in float32 throughout."""
    seed: int = 0
    device: str = "auto"
    checkpoint_every: int = 50
    report_to: Literal["none", "tensorboard", "trackio", "mlflow", "wandb"] = "none"
    """Where the metrics go beside metrics.jsonl; what it names must be installed."""


@dataclass(frozen=True, kw_only=True)
class Reward:
    """One part of what an answer is worth; the parts, each times its weight, add up.

    model       the reward model's score, 0 and 1 the mean and spread of the reference's samples
    lower       the same of that score less `spreads` spreads of its ensemble
    minimum     the same of the least that a member of its ensemble says
    attribute   the rating, from 0 to 1, that people would give on attribute `name`
    flag        minus the probability that people would set flag `name`
    length      minus the tokens written, as a share of max_new_tokens
    repetition  minus (1 - unique 4-grams / 4-grams)
    checks      the share of its prompt's checks that the answer passes
    """

    kind: Literal[
        "model", "lower", "minimum", "attribute", "flag", "length", "repetition", "checks"
    ] = "model"
    weight: float = 1.0
    name: str = ""
    """The flag or attribute."""
    spreads: float = 1.0

    @property
    def title(self) -> str:
        """What metrics call it: "model", "flag:hallucination"."""
        return f"{self.kind}:{self.name}" if self.name else self.kind


MODEL_SCORES = ("model", "lower", "minimum")
"""Of a reward model, in spreads of the reference's samples."""
READ_BY_MODEL = (*MODEL_SCORES, "attribute", "flag")
WEIGHT_MAX = 100.0
SPREADS_MAX = 10.0


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """Fine-tune `policy`, anchored to `reference` by KL.

    What data.jsonl holds follows from the method: PromptRows for those that let the policy write,
    ComparisonRows for DPO, DemonstrationRows for SFT.
    """

    kind: Literal["policy"] = "policy"
    attempt: int = 1
    method: Literal["rloo", "grpo", "rejection_sampling", "dpo", "sft"] = "rloo"
    policy: str
    reference: str
    reward_model: str | None = None
    """Absent where no part of the reward reads one."""
    rewards: list[Reward] = dataclasses.field(default_factory=lambda: [Reward()])
    second_opinion: str | None = None
    """A reward model of the other half of the thread roots: watched, never optimised."""
    steps: int = 60
    samples_per_prompt: int = 4
    samples_per_step: int = 48
    batch_size: int = 48
    """Completions a pass through the model; gradients are summed up to samples_per_step."""
    max_new_tokens: int = 96
    learning_rate: float = 5e-4
    beta: float = 0.05
    """The KL coefficient; with a target, the one to start from."""
    target_kl: float | None = None
    """Nats a response at which the KL coefficient, adapted after each step, shall hold the policy;
    null: the coefficient stays as it is."""
    temperature: float = 1.0
    rollouts: Literal["auto", "transformers"] = "auto"
    """What lets the policy write: auto is vLLM where that is installed and there is a GPU. Only
    transformers gives the same weights again after a kill."""
    lora: bool = False
    guard: Literal["stop", "watch"] = "stop"
    """"stop" ends a run whose guard is crossed, at its last clean checkpoint; "watch" only says
    so."""
    seed: int = 0
    device: str = "auto"
    checkpoint_every: int = 5
    sample_every: int = 5
    keep_checkpoints: int = 100


OFFLINE = ("dpo", "sft")
"""Methods that learn from texts that are there, without letting the policy write."""


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """A reward model scores the ScoringRows of data.jsonl."""

    kind: Literal["evaluate"] = "evaluate"
    attempt: int = 1
    reward_model: str
    max_length: int = 1024
    device: str = "auto"


@dataclass(frozen=True, kw_only=True)
class SelectConfig:
    """Draw `wanted` of the comparisons that the SelectRows of data.jsonl could become."""

    kind: Literal["select"] = "select"
    attempt: int = 1
    reward_model: str
    cache: str = ""
    """A file that keeps what the reward model has read, for the next time; none where empty."""
    strategy: Literal["d_optimal", "uncertain"] = "d_optimal"
    wanted: int = 48
    max_length: int = 1024
    seed: int = 0
    device: str = "auto"


Config = GenerateConfig | RewardConfig | PolicyConfig | EvaluateConfig | SelectConfig
CONFIGS: dict[str, type] = {
    "generate": GenerateConfig,
    "reward": RewardConfig,
    "policy": PolicyConfig,
    "evaluate": EvaluateConfig,
    "select": SelectConfig,
}
SCRIPTS = {
    "generate": "rewardtrain.scripts.generate",
    "reward": "rewardtrain.scripts.train_reward",
    "policy": "rewardtrain.scripts.train_policy",
    "evaluate": "rewardtrain.scripts.evaluate",
    "select": "rewardtrain.scripts.select",
}


@dataclass(frozen=True, kw_only=True)
class PromptRow:
    """A prompt to answer (generate, policy).

    `prompt` is its place in the file: with the seed it decides what is drawn, so it is never a
    database id.
    """

    prompt: int
    messages: list[Message]
    checks: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """What a program can check of an answer (verify/checks.py)."""


@dataclass(frozen=True, kw_only=True)
class ComparisonRow:
    """One preference (reward). `tiers` holds indices into `responses`, best first.

    `outcome` is prefer, tie, both_good, both_bad, all_good, all_bad or unanswerable; `strength`
    runs from 1 to `levels` for a pairwise prefer, else null. `ranking` is complete (every tier is
    ordered) or best (the last tier's members are unordered, not tied).
    """

    comparison: str
    """The comparison's content hash: the same data gives the same bytes in any database."""
    thread_root: str
    split: Literal["train", "heldout"]
    messages: list[Message]
    responses: list[list[Message]]
    outcome: str
    tiers: list[list[int]]
    ranking: Literal["complete", "best"] = "complete"
    strength: int | None = None
    levels: int = 1
    labeler: str = ""
    weight: float = 1.0
    confidence: float = 1.0
    """The probability that the stated order holds: a soft target for its decided pairs."""
    kind: str = "ask"
    """One of TEACHING, or GOLD: those judge the model, it never learns from them, and they come
    after all others."""
    stream: str = RANDOM
    """How it was chosen: what another than RANDOM chose teaches and judges nothing."""
    flags: list[list[str]] | None = None
    """Each response's flags; null where nobody was asked for any."""
    ratings: list[dict[str, int]] | None = None
    """Each response's ratings, 0 to RATING_MAX an attribute."""
    sources: list[str] = dataclasses.field(default_factory=list)
    """Who wrote each response, where that is known: "policy 3"."""


@dataclass(frozen=True, kw_only=True)
class DemonstrationRow:
    """What a person wrote in answer to a training prompt (policy, by SFT)."""

    messages: list[Message]
    text: str


@dataclass(frozen=True, kw_only=True)
class ScoringRow:
    """Responses to score (evaluate). With `tiers`, accuracy and NLL are reported too."""

    row: int
    messages: list[Message]
    responses: list[list[Message]]
    tiers: list[list[int]] | None = None


@dataclass(frozen=True, kw_only=True)
class SelectRow:
    """A prompt's responses and the pairs of them, as indices: those that may be asked about, or,
    where they are `known`, those that have been."""

    row: int
    messages: list[Message]
    responses: list[list[Message]]
    pairs: list[list[int]]
    known: bool = False


@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """What a policy wrote. `logprob` and `kl` are sums over the response's tokens, in nats."""

    prompt: int
    index: int
    text: str
    tokens: int
    truncated: bool
    logprob: float
    kl: float | None = None
    reward: float | None = None
    step: int | None = None
    attempt: int = 1
    by_reference: bool = False
    """Whether the run's reference wrote it, not its model."""


@dataclass(frozen=True, kw_only=True)
class SuspectRow:
    """A sample that may have fooled the reward model: high reward with a sign of something odd.

    The guard in scripts/train_policy.py writes it, about a training prompt; rewardtrain/suspects.py
    puts it before people, blind, beside the reference's answer to the same prompt. `prompt` is the
    PromptRow's, `kl` the sum over the response's tokens in nats, `repetition` 1 - unique 4-grams /
    4-grams, `reward` and `spread` (of the ensemble; null without one) in spreads of the reward
    model's scores on the reference's samples.
    """

    prompt: int
    step: int
    text: str
    reward: float
    kl: float
    repetition: float
    why: str
    """What is odd, as one word: spread, repetition, kl, length or another signal of the guard."""
    tokens: int = 0
    spread: float | None = None
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """The scores of a ScoringRow's responses, in its order."""

    row: int
    scores: list[float]


@dataclass(frozen=True, kw_only=True)
class ReplyRequest:
    """Of the resident process: one reply of a policy to `messages` from each seed."""

    model: str
    messages: list[Message]
    seeds: list[int]
    max_new_tokens: int = 96
    temperature: float = 1.0
    top_p: float = 1.0
    device: str = "auto"


@dataclass(frozen=True, kw_only=True)
class ScoreRequest:
    """Of the resident process: a reward model's scores of responses to one prompt.

    With `taught`, its run's directory, also the `nearest` comparisons that taught it.
    """

    reward_model: str
    messages: list[Message]
    responses: list[list[Message]]
    taught: str | None = None
    nearest: int = 3
    device: str = "auto"


REQUESTS: dict[str, type] = {"reply": ReplyRequest, "score": ScoreRequest}


@dataclass(frozen=True, kw_only=True)
class MetricLine:
    """One line of metrics.jsonl; the latest attempt wins a step."""

    attempt: int
    step: int
    time: float
    values: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Status:
    """The script's heartbeat. `state` is running, succeeded, failed or cancelled."""

    attempt: int
    state: str
    pid: int
    step: int = 0
    steps: int = 0
    stage: str = ""
    """What it is doing, in words for a person: "fold 2 of 5", "writing samples"."""
    device: str = ""
    seconds_left: float | None = None
    error: str = ""
    updated: float = 0.0


def encode(row: Any) -> str:
    """One dataclass as one JSON line, keys in the order of its fields."""
    return json.dumps(dataclasses.asdict(row), ensure_ascii=False)


def decode(cls: type, values: dict[str, Any], where: str) -> Any:
    """A dataclass from parsed JSON; unknown, missing and mistyped fields raise ContractError."""
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for name in values:
        if name not in fields:
            raise ContractError(f"{where}: {name} is not a field of {cls.__name__}; remove it.")
    for name, f in fields.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise ContractError(f"{where}: {name} is missing; {cls.__name__} needs it.")
        if name in values and f.type in (int, float, str, bool):
            _check_scalar(cls, f, values[name], where)
        if name in values and get_origin(f.type) is Literal:
            _check_choice(cls, f, values[name], where)
    if cls is PolicyConfig and "rewards" in values:
        values = {**values, "rewards": decode_rewards(values["rewards"], where)}
    return cls(**values)


def decode_rewards(values: Any, where: str) -> list[Reward]:
    """The parts of a reward; raises as decode, and where they do not go together."""
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ContractError(
            f'{where}: rewards = {values!r} must be a list such as [{{"kind": "model"}}].'
        )
    if not values:
        raise ContractError(f"{where}: rewards is empty; name what an answer is worth.")
    rewards = [
        decode(Reward, value, f"{where}: rewards[{place}]") for place, value in enumerate(values)
    ]
    titles = [reward.title for reward in rewards]
    for place, reward in enumerate(rewards):
        if problem := _problem_of(reward, titles[:place]):
            raise ContractError(f"{where}: rewards[{place}].{problem}")
    return rewards


def _problem_of(reward: Reward, before: list[str]) -> str:
    """Why a part does not do, from the field at fault; empty where it does."""
    named = reward.kind in ("attribute", "flag")
    if named != bool(reward.name):
        return f"name = {reward.name!r}: " + (
            f"say which {reward.kind} it is." if named else f"{reward.kind} takes none."
        )
    if reward.title in before:
        return f"kind = {reward.title!r} comes twice; add up the two weights."
    least = -WEIGHT_MAX if reward.kind == "attribute" else 0.0
    if not least <= reward.weight <= WEIGHT_MAX or reward.weight == 0:
        return (
            f"weight = {reward.weight:g} must lie between {least:g} and {WEIGHT_MAX:g} and not be "
            "0; leave out what does not count."
        )
    if not 0 <= reward.spreads <= SPREADS_MAX:
        return f"spreads = {reward.spreads:g} must lie between 0 and {SPREADS_MAX:g}."
    return ""


def _check_choice(cls: type, f: dataclasses.Field, value: Any, where: str) -> None:
    if value not in get_args(f.type):
        raise ContractError(
            f"{where}: {f.name} = {value!r} of {cls.__name__} must be one of "
            f"{', '.join(get_args(f.type))}."
        )


def _check_scalar(cls: type, f: dataclasses.Field, value: Any, where: str) -> None:
    assert isinstance(f.type, type)
    wanted = (int, float) if f.type is float else f.type
    mistaken_bool = isinstance(value, bool) and f.type is not bool
    if mistaken_bool or not isinstance(value, wanted):
        raise ContractError(
            f"{where}: {f.name} = {value!r} of {cls.__name__} must be {f.type.__name__}."
        )


def write_json(path: Path, value: Any) -> None:
    """Replace `path` atomically, so that a reader never sees half a file."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(draft, path)


def read_config(run_dir: Path) -> Any:
    """The Config of a run directory.

    Raises:
        ContractError: config.json is absent, is not JSON, or does not fit its kind.
    """
    path = run_dir / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContractError(f"{path} does not exist; give a run directory.") from None
    except json.JSONDecodeError as error:
        raise ContractError(f"{path} is not JSON: {error}.") from None
    kind = values.get("kind")
    if kind not in CONFIGS:
        raise ContractError(f"{path}: kind = {kind!r} must be one of {', '.join(CONFIGS)}.")
    return decode(CONFIGS[kind], values, str(path))


def read_rows(path: Path, cls: type) -> list[Any]:
    """The rows of a JSONL file as dataclasses; an error names file and line."""
    rows = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                values = json.loads(line)
            except json.JSONDecodeError as error:
                raise ContractError(f"{path}:{number} is not JSON: {error}.") from None
            rows.append(decode(cls, values, f"{path}:{number}"))
    return rows


def read_status(run_dir: Path) -> Status | None:
    """The heartbeat, or None while the script has not started."""
    try:
        values = json.loads((run_dir / STATUS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return decode(Status, values, str(run_dir / STATUS))
