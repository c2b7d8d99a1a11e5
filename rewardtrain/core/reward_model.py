"""A reward model: any backbone with one number at its last content token, and heads beside it.

On disk it is a plain Hugging Face sequence classification model with one label, the preference
head, which other libraries load as a reward function. Beside it lie

    reward.json         how long an input may be, the mean and spread that bring its scores to unit
                        scale, and the names of the heads beside the preference head, in order
    heads.safetensors   weight (heads, hidden) and bias (heads,): linear on the state that the
                        preference head reads; absent where there is no such head

The heads are named "member 1", "member 2", ... (an ensemble of preference heads, each fitted to a
bootstrap of the threads: their spread says how little the labels settle), "flag:NAME" (the logit
that people would flag the response so; a penalty subtracts its sigmoid) and "attribute:NAME" (the
logit of the rating over the highest).

    found = load_reward_model(source, "reward_model", device).head_scores(sequences)
    found.values                        (n, 1 + heads), columns as found.names
    found.preference                    (n,) raw scores, as RewardModel.scores
    found.spread                        (n,) standard deviation of the members, 0 without any
    found.lower(1.0)                    (n,) preference less so many spreads
    found.of("flag:hallucination")      (n,) one head's logits
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from rewardtrain.contract import ContractError, Message, write_json
from rewardtrain.core.data import encode
from rewardtrain.core.heads import PREFERENCE, Heads, HeadScores
from rewardtrain.core.packing import (
    PADDING,
    Budget,
    Pass,
    Tokens,
    attention_of,
    budget_of,
    families,
    layout_of,
    pack,
)
from rewardtrain.core.pretrained import autocast, context_length, load_model, load_tokenizer
from rewardtrain.core.tree_attention import forest_of, within_trees

SETTINGS, HEADS = "reward.json", "heads.safetensors"


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
    heads: list[str] = field(default_factory=list)
    """The heads beside the preference head, as in heads.safetensors."""


@dataclass
class RewardModel:
    """A loaded reward model on its device."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    settings: Settings
    heads: Heads | None = None

    @property
    def device(self) -> torch.device:
        return self.model.device

    def encode(self, messages: list[Message], response: list[Message]) -> tuple[list[int], bool]:
        """Token ids of one prompt and response, and whether the prompt had to be shortened."""
        return encode(self.tokenizer, messages, response, self.settings.max_length)

    def pack(self, groups: Sequence[Sequence[Tokens]], budget: Budget | None = None) -> list[Pass]:
        """Groups of sequences as passes for `all_rewards`; by default of this model's budget."""
        return pack(groups, budget or budget_of(self.model), layout_of(self.model))

    def states(self, packed: Pass, *, bf16: bool | None = None) -> torch.Tensor:
        """What the heads read, shape (sequences of the pass, hidden), with its gradient; products
        in bf16 or not, by default as `autocast` has it."""
        layout = layout_of(self.model)
        causal = reads_last(self.model)
        ids, position = packed.ids.to(self.device), packed.position.to(self.device)
        read = self.model.base_model
        with autocast(self.device, bf16=bf16):
            if layout == "padded":
                mask = (packed.tree != PADDING).to(self.device)
                found = read(input_ids=ids, attention_mask=mask.long())
            elif packed.trees is not None:
                with within_trees(self.model):
                    forest = forest_of(packed.trees, causal=causal)
                    found = read(input_ids=ids, position_ids=position, forest=forest)
            else:
                mask = attention_of(packed, self.model, causal=causal)
                found = read(input_ids=ids, position_ids=position, attention_mask=mask)
            at = packed.at if causal or layout == "apart" else torch.zeros_like(packed.at)
            hidden = found.last_hidden_state[packed.row.to(ids.device), at.to(ids.device)]
            return (hidden if causal else pool_first(self.model, hidden)).float()

    def all_rewards(self, packed: Pass, *, bf16: bool | None = None) -> torch.Tensor:
        """Every head's raw scores, shape (sequences of the pass, 1 + heads), with their gradient;
        in the pass's order. `bf16` as in `states`; the heads are always in float32."""
        return self.head_rewards(self.states(packed, bf16=bf16))

    def head_rewards(self, states: torch.Tensor) -> torch.Tensor:
        """Every head's raw scores of states (N, hidden): (N, 1 + heads)."""
        preference = score_states(self.model, states)[:, None]
        if self.heads is None:
            return preference
        return torch.cat([preference, self.heads(states)], dim=1)

    @torch.inference_mode()
    def read(self, sequences: Sequence[Tokens]) -> tuple[HeadScores, torch.Tensor]:
        """What every head gives the sequences, and the states it reads, (len(sequences), hidden),
        both in the order given; neighbours that begin alike share what they begin with."""
        names = [PREFERENCE, *(self.heads.names if self.heads else [])]
        values = torch.zeros(len(sequences), len(names))
        read = torch.zeros(len(sequences), self.model.config.get_text_config().hidden_size)
        was_training = self.model.training
        self.model.eval()
        budget = budget_of(self.model)
        for packed in self.pack(families(sequences, budget.tokens), budget):
            states = self.states(packed)
            read[packed.sequence] = states.cpu()
            values[packed.sequence] = self.head_rewards(states).float().cpu()
        self.model.train(was_training)
        return HeadScores(names, values), read

    def head_scores(self, sequences: Sequence[Tokens]) -> HeadScores:
        """What every head gives the sequences, in the order given."""
        return self.read(sequences)[0]

    def scores(self, sequences: Sequence[Tokens]) -> list[float]:
        """Raw scores of the preference head in the order given."""
        return self.head_scores(sequences).preference.tolist()

    def normalise(self, score: float) -> float:
        return (score - self.settings.mean) / self.settings.spread

    def save(self, directory: Path, settings: Settings) -> None:
        """Write the model, its tokenizer and its settings."""
        self.model.save_pretrained(directory, safe_serialization=True)
        self.tokenizer.save_pretrained(directory)
        if self.heads is not None:
            weights = {"weight": self.heads.linear.weight, "bias": self.heads.linear.bias}
            save_file({name: w.detach().cpu() for name, w in weights.items()}, directory / HEADS)
            settings = replace(settings, heads=self.heads.names)
        write_json(directory / SETTINGS, asdict(settings))

    def add_heads(self, names: Sequence[str]) -> None:
        """Put fresh heads beside the preference head, drawn from torch's seed; none without names.

        Raises:
            ContractError: the backbone's own head cannot be called apart from it.
        """
        if not names:
            return
        if not (hasattr(self.model, "score") or hasattr(self.model, "classifier")):
            raise ContractError(
                f"{type(self.model).__name__} has no head that can stand beside others; "
                "use members = 0 and a project without flags and attributes."
            )
        hidden = self.model.config.get_text_config().hidden_size
        self.heads = Heads(hidden, names).to(self.device)

    def level_members(self, found: HeadScores) -> HeadScores:
        """Shift each member to the preference's mean over `found`, and give `found` as it is then:
        differences leave a member's level free, and it would count as spread."""
        values = found.values.clone()
        if self.heads is not None and self.heads.members:
            members = found.values[:, 1 : 1 + self.heads.members]
            shift = (found.preference.mean() - members.mean(dim=0)).to(self.device)
            with torch.no_grad():
                self.heads.linear.bias[: self.heads.members] += shift
            values[:, 1 : 1 + self.heads.members] += shift.cpu()
        return HeadScores(found.names, values)


def reads_last(model: PreTrainedModel) -> bool:
    """Whether the preference head stands at the last token (a decoder), not at the class token."""
    return hasattr(model, "score")


def pool_first(model: PreTrainedModel, first: torch.Tensor) -> torch.Tensor:
    """An encoder's state at its class token as its classifier reads it: (N, H) to (N, H)."""
    base = model.base_model
    pooler = getattr(base, "pooler", None) or getattr(model, "pooler", None)
    pooled = pooler(first[:, None]) if pooler is not None else first
    if hasattr(model, "pre_classifier"):
        pooled = torch.relu(model.pre_classifier(pooled))
    return model.dropout(pooled) if hasattr(model, "dropout") else pooled


def score_states(model: PreTrainedModel, states: torch.Tensor) -> torch.Tensor:
    """The preference head's raw scores of pooled states: (N, hidden) to (N,)."""
    head = model.score if reads_last(model) else model.classifier
    if not isinstance(head, torch.nn.Linear):
        states = states[:, None]  # such a head picks the first token by itself
    return head(states.to(next(head.parameters()).dtype))[:, 0].float()


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
        if known.heads:
            loaded.add_heads(known.heads)
            assert loaded.heads is not None
            found = load_file(Path(source) / HEADS, device=str(device))
            loaded.heads.linear.load_state_dict(found)
            loaded.heads.requires_grad_(False)
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
