"""Which policies of a run still may be the best, and which two should meet next.

At first all meet the reference alike. Then those meet whose intervals overlap most, by chance and
never by rank alone, so that every meeting has a known probability; sequences.py gives intervals
that hold under such choosing. The best of several noisy figures flatters: it is only a reason to
ask afresh, and what is believed in the end are the fresh answers.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Interval = tuple[float, float]
Pair = tuple[int, int]
FLOOR = 0.05
"""Of the largest overlap: what a pair that may still meet weighs at least."""


@dataclass(frozen=True)
class Chosen:
    pair: Pair
    probability: float


def contenders(
    against_reference: Mapping[int, Interval], duels: Mapping[Pair, Interval]
) -> list[int]:
    """Those whom no other has left behind: by a rate surely higher than theirs can be, or by
    beating them directly. `duels` gives how the first fares against the second."""
    best = max((low for low, _ in against_reference.values()), default=0.0)
    beaten = {second for (_, second), (low, _) in duels.items() if low >= 0.5}
    beaten |= {first for (first, _), (_, high) in duels.items() if high <= 0.5}
    left = [name for name, (_, high) in against_reference.items() if high > best]
    return [name for name in left if name not in beaten] or left or list(against_reference)


def weights(
    candidates: Sequence[int],
    reference: int,
    against_reference: Mapping[int, Interval],
    possible: Mapping[Pair, int],
) -> dict[Pair, float]:
    """How much each pair is worth asking; `possible` counts the meetings that are still to be had.

    Two candidates weigh by how much of their intervals they share, a candidate and the reference
    by how far 1/2 lies inside the candidate's.
    """
    found: dict[Pair, float] = {}
    for name in candidates:
        low, high = against_reference[name]
        found[name, reference] = 2 * max(0.0, min(0.5 - low, high - 0.5))
    for first, second in combinations(candidates, 2):
        (low, high), (its_low, its_high) = against_reference[first], against_reference[second]
        found[first, second] = max(0.0, min(high, its_high) - max(low, its_low))
    floor = FLOOR * max(found.values(), default=0.0) or 1.0
    return {pair: max(w, floor) for pair, w in found.items() if possible.get(pair)}


def draw(worth: Mapping[Pair, float], wanted: int, chance: random.Random) -> list[Chosen]:
    """`wanted` pairs by chance, each with the probability that it had."""
    total = sum(worth.values())
    if not total:
        return []
    pairs = list(worth)
    drawn = chance.choices(pairs, [worth[pair] for pair in pairs], k=wanted)
    return [Chosen(pair, worth[pair] / total) for pair in drawn]
