"""TRL's trainers that learn from what the policy writes, and measure it on the way.

Before its update a step needs the log-probabilities that policy and reference give its samples, and
the guard needs their exact KL and entropy: the same logits tell both, in one pass of each model.
"""

from functools import partial
from typing import Any

import torch
from transformers import PreTrainedModel
from trl import GRPOTrainer, RLOOTrainer

from rewardtrain.core.meter import Meter
from rewardtrain.core.policy import Visited, positions_of, rows_a_pass, together, visit


class Measuring:
    """What a trainer of TRL's does besides: it tells its reward function, a Meter, how far its
    samples are from the reference."""

    model: Any
    ref_model: Any
    accelerator: Any
    beta: float
    temperature: float
    max_completion_length: int

    def __init__(self, meter: Meter, reference: PreTrainedModel, **options: Any) -> None:
        self.meter, self.reference = meter, reference
        self.visited: Visited | None = None
        super().__init__(reward_funcs=meter, **options)  # type: ignore[call-arg]
        # TRL loads the weights that the policy started from, which are the reference only in a
        # project's first round.
        if self.beta:
            self.ref_model = reference

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Without a gradient, what one visit of both models said."""
        if torch.is_grad_enabled():
            # Left to itself it would count the padding in front of a short prompt as positions.
            placed = partial(model, position_ids=positions_of(attention_mask))
            return super()._get_per_token_logps_and_entropies(  # type: ignore[misc]
                placed, input_ids, attention_mask, logits_to_keep, batch_size, **options
            )
        if self.visited is None:
            rows = batch_size or len(input_ids)
            self.visited = self.visit(input_ids, attention_mask, logits_to_keep, rows)
            self.meter.measured = self.visited.summed(attention_mask[:, -logits_to_keep:])
        if model is self.ref_model:
            assert self.visited.reference_logprob is not None
            return self.visited.reference_logprob, None, None
        return self.visited.logprob, None, None

    def visit(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, keep: int, rows: int
    ) -> Visited:
        """Rows as the trainer pads them, of which the last `keep` positions are responses."""
        # By the longest that a response may be, so that all processes make as many passes.
        rows = min(rows, rows_a_pass(self.model, self.max_completion_length))
        parts = zip(input_ids.split(rows), attention_mask.split(rows), strict=True)
        return together(
            visit(
                self.model,
                self.reference,
                {"input_ids": ids, "attention_mask": mask},
                keep,
                self.temperature,
            )
            for ids, mask in parts
        )

    def _calculate_rewards(self, *samples: Any) -> torch.Tensor:
        """Asked for last; the next samples are others."""
        self.visited = None
        return super()._calculate_rewards(*samples)  # type: ignore[misc]


class MeasuredRLOO(Measuring, RLOOTrainer):
    """REINFORCE whose baseline is the mean of a prompt's other samples (Ahmadian et al. 2024,
    arXiv:2402.14740), the KL in the reward."""


class MeasuredGRPO(Measuring, GRPOTrainer):
    """Rewards brought to mean 0 and spread 1 within a prompt's samples, the KL in the loss (Shao et
    al. 2024, arXiv:2402.03300), each token weighing the same (DAPO, arXiv:2503.14476)."""


class RejectionSampling(MeasuredRLOO):
    """The likelihood of each prompt's best sample (RAFT, Dong et al. 2023, arXiv:2304.06767).

    Best is what earns most after the KL term, as in RLOO. Where all samples of a prompt earn the
    same, none of them is learnt.
    """

    def _generate_and_score_completions(self, inputs: list[Any]) -> dict[str, Any]:
        scored = super()._generate_and_score_completions(inputs)
        # Within a prompt RLOO's advantage rises with the reward.
        every = self.accelerator.gather(scored["advantages"])
        weights = best_of_each(every.view(-1, self.num_generations)).flatten()
        ours = len(scored["advantages"])
        first = self.accelerator.process_index * ours
        scored["advantages"] = weights[first : first + ours]
        return scored

    def _compute_loss(self, model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Mean of -log pi a token of the samples that were kept, scalar."""
        kept = inputs["advantages"] > 0
        # A pass that kept nothing gives a gradient of 0, which other processes may wait for.
        rows = kept if kept.any() else torch.arange(len(kept), device=kept.device) == 0
        parts = ("prompt_ids", "completion_ids"), ("prompt_mask", "completion_mask")
        ids, mask = (torch.cat([inputs[name][rows] for name in part], dim=1) for part in parts)
        inside = inputs["completion_mask"][rows]
        found = self._get_per_token_logps_and_entropies(model, ids, mask, inside.shape[1])[0]
        said = (found * inside).sum(1) / inside.sum(1)
        # Divided as every pass's mean over its own rows, so that passes add up to the step's mean.
        return -(said * inputs["advantages"][rows]).sum() / len(kept)


def best_of_each(rewards: torch.Tensor) -> torch.Tensor:
    """Weights of (prompts, samples) rewards: 0 but for each prompt's best, which all prompts
    that have one share so that the mean over the samples is 1; the first of several best."""
    best = torch.zeros_like(rewards).scatter(1, rewards.argmax(1, keepdim=True), 1.0)
    best *= rewards.amax(1, keepdim=True) > rewards.amin(1, keepdim=True)
    return best * best.numel() / best.sum().clamp(min=1)
