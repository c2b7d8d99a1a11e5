"""The terms that a reward may be made of, and what is watched beside them."""

from collections.abc import Callable, Sequence

from rewardtrain.core.proxy import Answer, Term
from rewardtrain.core.reward_model import HeadScores, RewardModel

Read = Callable[[Sequence[Answer]], HeadScores]


def model_term(reward: RewardModel, name: str = "model", pessimism: float = 0.0) -> Term:
    """What a reward model gives, less `pessimism` spreads of its ensemble where it has one: a
    lower bound of what its members say (Coste et al. 2023, arXiv:2310.02743)."""
    read = head_reader(reward)
    return Term(name, lambda answers: read(answers).lower(pessimism).tolist())


def spread_term(reward: RewardModel) -> Term:
    """How far an ensemble's members lie apart, in raw scores."""
    read = head_reader(reward)
    return Term("spread", lambda answers: read(answers).spread.tolist(), normalised=False)


def has_ensemble(reward: RewardModel) -> bool:
    return reward.heads is not None and reward.heads.members > 0


def head_reader(reward: RewardModel) -> Read:
    """All heads' scores of answers."""

    def read(answers: Sequence[Answer]) -> HeadScores:
        return reward.head_scores(
            [
                reward.encode(a.prompt.messages, [{"role": "assistant", "content": a.text}])[0]
                for a in answers
            ]
        )

    return read
