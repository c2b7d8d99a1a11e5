import numpy as np
import pytest

from rewardtrain.core.selection import MOST, STRATEGIES, Pool, draw, inclusion, select


@pytest.fixture
def pool() -> Pool:
    """Thirty pairs on ten prompts; what was labelled lies along the first two directions."""
    rng = np.random.default_rng(0)
    known = np.zeros((200, 4))
    known[:, :2] = rng.normal(size=(200, 2))
    difference = np.zeros((30, 4))
    difference[:15, 0] = 1.0
    difference[15:, 3] = 1.0
    return Pool(np.arange(30) // 3, difference, np.linspace(-3, 3, 30), known)


def test_each_prompt_comes_exactly_as_often_as_its_probability_says() -> None:
    weights = np.array([1.0, 1.0, 6.0, 2.0, 0.0, 3.0, 0.5])
    prompt = np.array([0, 0, 1, 2, 2, 3, 4])
    seen, said = np.zeros(7), np.zeros(7)
    draws = 20_000
    for seed in range(draws):
        chosen = draw(weights, prompt, 2, seed)
        assert len({prompt[at] for at, _ in chosen}) == len(chosen) == 2
        for at, probability in chosen:
            seen[at] += 1
            said[at] = probability
    assert (seen > 0).all()
    error = np.sqrt(said * (1 - said) / draws)
    assert (np.abs(seen / draws - said) < 4.5 * error).all()
    # One a prompt, so the probabilities of all candidates add up to what is drawn.
    assert said.sum() == pytest.approx(2)


def test_nothing_is_chosen_for_certain_where_others_could_have_been() -> None:
    weights = np.array([1e9, 1e9, 1.0, 1.0, 1.0])
    chance = inclusion(weights, 2)
    assert chance.max() == MOST
    assert chance.sum() == pytest.approx(2)
    drawn = [{at for at, _ in draw(weights, np.arange(5), 2, seed)} for seed in range(50)]
    assert any(chosen != {0, 1} for chosen in drawn)


def test_all_are_taken_where_no_more_are_there() -> None:
    chosen = draw(np.array([5.0, 1.0, 1.0]), np.array([0, 0, 1]), 4, seed=3)
    assert len(chosen) == 2
    assert {probability for at, probability in chosen if at == 2} == {1.0}
    assert draw(np.array([]), np.array([], dtype=int), 4, seed=3) == []


def test_d_optimal_weighs_what_nobody_was_asked_about(pool: Pool) -> None:
    weights = STRATEGIES["d_optimal"](pool)
    assert weights[15:].min() > 20 * weights[:15].max()
    # By hand: one direction, labelled M times at length 1, with the ridge of one mean square.
    alone = Pool(np.array([0]), np.array([[2.0]]), np.array([0.0]), np.ones((5, 1)))
    assert STRATEGIES["d_optimal"](alone) == pytest.approx([4.0 / (5 + 4.0)])


def test_uncertain_weighs_what_the_model_finds_even(pool: Pool) -> None:
    weights = STRATEGIES["uncertain"](pool)
    assert np.argmax(weights) in (14, 15)
    assert weights[0] == pytest.approx(np.exp(-3) / (1 + np.exp(-3)) ** 2)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_is_followed_by_chance_and_the_seed_decides(pool: Pool, strategy: str) -> None:
    one, two, other = (select(pool, strategy, 4, seed) for seed in (1, 1, 2))
    assert one == two != other
    assert all(0 < probability < 1 for _, probability in one)
