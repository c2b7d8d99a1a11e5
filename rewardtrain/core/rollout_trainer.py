"""TRL's trainers, whose look at a step's samples measures them on the way.

Before its update a step needs the log-probabilities that policy and reference give its samples, and
the guard needs their exact KL and entropy: the same logits tell both, in one pass of each model.
"""

from functools import partial
from typing import Any

import torch
from transformers import PreTrainedModel
from trl import RLOOTrainer

from rewardtrain.core.meter import Meter
from rewardtrain.core.policy import Visited, positions_of, rows_a_pass, together, visit


class MeasuredRLOO(RLOOTrainer):
    """RLOO that tells its reward function, a Meter, how far its samples are from the reference."""

    def __init__(self, meter: Meter, reference: PreTrainedModel, **options: Any) -> None:
        self.meter, self.reference = meter, reference
        self.visited: Visited | None = None
        super().__init__(reward_funcs=meter, **options)

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Without a gradient, what one visit of both models said; the trainer asks for the policy
        first and for the reference, where there is a KL term, after it."""
        if torch.is_grad_enabled():
            # Left to itself it would count the padding in front of a short prompt as positions.
            placed = partial(model, position_ids=positions_of(attention_mask))
            return super()._get_per_token_logps_and_entropies(
                placed, input_ids, attention_mask, logits_to_keep, batch_size, **options
            )
        if model is self.ref_model:
            assert self.visited is not None
            return self.visited.reference_logprob, None, None
        rows = batch_size or len(input_ids)
        self.visited = self.visit(input_ids, attention_mask, logits_to_keep, rows)
        self.meter.measured = self.visited.summed(attention_mask[:, -logits_to_keep:])
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
