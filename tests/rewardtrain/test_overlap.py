import random
from collections import Counter

import pytest

from rewardtrain.overlap import contenders, draw, weights


def test_who_cannot_reach_the_best_is_left_behind() -> None:
    against = {1: (0.55, 0.8), 2: (0.5, 0.7), 3: (0.2, 0.5)}
    assert contenders(against, {}) == [1, 2]


def test_who_was_beaten_directly_is_left_behind_too() -> None:
    against = {1: (0.3, 0.8), 2: (0.3, 0.8), 3: (0.3, 0.8)}
    assert contenders(against, {(1, 2): (0.55, 0.9), (2, 3): (0.4, 0.6)}) == [1, 3]
    assert contenders(against, {(1, 2): (0.1, 0.5)}) == [2, 3]


def test_a_circle_of_victories_leaves_everybody_in() -> None:
    against = {1: (0.3, 0.8), 2: (0.3, 0.8), 3: (0.3, 0.8)}
    won = {(1, 2): (0.6, 1.0), (2, 3): (0.6, 1.0), (1, 3): (0.0, 0.4)}
    assert contenders(against, won) == [1, 2, 3]


def test_the_more_two_intervals_overlap_the_sooner_they_meet() -> None:
    against = {1: (0.4, 0.8), 2: (0.4, 0.8), 3: (0.7, 0.9)}
    every = {(a, b): 5 for a in (1, 2, 3) for b in (0, 1, 2, 3)}
    worth = weights([1, 2, 3], 0, against, every)
    assert worth[1, 2] > worth[1, 3] == worth[2, 3]
    assert worth[1, 0] > worth[3, 0] > 0


def test_pairs_that_have_met_on_every_prompt_are_not_drawn() -> None:
    against = {1: (0.4, 0.8), 2: (0.4, 0.8)}
    worth = weights([1, 2], 0, against, {(1, 2): 0, (1, 0): 3, (2, 0): 0})
    assert list(worth) == [(1, 0)]
    assert draw({}, 3, random.Random(0)) == []


def test_each_pair_comes_as_often_as_the_probability_that_is_kept_with_it() -> None:
    worth = {(1, 0): 3.0, (1, 2): 1.0}
    drawn = draw(worth, 4_000, random.Random(0))
    counted = Counter(chosen.pair for chosen in drawn)
    assert {chosen.probability for chosen in drawn} == {0.75, 0.25}
    assert counted[1, 0] / 4_000 == pytest.approx(0.75, abs=0.03)
