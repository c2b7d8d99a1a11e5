"""Each form of an answer is stored as what it is, and training reads it as that."""

import pytest

from annotation.batches import batch_lines, freeze
from annotation.forms import Answer
from annotation.models import Preference
from rewardtrain.contract import ComparisonRow, RewardConfig
from rewardtrain.core.losses import Terms, strength_scale, terms_of
from rewardtrain.rows import comparison_rows
from tests.annotation import desk

pytestmark = pytest.mark.django_db

EQUAL = [[0, 1]]


def trained(answer: Answer, responses: int = 2, **settings) -> tuple[Preference, ComparisonRow]:
    """The stored preference, and the row that a reward model is trained on."""
    project = desk.open_project(0, grace_seconds=0, **settings)
    desk.ask(project, responses=responses)
    receipt = desk.submit(desk.leased(desk.person(project)), answer)
    [line] = comparison_rows(project, batch_lines(freeze(project)))
    return Preference.objects.get(pk=receipt.preference.pk), ComparisonRow(**line)


def terms(row: ComparisonRow) -> Terms:
    return terms_of([row], RewardConfig(backbone=""))


def texts(row: Preference, ids: list[int]) -> set[str]:
    responses = row.comparison.responses.in_bulk(ids)
    return {responses[pk].messages[0]["content"] for pk in ids}


@pytest.mark.parametrize(
    ("levels", "strength"), [(n, s) for n in (1, 3, 4) for s in range(1, n + 1)]
)
@pytest.mark.parametrize("better", [0, 1])
def test_every_step_of_every_scale(levels: int, strength: int, better: int) -> None:
    said = Answer(outcome="prefer", tiers=[[better], [1 - better]], strength=strength)
    stored, row = trained(said, levels_per_side=levels)
    assert (stored.outcome, stored.strength, stored.levels) == ("prefer", strength, levels)
    assert stored.tiers == [[stored.order[better]], [stored.order[1 - better]]]
    assert (row.outcome, row.strength, row.levels) == ("prefer", strength, levels)
    [[winner], [_]] = row.tiers
    assert {row.responses[winner][0]["content"]} == texts(stored, stored.tiers[0])
    learnt = terms(row)
    assert (learnt.first.tolist(), learnt.target.tolist()) == ([winner], [1.0])
    assert learnt.weight.tolist() == pytest.approx([strength_scale(strength, levels)])


@pytest.mark.parametrize(
    ("outcome", "target", "good"),
    [
        ("tie", [0.5], []),
        ("both_good", [0.5], [1.0, 1.0]),
        ("both_bad", [0.5], [-1.0, -1.0]),
        ("unanswerable", [], []),
    ],
)
def test_what_is_said_of_both(outcome: str, target: list[float], good: list[float]) -> None:
    stored, row = trained(Answer(outcome=outcome, tiers=EQUAL))
    assert (stored.outcome, stored.strength) == (outcome, None)
    assert (row.outcome, row.strength, row.tiers) == (outcome, None, EQUAL)
    learnt = terms(row)
    assert (learnt.target.tolist(), learnt.good.tolist()) == (target, good)


@pytest.mark.parametrize("k", range(3, 10))
def test_a_ranking_of_up_to_nine_with_ties(k: int) -> None:
    tiers = [[k - 1], [0, 1], *([place] for place in range(2, k - 1))]
    stored, row = trained(Answer(outcome="prefer", tiers=tiers), k, response_form="ranking")
    assert (stored.ranking, row.ranking) == ("complete", "complete")
    assert [{row.responses[i][0]["content"] for i in tier} for tier in row.tiers] == [
        texts(stored, tier) for tier in stored.tiers
    ]
    learnt = terms(row)
    assert len(learnt.target) == k * (k - 1) / 2, "every pair is said something of"
    assert learnt.target.tolist().count(0.5) == 1, "one of them is a tie"
    assert learnt.weight.sum().item() == pytest.approx(1)


def test_the_losers_of_best_of_k_are_unordered_not_tied() -> None:
    stored, row = trained(
        Answer(outcome="prefer", tiers=[[2], [0, 1, 3]]), 4, response_form="best_of_k"
    )
    assert (stored.ranking, row.ranking) == ("best", "best")
    assert terms(row).target.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("outcome", ["all_good", "all_bad"])
def test_what_is_said_of_all(outcome: str) -> None:
    answer = Answer(outcome=outcome, tiers=[[0, 1, 2]])
    stored, row = trained(answer, 3, response_form="ranking")
    assert (stored.outcome, row.outcome) == (outcome, outcome)
    assert terms(row).good.tolist() == [1.0 if outcome == "all_good" else -1.0] * 3
