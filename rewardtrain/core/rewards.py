"""The terms that a reward may be made of."""

from collections.abc import Sequence

from rewardtrain.core.proxy import Answer, Term
from rewardtrain.core.reward_model import RewardModel


def model_term(reward: RewardModel, name: str = "model", weight: float = 1.0) -> Term:
    """What a reward model gives."""

    def score(answers: Sequence[Answer]) -> list[float]:
        return reward.scores(
            [
                reward.encode(a.prompt.messages, [{"role": "assistant", "content": a.text}])[0]
                for a in answers
            ]
        )

    return Term(name, score, weight)
