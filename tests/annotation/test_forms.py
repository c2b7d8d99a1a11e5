"""What a project's labelers may say, and the sentence that answers what they may not."""

from dataclasses import replace

import pytest

from annotation.forms import Answer, InvalidAnswer, check_answer, check_quotes
from annotation.models import Project

TWO = Answer(outcome="prefer", tiers=[[0], [1]], strength=1)
TIE = Answer(outcome="tie", tiers=[[0, 1]])
RANKED = Answer(outcome="prefer", tiers=[[2], [0, 3], [1]])


def project(form: str = "pairwise", **settings) -> Project:
    return Project(response_form=form, flags=["harmful"], attributes=["clarity"], **settings)


@pytest.mark.parametrize("outcome", ["tie", "both_good", "both_bad", "unanswerable"])
def test_a_pair_can_be_called_equal_in_four_ways(outcome: str) -> None:
    assert check_answer(project(), replace(TIE, outcome=outcome), 2) == "complete"


@pytest.mark.parametrize("outcome", ["tie", "all_good", "all_bad", "unanswerable"])
def test_a_set_has_words_of_its_own(outcome: str) -> None:
    said = Answer(outcome=outcome, tiers=[[0, 1, 2, 3]])
    assert check_answer(project("ranking"), said, 4) == "complete"


@pytest.mark.parametrize(("outcome", "responses"), [("both_good", 3), ("all_bad", 2), ("win", 2)])
def test_an_outcome_must_be_one_of_its_form(outcome: str, responses: int) -> None:
    said = Answer(outcome=outcome, tiers=[list(range(responses))])
    with pytest.raises(InvalidAnswer, match=f"outcome is '{outcome}'") as refused:
        check_answer(project("ranking"), said, responses)
    assert refused.value.field == "outcome"


@pytest.mark.parametrize(
    "tiers",
    [[[0], []], [[0]], [[0], [0]], [[0], [2]], [[0], [1], [1]], []],
    ids=["empty tier", "one missing", "one twice", "not shown", "once too often", "none"],
)
def test_every_response_is_placed_once(tiers: list[list[int]]) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        check_answer(project(), replace(TWO, tiers=tiers), 2)
    assert refused.value.field == "tiers"


def test_prefer_takes_tiers_that_differ_and_the_others_one_tier() -> None:
    with pytest.raises(InvalidAnswer, match="use tie"):
        check_answer(project(), replace(TWO, tiers=[[0, 1]]), 2)
    with pytest.raises(InvalidAnswer, match="one tier"):
        check_answer(project(), replace(TIE, tiers=[[0], [1]]), 2)


def test_a_ranking_may_hold_ties() -> None:
    assert check_answer(project("ranking"), RANKED, 4) == "complete"


def test_in_best_of_k_the_losers_are_unordered() -> None:
    best = Answer(outcome="prefer", tiers=[[1], [0, 2, 3]])
    assert check_answer(project("best_of_k"), best, 4) == "best"
    for wrong in (RANKED.tiers, [[0, 1], [2, 3]]):
        with pytest.raises(InvalidAnswer, match="one best"):
            check_answer(project("best_of_k"), replace(best, tiers=wrong), 4)


def test_best_of_two_is_an_ordinary_preference() -> None:
    assert check_answer(project("best_of_k"), TWO, 2) == "complete"


@pytest.mark.parametrize("levels", [1, 3, 4])
def test_strength_goes_from_one_to_the_project_s_levels(levels: int) -> None:
    for strength in range(1, levels + 1):
        check_answer(project(levels_per_side=levels), replace(TWO, strength=strength), 2)
    for strength in (0, -1, levels + 1):
        with pytest.raises(InvalidAnswer, match=f"strength is {strength}"):
            check_answer(project(levels_per_side=levels), replace(TWO, strength=strength), 2)


def test_strength_may_be_left_out_only_where_there_is_one_level() -> None:
    without = replace(TWO, strength=None)
    check_answer(project(levels_per_side=1), without, 2)
    with pytest.raises(InvalidAnswer, match="strength is None"):
        check_answer(project(levels_per_side=3), without, 2)


def test_strength_goes_with_a_preference_between_two_only() -> None:
    for said, responses in ((replace(TIE, strength=1), 2), (replace(RANKED, strength=1), 4)):
        with pytest.raises(InvalidAnswer, match="leave it out"):
            check_answer(project("ranking"), said, responses)


@pytest.mark.parametrize(
    ("remarks", "field"),
    [
        ({"flags": {"0": ["rude"]}}, "flags"),
        ({"flags": {"2": ["harmful"]}}, "flags"),
        ({"flags": {"\ud800": []}}, "flags"),
        ({"ratings": {"0": {"wit": 1}}}, "ratings"),
        ({"ratings": {"left": {"clarity": 1}}}, "ratings"),
        ({"ratings": {"0": {"clarity": 5}}}, "ratings"),
        ({"ratings": {"0": {"clarity": -1}}}, "ratings"),
    ],
)
def test_remarks_speak_of_what_was_shown_in_the_project_s_words(remarks: dict, field: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        check_answer(project(), replace(TWO, **remarks), 2)
    assert refused.value.field == field
    str(refused.value).encode()


def test_remarks_that_fit_are_taken() -> None:
    said = replace(TWO, flags={"0": ["harmful"], "1": []}, ratings={"1": {"clarity": 4}})
    assert check_answer(project(), said, 2) == "complete"


RAW = "A **bold** 👩‍👩‍👧 cafe\u0301, naïve 狐"
SHOWN = [[{"role": "assistant", "content": RAW}], [{"role": "assistant", "content": "Plain."}]]


def span(start: int, end: int, **other) -> dict:
    return {
        "position": 0, "message": 0, "start": start, "end": end, "quote": RAW[start:end],
        "category": "untrue", **other,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "quote"),
    [
        (0, 1, "A"),
        (2, 10, "**bold**"),
        (11, 16, "👩‍👩‍👧"),
        (17, 22, "cafe\u0301"),
        (30, 31, "狐"),
        (0, len(RAW), RAW),
    ],
)
def test_a_span_counts_code_points_of_the_raw_text(start: int, end: int, quote: str) -> None:
    said = replace(TWO, spans=[span(start, end, quote=quote)])
    check_answer(project(span_categories=["untrue"]), said, 2)
    check_quotes(said, SHOWN)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (span(0, 1, quote="B"), "is not what stands from code point 0 to 1"),
        (span(2, 10, quote="bold"), r"that is '\*\*bold\*\*'"),
        (span(12, 20, quote="👩‍👩‍👧"), "is not what stands"),
        (span(5, 5), "not be empty"),
        (span(9, 3), "not be empty"),
        (span(0, len(RAW) + 1), f"within the {len(RAW)} code points"),
        (span(0, 1, message=1), "has 1, counted from 0"),
    ],
)
def test_a_span_must_quote_what_stands_there(wrong: dict, says: str) -> None:
    with pytest.raises(InvalidAnswer, match=says) as refused:
        check_quotes(replace(TWO, spans=[wrong]), SHOWN)
    assert refused.value.field == "spans"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"spans": [span(0, 1, category="rude")]}, "'rude' is not a span category"),
        ({"spans": [span(0, 1, position=2)]}, "position 2, not shown"),
        ({"rewrites": {"2": {"text": "Better."}}}, "position '2', not shown"),
        ({"rewrites": {"left": {"text": "Better."}}}, "position 'left', not shown"),
        ({"rewrites": {"0": {"text": " \n\t\u3000"}}}, "position 0 is blank"),
    ],
)
def test_words_about_a_response_must_fit_the_project(wrong: dict, says: str) -> None:
    asked = project(span_categories=["untrue"], rewrites=True)
    with pytest.raises(InvalidAnswer, match=says):
        check_answer(asked, replace(TWO, **wrong), 2)


def test_a_project_that_takes_no_rewrites_says_so() -> None:
    with pytest.raises(InvalidAnswer, match="takes no rewrites"):
        check_answer(project(), replace(TWO, rewrites={"0": {"text": "Better."}}), 2)


def test_a_rewrite_that_changes_nothing_is_none() -> None:
    with pytest.raises(InvalidAnswer, match="changes nothing"):
        check_quotes(replace(TWO, rewrites={"1": {"text": "Plain."}}), SHOWN)
    check_quotes(replace(TWO, rewrites={"1": {"text": "Plain!"}}), SHOWN)


def test_a_project_may_ask_why() -> None:
    asked = project(rationale_required=True)
    for blank in ("", " \n"):
        with pytest.raises(InvalidAnswer, match="asks why") as refused:
            check_answer(asked, replace(TIE, rationale=blank), 2)
        assert refused.value.field == "rationale"
    check_answer(asked, replace(TIE, rationale="Both are kind."), 2)
