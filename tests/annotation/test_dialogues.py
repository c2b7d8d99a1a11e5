"""Reading the formats that preferences come in."""

import pytest

from annotation.dialogues import Unreadable, parse_dialogue, part_ways, read_comparison, read_prompt


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_a_dialogue_becomes_alternating_messages() -> None:
    text = "\n\nHuman: Is it raining?\n\nAssistant: No.\n\nHuman: And now?\n\nAssistant: Yes."
    assert parse_dialogue(text) == [
        turn("user", "Is it raining?"),
        turn("assistant", "No."),
        turn("user", "And now?"),
        turn("assistant", "Yes."),
    ]


def test_a_speaker_who_goes_on_keeps_the_name_in_the_text() -> None:
    assert parse_dialogue("\n\nHuman: Hm.\n\nAssistant: One.\n\nAssistant: Two.") == [
        turn("user", "Hm."),
        turn("assistant", "One.\n\nAssistant: Two."),
    ]


def test_a_speakers_name_within_a_line_is_text() -> None:
    assert parse_dialogue("\n\nHuman: Say Human: twice")[0]["content"] == "Say Human: twice"


def test_an_empty_side_is_kept() -> None:
    draft = read_comparison(
        {"chosen": "\n\nHuman: Hi\n\nAssistant: Hello", "rejected": "\n\nHuman: Hi\n\nAssistant:"}
    )
    assert draft.responses == [[turn("assistant", "Hello")], [turn("assistant", "")]]


def test_sides_that_part_early_keep_their_later_turns() -> None:
    shared = [turn("user", "Hi")]
    one = [turn("assistant", "A"), turn("user", "Why?"), turn("assistant", "B")]
    two = [turn("assistant", "C")]
    assert part_ways(shared + one, shared + two) == (shared, one, two)


def test_a_shared_answer_that_both_go_on_from_belongs_to_the_prompt() -> None:
    shared = [turn("user", "Hi"), turn("assistant", "Yes?"), turn("user", "Go on")]
    prompt, chosen, rejected = part_ways(
        [*shared, turn("assistant", "A")], [*shared, turn("assistant", "B")]
    )
    assert prompt == shared
    assert (chosen, rejected) == ([turn("assistant", "A")], [turn("assistant", "B")])


def test_sides_without_a_common_prompt_are_refused() -> None:
    with pytest.raises(Unreadable, match="no common prompt"):
        read_comparison(
            {"chosen": "\n\nHuman: A\n\nAssistant: x", "rejected": "\n\nHuman: B\n\nAssistant: x"}
        )


def test_explicit_prompts_are_taken_as_they_are() -> None:
    draft = read_comparison({"prompt": "Hi", "chosen": "Good day.", "rejected": "What?"})
    assert draft.messages == [turn("user", "Hi")]
    assert draft.answer is not None
    assert draft.answer.tiers == [[0], [1]]


def test_our_rows_carry_rankings_and_strengths() -> None:
    draft = read_comparison(
        {"prompt": "Hi", "responses": ["a", "b"], "tiers": [[1], [0]], "strength": 2, "levels": 3}
    )
    assert draft.answer is not None
    assert (draft.answer.outcome, draft.answer.strength, draft.levels) == ("prefer", 2, 3)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1], "not a JSON object"),
        ({"text": "x"}, "its fields are text"),
        ({"prompt": "x", "responses": ["only one"]}, "list of 2 to 9"),
        ({"prompt": "x", "responses": ["a", "b"], "tiers": [[0], [1]], "levels": 2}, "1, 3 or 4"),
        (
            {"prompt": "x", "responses": ["a", "b"], "tiers": [[0], [1]], "strength": 9},
            "strength is 9",
        ),
        ({"chosen": "no speaker", "rejected": "none here"}, "does not start with"),
        ({"chosen": 5, "rejected": 6}, "chosen must be a text"),
    ],
)
def test_what_cannot_be_read_says_why(row: object, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_comparison(row)


def test_prompts_are_read_from_text_or_json() -> None:
    assert read_prompt("Hello") == [turn("user", "Hello")]
    assert read_prompt({"prompt": "Hello"}) == [turn("user", "Hello")]
    with pytest.raises(Unreadable):
        read_prompt({"question": "Hello"})
