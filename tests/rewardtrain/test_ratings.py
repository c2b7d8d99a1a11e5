import numpy as np
import pytest

from rewardtrain.ratings import Duel, rate


def duels(strength: dict[int, float], *, by_length: float = 0.0) -> list[Duel]:
    """4,000 meetings; policy 2 writes longer, and length is preferred by `by_length` nats."""
    draws = np.random.default_rng(0)
    met = []
    for _ in range(4_000):
        first, second = map(int, draws.choice(list(strength), 2, replace=False))
        longer = int(draws.normal(0, 80)) + 80 * ((first == 2) - (second == 2))
        odds = strength[first] - strength[second] + by_length * np.tanh(longer / 100)
        met.append(Duel(first, second, float(draws.random() < 1 / (1 + np.exp(-odds))), longer))
    return met


def test_ratings_are_the_log_odds_of_beating_the_reference() -> None:
    strength = {0: 0.0, 1: 0.8, 2: -0.5}
    found = rate(duels(strength), base=0)
    assert found.length is None
    for name in (1, 2):
        assert abs(found.value[name] - strength[name]) < 3 * found.error[name]


def test_a_policy_that_wins_by_length_alone_is_no_stronger_at_equal_length() -> None:
    met = duels({0: 0.0, 1: 0.0, 2: 0.0}, by_length=1.0)
    plain, equal = rate(met, base=0), rate(met, base=0, equal_length=True)
    assert plain.value[2] > 5 * plain.error[2]
    assert abs(equal.value[2]) < 3 * equal.error[2]
    assert equal.length is not None
    assert equal.length > 0.5


def test_a_tie_counts_half_and_turning_the_sides_turns_the_rating() -> None:
    tied = rate([Duel(1, 0, 0.5)] * 10, base=0)
    assert tied.value[1] == pytest.approx(0)
    won = rate([Duel(1, 0, 1.0), Duel(1, 0, 0.5)], base=0)
    turned = rate([Duel(0, 1, 0.0), Duel(0, 1, 0.5)], base=0)
    assert won.value[1] == pytest.approx(turned.value[1])
    assert won.value[1] > 0


def test_three_wins_of_three_leave_a_rating_finite_and_unsure() -> None:
    found = rate([Duel(1, 0, 1.0)] * 3, base=0)
    assert 1 < found.value[1] < 3
    assert found.error[1] > 1


def test_nobody_met_nobody() -> None:
    assert rate([], base=0).value == {}
