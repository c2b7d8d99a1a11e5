"""TRL's trainers that learn from texts that are there: of preferences (DPO), of people (SFT).

They never see what the policy writes. So a Lookout lets it write now and then, for the charts, the
guard and whoever reads along: the same figures at the same distances as when it learns from them.
"""

from collections.abc import Sequence
from typing import Any

from datasets import Dataset
from torch.utils.data import Sampler, SequentialSampler
from transformers import PreTrainedTokenizerBase, TrainerCallback
from trl import DPOTrainer, SFTTrainer

from rewardtrain.contract import ComparisonRow, DemonstrationRow, Message, PolicyConfig
from rewardtrain.core.losses import decided_pairs
from rewardtrain.core.meter import Meter
from rewardtrain.core.policy import seed_of
from rewardtrain.core.proxy import Prompt


class InOrder:
    """What a trainer of TRL's does besides: its rows are tokens already, and their order is that in
    which they come."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any, **__: Any) -> Dataset:
        return dataset

    def _get_train_sampler(self, dataset: Dataset | None = None) -> Sampler:
        return SequentialSampler(dataset or self.train_dataset)  # type: ignore[attr-defined]


class DPO(InOrder, DPOTrainer):
    """-log sigma(beta (log-ratio of the preferred - log-ratio of the other)), the log-ratios being
    those of policy to reference (Rafailov et al. 2023, arXiv:2305.18290, equation 7)."""


class SFT(InOrder, SFTTrainer):
    """-log pi a token of what people wrote."""


def preference_examples(
    rows: Sequence[ComparisonRow],
    prompts: Sequence[Prompt],
    tokenizer: PreTrainedTokenizerBase,
    max_new_tokens: int,
) -> list[dict[str, Any]]:
    """Every decided pair of the training side as {"prompt_ids", "chosen_ids", "rejected_ids"};
    a response of several messages is left out."""
    return [
        {
            "prompt_ids": prompt.ids,
            "chosen_ids": response_ids(row.responses[better], tokenizer, max_new_tokens),
            "rejected_ids": response_ids(row.responses[worse], tokenizer, max_new_tokens),
        }
        for row, prompt in zip(rows, prompts, strict=True)
        if prompt.fits and row.split == "train" and row.outcome == "prefer"
        for better, worse, _ in decided_pairs(row.tiers)
        if len(row.responses[better]) == len(row.responses[worse]) == 1
    ]


def demonstration_examples(
    rows: Sequence[DemonstrationRow],
    prompts: Sequence[Prompt],
    tokenizer: PreTrainedTokenizerBase,
    max_new_tokens: int,
) -> list[dict[str, Any]]:
    """Every demonstration as {"input_ids", "labels"}; a label of -100 is not learnt."""
    examples = []
    for row, prompt in zip(rows, prompts, strict=True):
        if prompt.fits:
            said = response_ids(
                [{"role": "assistant", "content": row.text}], tokenizer, max_new_tokens
            )
            examples.append(
                {
                    "input_ids": prompt.ids + said,
                    "labels": [-100] * len(prompt.ids) + said,
                }
            )
    return examples


def response_ids(
    response: Sequence[Message], tokenizer: PreTrainedTokenizerBase, max_new_tokens: int
) -> list[int]:
    """A response as the policy would have written it: with its end token unless it is cut off."""
    ids = tokenizer(response[-1]["content"], add_special_tokens=False)["input_ids"]
    return [*ids, tokenizer.eos_token_id][:max_new_tokens]


class Lookout(TrainerCallback):
    """Lets the policy write before the first of every `sample_every` steps, and the Meter see it.

    The draws are the same each time, so that what changes is the policy.
    """

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        config: PolicyConfig = self.meter.log.config
        self.meter.values = {}
        if state.global_step % config.sample_every:
            return
        groups = config.samples_per_step // config.samples_per_prompt
        asked = [
            self.meter.prompts[i % len(self.meter.prompts)]
            for i in range(groups)
            for _ in range(config.samples_per_prompt)
        ]
        policy = self.meter.policy.eval()
        seen = self.meter.proxy.write_and_see(
            policy,
            asked,
            [seed_of("look", config.seed, i) for i in range(len(asked))],
            batch_size=config.batch_size,
            max_new_tokens=config.max_new_tokens,
            temperature=config.temperature,
        )
        policy.train()
        self.meter.take(state.global_step + 1, seen)
        self.meter.show(state.global_step + 1, seen)
