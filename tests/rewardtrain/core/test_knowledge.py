import math

import pytest

from rewardtrain.contract import ComparisonRow
from rewardtrain.core.knowledge import Case, by_labeler, knowledge, mcnemar, trend
from rewardtrain.core.metrics import judge


def case(margin: float, name: int = 0, lengths: tuple[int, int] = (1, 2), **fields) -> Case:
    row = ComparisonRow(
        comparison=str(name),
        thread_root=str(name),
        split="heldout",
        messages=[],
        responses=[[{"role": "assistant", "content": "x" * n}] for n in lengths],
        outcome="prefer",
        tiers=[[0], [1]],
        **fields,
    )
    return Case(row, judge([margin, 0.0], [(0, 1, 1.0)]))


def test_accuracy_by_strength_has_its_trend():
    cases = [
        case(1.0 if i < right else -1.0, i, strength=strength, levels=3)
        for strength, right in ((1, 12), (2, 15), (3, 19))
        for i in range(20)
    ]
    found = knowledge(cases)["strength"]
    assert [(row["name"], row["n"], row["accuracy"]) for row in found["rows"]] == [
        ("1", 20, 0.6),
        ("2", 20, 0.75),
        ("3", 20, 0.95),
    ]
    # By hand: share 46/60, sum of (hits - n share)(dose) = 7, variance share (1 - share) 40.
    share = 46 / 60
    z = 7 / math.sqrt(share * (1 - share) * 40)
    assert found["trend"]["z"] == pytest.approx(z)
    assert found["trend"]["p"] == pytest.approx(math.erfc(z / math.sqrt(2)))


def test_one_strength_has_no_trend_and_perfect_ones_neither():
    assert knowledge([case(1.0, strength=2, levels=3)])["strength"] is None
    assert (
        trend([{"name": "1", "n": 5, "accuracy": 1.0}, {"name": "2", "n": 5, "accuracy": 1.0}])
        is None
    )


def test_accuracy_by_length_stands_beside_always_the_longer():
    near = [case(1.0, i, (10, 11 + i % 2)) for i in range(20)]
    far = [case(-1.0, i, (500 + i, 10)) for i in range(20)]
    parts = knowledge([*near, *far])["length"]
    assert sum(part["n"] for part in parts) == 40
    assert (parts[0]["from"], parts[-1]["to"]) == (1, 509)
    assert (parts[0]["accuracy"], parts[0]["longer"]["accuracy"]) == (1.0, 0.0)
    assert (parts[-1]["accuracy"], parts[-1]["longer"]["accuracy"]) == (0.0, 1.0)
    assert knowledge(near[:19])["length"] == []


def test_labelers_sources_and_kinds_are_told_apart():
    cases = [
        case(1.0, 1, labeler="ann", sources=["policy 2", "policy 0"]),
        case(-1.0, 2, labeler="bob", sources=["policy 0", ""], kind="suspect"),
        case(1.0, 3, labeler="bob"),
    ]
    found = knowledge(cases)
    assert [(r["name"], r["n"], r["accuracy"]) for r in by_labeler(cases, {"ann"})] == [
        ("seen", 1, 1.0),
        ("unseen", 2, 0.5),
    ]
    assert [(r["name"], r["n"]) for r in found["sources"]] == [
        ("policy 0", 1),
        ("policy 0, policy 2", 1),
    ]
    assert [(r["name"], r["accuracy"]) for r in found["kinds"]] == [("ask", 1.0), ("suspect", 0.0)]
    assert found["calibration"] is None


def test_a_ranking_counts_as_one_comparison_in_the_calibration():
    ranking = Case(case(0.0).row, judge([2.0, 1.0, 0.0], [(0, 1, 1), (0, 2, 1), (1, 2, 1)]))
    found = knowledge([ranking] + [case(1.0, i) for i in range(29)])["calibration"]
    assert found["pairs"] == 32
    assert sum(b["n"] for b in found["bins"]) == pytest.approx(30, abs=0.05)


def test_mcnemar_counts_where_only_one_was_right():
    right, wrong, even = (judge([m, 0.0], [(0, 1, 1.0)]) for m in (1.0, -1.0, 0.0))
    found = mcnemar([right] * 9 + [wrong] + [right] * 50 + [even], [wrong] * 9 + [right] * 52)
    assert (found["ours"], found["theirs"]) == (9, 2)
    # Twice the chance of 9 heads or more of 11.
    assert found["p"] == pytest.approx(2 * sum(math.comb(11, k) for k in (9, 10, 11)) / 2**11)
    assert mcnemar([right], [right])["p"] == 1.0
