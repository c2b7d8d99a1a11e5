"""Whom to believe where several answered: one-coin Dawid-Skene.

Each labeler says the true order of a pair with a probability of their own, their reliability; it is
found by agreement with the others, and with it how sure each order is (Dawid and Skene 1979,
"Maximum likelihood estimation of observer error-rates using the EM algorithm", with one error rate
a labeler). A labeler who mostly says the opposite is read the other way round.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rewardtrain.contract import ComparisonRow
from rewardtrain.core.losses import decided_pairs

Vote = tuple[str, str, bool]
"""(task, labeler, whether they said yes)."""
PRIOR = (10.0, 2.0)
"""Beta prior of a reliability: right in 10 of 12, as much as ten answers say."""
ROUNDS, STILL = 200, 1e-6


@dataclass(frozen=True)
class Belief:
    """yes: the probability that each task's answer is yes; reliability: each labeler's."""

    yes: dict[str, float]
    reliability: dict[str, float]


def dawid_skene(votes: Sequence[Vote], prior: tuple[float, float] = PRIOR) -> Belief:
    """Expectation maximisation from the majority's answers, yes and no equally likely before.

    E: logit P(yes) of a task is the sum over its votes of +-logit(reliability).
    M: reliability is the mode of its Beta posterior given the expected number of right votes.
    """
    by_task: dict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_task[vote[0]].append(vote)
    yes = {task: sum(said for *_, said in cast) / len(cast) for task, cast in by_task.items()}
    given = Counter(labeler for _, labeler, _ in votes)
    ones, zeros = prior[0] - 1, prior[1] - 1
    reliability: dict[str, float] = {}
    for _ in range(ROUNDS):
        right: dict[str, float] = defaultdict(float)
        for task, labeler, said in votes:
            right[labeler] += yes[task] if said else 1 - yes[task]
        reliability = {
            who: _inside((ones + right[who]) / (ones + zeros + n)) for who, n in given.items()
        }
        found = {task: _posterior(cast, reliability) for task, cast in by_task.items()}
        moved = max((abs(found[task] - yes[task]) for task in found), default=0.0)
        yes = found
        if moved < STILL:
            break
    return Belief(yes, reliability)


def _inside(share: float) -> float:
    return min(max(share, 1e-6), 1 - 1e-6)


def _posterior(cast: Sequence[Vote], reliability: dict[str, float]) -> float:
    logit = 0.0
    for _, who, said in cast:
        weight = math.log(reliability[who] / (1 - reliability[who]))
        logit += weight if said else -weight
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, logit))))


def pair_votes(row: ComparisonRow) -> list[Vote]:
    """What a row says of each pair it decides: whether the first of the two is the better one."""
    return [
        (f"{row.comparison} {min(a, b)} {max(a, b)}", row.labeler, a < b)
        for a, b, _ in (decided_pairs(row.tiers) if row.outcome == "prefer" else [])
    ]


def believed(rows: Sequence[ComparisonRow]) -> tuple[list[ComparisonRow], dict[str, float]]:
    """The rows with how far each is to be believed, and each labeler's reliability.

    A row's confidence is the mean over its decided pairs of the probability that they are as it
    says. Rows of one comparison share its weight: they speak of one truth, which all votes
    together have found.
    """
    belief = dawid_skene([vote for row in rows for vote in pair_votes(row)])
    asked = Counter(row.comparison for row in rows)
    weighed = []
    for row in rows:
        votes = pair_votes(row)
        right = [belief.yes[task] if said else 1 - belief.yes[task] for task, _, said in votes]
        weighed.append(
            replace(
                row,
                confidence=sum(right) / len(right) if right else row.confidence,
                weight=row.weight / asked[row.comparison],
            )
        )
    return weighed, belief.reliability
