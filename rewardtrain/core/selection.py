"""Which of many possible comparisons are worth a label.

A strategy weighs each candidate by what is known of it; comparisons are then drawn by chance, one a
prompt at most, and each keeps the probability that it had. None is ever chosen for certain where
others could have been: what is never asked can never be found to be wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RIDGE = 1.0
"""Of the mean squared length of a feature, added to the information of each direction: as if one
comparison had been seen in it."""
UNIFORM = 0.1
"""The share of the draw that no strategy steers."""
MOST = 0.9
"""What a prompt's probability may be where there are more prompts than are wanted."""


@dataclass(frozen=True)
class Pool:
    """The N candidates and what has been labelled, as a reward model reads them.

    prompt (N,) int: which prompt each is about. difference (N, H): its responses' features, the one
    less the other. margin (N,): the same of their scores. known (M, H): the differences of the
    comparisons that have labels or wait for them.
    """

    prompt: np.ndarray
    difference: np.ndarray
    margin: np.ndarray
    known: np.ndarray


def d_optimal(pool: Pool) -> np.ndarray:
    """x'A^-1 x, where A is the sum of xx' over what is known: by how much a label would shrink the
    volume of what the parameters may still be, to first order (Fedorov 1972, D-optimal design)."""
    information = pool.known.T @ pool.known
    scale = float(np.mean(pool.difference**2)) or 1.0
    information[np.diag_indices_from(information)] += RIDGE * scale
    return np.einsum("nh,nh->n", pool.difference, np.linalg.solve(information, pool.difference.T).T)


def uncertain(pool: Pool) -> np.ndarray:
    """p(1 - p): how little the model knows which of the two people prefer (Lewis and Gale 1994)."""
    chance = 1 / (1 + np.exp(-np.clip(pool.margin, -30, 30)))
    return chance * (1 - chance)


STRATEGIES: dict[str, Callable[[Pool], np.ndarray]] = {
    "d_optimal": d_optimal,
    "uncertain": uncertain,
}


def select(pool: Pool, strategy: str, wanted: int, seed: int) -> list[tuple[int, float]]:
    """`wanted` candidates of different prompts, each with its probability; fewer where there are
    fewer prompts. In an order that tells nothing of their weights."""
    return draw(STRATEGIES[strategy](pool), pool.prompt, wanted, seed)


def draw(
    weights: np.ndarray, prompt: np.ndarray, wanted: int, seed: int
) -> list[tuple[int, float]]:
    """Prompts by systematic sampling, so that each comes with exactly its probability and no two
    draws are the same prompt (Madow 1949), then one candidate of each."""
    names, of = np.unique(prompt, return_inverse=True)
    if not len(names):
        return []
    share = weights / weights.sum() if weights.sum() > 0 else np.full(len(weights), 1 / len(prompt))
    share = (1 - UNIFORM) * share + UNIFORM / len(prompt)
    each = np.bincount(of, share)
    chance = inclusion(each, wanted)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(names))
    passed = np.floor(np.cumsum(chance[order]) + rng.random() + 1e-12)
    taken = order[np.diff(passed, prepend=0.0) > 0]
    chosen = []
    for name in taken:
        among = np.flatnonzero(of == name)
        within = share[among] / each[name]
        one = rng.choice(len(among), p=within)
        chosen.append((int(among[one]), float(min(1.0, chance[name] * within[one]))))
    return chosen


def inclusion(weights: np.ndarray, wanted: int) -> np.ndarray:
    """Probabilities in proportion to weights that add up to `wanted`, none above MOST; where more
    than that is wanted of all, the same for each."""
    count = len(weights)
    if wanted >= MOST * count:
        return np.full(count, min(1.0, wanted / count))
    chance = np.zeros(count)
    free = np.ones(count, dtype=bool)
    while True:
        left = wanted - MOST * (~free).sum()
        chance[free] = left * weights[free] / weights[free].sum()
        chance[~free] = MOST
        over = free & (chance > MOST)
        if not over.any():
            return chance
        free &= ~over
