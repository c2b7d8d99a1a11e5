import random
from itertools import combinations

import numpy as np
import pytest

from rewardtrain.overlap import contenders, draw, weights
from rewardtrain.sequences import interval, labels_to_decide, running_intervals

ANSWERS = [1.0, 0.5, 0.0]


def test_nothing_is_known_before_the_first_answer() -> None:
    assert interval([]) == (0.0, 1.0)


def test_the_interval_closes_in_on_the_rate_and_is_open_to_ties() -> None:
    draws = np.random.default_rng(1)
    shares = [0.5, 0.2, 0.3]
    few, many = (interval(draws.choice(ANSWERS, n, p=shares)) for n in (30, 2_000))
    assert few[0] < 0.6 < few[1]
    assert many[0] < 0.6 < many[1]
    assert many[1] - many[0] < 0.1 < few[1] - few[0]


def test_twenty_ties_say_more_than_ten_wins_and_ten_losses() -> None:
    tied, mixed = interval([0.5] * 20), interval([1.0, 0.0] * 10)
    assert tied[1] - tied[0] < mixed[1] - mixed[0]


def test_every_moment_gives_what_the_answers_until_then_give_alone() -> None:
    answers = np.random.default_rng(2).choice(ANSWERS, 25)
    low, high = running_intervals(answers)
    assert [interval(answers[: n + 1]) for n in range(25)] == list(zip(low, high, strict=True))


def test_the_interval_turns_with_the_sides() -> None:
    answers = np.random.default_rng(3).choice(ANSWERS, 60, p=[0.6, 0.1, 0.3])
    low, high = interval(answers)
    assert interval(1 - answers) == pytest.approx((1 - high, 1 - low))


def test_the_true_rate_is_missed_at_any_moment_in_at_most_one_of_twenty() -> None:
    draws = np.random.default_rng(4)
    for shares, rate in (([0.4, 0.2, 0.4], 0.5), ([0.7, 0.2, 0.1], 0.8)):
        low, high = running_intervals(draws.choice(ANSWERS, (1_000, 200), p=shares))
        missed = (low.max(axis=1) > rate) | (high.min(axis=1) < rate)
        assert missed.mean() <= 0.05


def test_the_labels_still_wanted_are_about_those_that_it_then_takes() -> None:
    draws = np.random.default_rng(5)
    answers = draws.choice(ANSWERS, (200, 400), p=[0.6, 0.2, 0.2])
    low, _ = running_intervals(answers)
    took = np.where((low >= 0.5).any(axis=1), (low >= 0.5).argmax(axis=1) + 1, 400)
    foreseen = labels_to_decide([1.0, 1.0, 1.0, 0.5, 0.0] * 4)
    assert foreseen is not None
    assert 0.5 < (foreseen + 20) / np.median(took) < 2


def test_no_number_of_labels_is_promised_where_the_two_are_equal() -> None:
    assert labels_to_decide([1.0, 0.0] * 50) is None
    assert labels_to_decide([]) is None
    assert labels_to_decide([1.0] * 40) == 0
    assert labels_to_decide([0.0] * 40) == 0


ENTRANTS, UNIFORM, WAVE, MOST, FRESH = 4, 8, 6, 30, 60


class Arena:
    """An arena as the product holds it, with answers drawn beforehand and looked up as they come.

    `rates` are those of the entrants against the reference, 0; equal entrants tie in a fifth.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, seed: int) -> None:
        self.names = range(1, ENTRANTS + 1)
        self.pairs = [(name, 0) for name in self.names] + list(combinations(self.names, 2))
        self.place = {pair: i for i, pair in enumerate(self.pairs)}
        self.low, self.high = low, high
        self.seen = {pair: UNIFORM if pair[1] == 0 else 0 for pair in self.pairs}
        self.chance = random.Random(seed)

    def interval(self, pair: tuple[int, int]) -> tuple[float, float]:
        n, place = self.seen[pair], self.place[pair]
        return (self.low[place, n - 1], self.high[place, n - 1]) if n else (0.0, 1.0)

    def peak(self) -> int:
        """The one that is left when the others are, or the likeliest when the labels are spent."""
        for _ in range(20):
            against = {name: self.interval((name, 0)) for name in self.names}
            duels = {pair: self.interval(pair) for pair in self.pairs if pair[1]}
            left = contenders(against, duels)
            if len(left) == 1:
                return left[0]
            possible = {pair: MOST - seen for pair, seen in self.seen.items()}
            for chosen in draw(weights(left, 0, against, possible), WAVE, self.chance):
                self.seen[chosen.pair] = min(MOST, self.seen[chosen.pair] + 1)
        return max(self.names, key=lambda name: sum(self.interval((name, 0))))


def arenas(number: int, rates: list[float]) -> tuple[list[int], np.ndarray, np.ndarray]:
    """The peak of each of `number` arenas, and the running interval of its fresh answers."""
    draws = np.random.default_rng(6)

    def answers(rate: float, *shape: int) -> np.ndarray:
        return draws.choice(ANSWERS, shape, p=[rate - 0.1, 0.2, 0.9 - rate])

    between = [0.5 + (a - b) / 2 for a, b in combinations(rates, 2)]
    met = np.stack([answers(rate, number, MOST) for rate in [*rates, *between]], axis=1)
    low, high = running_intervals(met)
    peaks = [Arena(low[i], high[i], seed=i).peak() for i in range(number)]
    fresh = np.stack([answers(rates[peak - 1], FRESH) for peak in peaks])
    return peaks, *running_intervals(fresh)


def test_of_1000_arenas_of_equals_at_most_a_twentieth_ever_names_a_winner() -> None:
    _, low, high = arenas(1_000, [0.5] * ENTRANTS)
    assert (low.max(axis=1) >= 0.5).mean() <= 0.05
    assert ((low.max(axis=1) >= 0.5) | (high.min(axis=1) <= 0.5)).mean() <= 0.05


def test_a_policy_that_people_clearly_prefer_is_found_and_confirmed() -> None:
    peaks, low, _ = arenas(200, [0.55, 0.8, 0.6, 0.4])
    assert np.mean([peak == 2 for peak in peaks]) > 0.7
    assert (low.max(axis=1) >= 0.5).mean() > 0.8
