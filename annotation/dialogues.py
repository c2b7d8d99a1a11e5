"""Rows of the known preference formats, read as a prompt with its responses.

Ours    {"messages": [...] or "prompt": text, "responses": [text or [...], ...],
         "outcome"?, "tiers"?: [[0], [1]], "strength"?, "levels"?, "kind"?: "ask" or "gold"}
TRL     {"prompt": text or [...], "chosen": text or [...], "rejected": text or [...]}, or chosen
        and rejected alone, each a whole conversation
HH      {"chosen": text, "rejected": text}, each a whole dialogue of Human: and Assistant: turns
"""

import re
from dataclasses import dataclass
from typing import Any

from annotation.forms import Answer

Messages = list[dict[str, str]]
TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):[ ]?")
ROLE = {"Human": "user", "Assistant": "assistant"}
RESPONSES_MAX = 9


class Unreadable(ValueError):
    """A row that cannot be read; the text says why and what would be."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A comparison as read: not yet checked against a project."""

    messages: Messages
    responses: list[Messages]
    answer: Answer | None = None
    """What somebody said, or what a gold's answer must be."""
    levels: int = 1
    gold: bool = False


def read_comparison(row: Any) -> Draft:
    """A row of any known format.

    Raises:
        Unreadable: it is of none, or one of its fields does not fit.
    """
    if not isinstance(row, dict):
        raise Unreadable("The line is not a JSON object.")
    if "responses" in row:
        return _read_ours(row)
    if "chosen" in row and "rejected" in row:
        return _read_chosen_rejected(row)
    raise Unreadable(
        "The row has neither responses nor chosen and rejected; "
        f"its fields are {', '.join(sorted(row)) or 'none'}."
    )


def read_prompt(row: Any) -> Messages:
    """The messages of {"messages": [...]}, {"prompt": text or [...]}, or a text itself.

    Raises:
        Unreadable: the row holds neither.
    """
    if isinstance(row, str):
        return as_messages(row, "user")
    if isinstance(row, dict) and ("messages" in row or "prompt" in row):
        return as_messages(row.get("messages", row.get("prompt")), "user")
    raise Unreadable('A prompt is {"messages": [...]}, {"prompt": "..."} or a line of text.')


def as_messages(value: Any, role: str) -> Messages:
    """A bare text as one message of `role`; messages as they are."""
    return [{"role": role, "content": value}] if isinstance(value, str) else value


def parse_dialogue(text: str) -> Messages:
    """HH's transcript as messages. Turns that follow one of the same speaker are joined to it,
    the speaker's name kept in the text, so that nothing of the transcript is lost."""
    pieces = TURN.split(text)
    if len(pieces) < 3 or pieces[0].strip():
        raise Unreadable("The dialogue does not start with 'Human:' or 'Assistant:'.")
    messages: Messages = []
    for speaker, content in zip(pieces[1::2], pieces[2::2], strict=True):
        if messages and messages[-1]["role"] == ROLE[speaker]:
            messages[-1]["content"] += f"\n\n{speaker}: {content}"
        else:
            messages.append({"role": ROLE[speaker], "content": content})
    return messages


def part_ways(chosen: Messages, rejected: Messages) -> tuple[Messages, Messages, Messages]:
    """The prompt that two conversations share, and what each says after it.

    The prompt ends with the last shared user turn that the assistant answers on both sides.
    """
    shared = 0
    while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
        shared += 1
    while shared and not (_answers(chosen, shared) and _answers(rejected, shared)):
        shared -= 1
    if not shared:
        raise Unreadable("chosen and rejected share no turn that both answer: no common prompt.")
    return chosen[:shared], chosen[shared:], rejected[shared:]


def _answers(messages: Messages, position: int) -> bool:
    return position < len(messages) and messages[position].get("role") == "assistant"


def _read_ours(row: dict[str, Any]) -> Draft:
    responses = row["responses"]
    if not isinstance(responses, list) or not 2 <= len(responses) <= RESPONSES_MAX:
        raise Unreadable(f"responses must be a list of 2 to {RESPONSES_MAX}.")
    levels = row.get("levels", 1)
    answer = None
    if "outcome" in row or "tiers" in row:
        answer = Answer(
            outcome=row.get("outcome", "prefer"),
            tiers=row.get("tiers") or [list(range(len(responses)))],
            strength=row.get("strength"),
        )
        _check_strength(answer, levels)
    return Draft(
        gold=_is_gold(row, answer),
        messages=read_prompt(row),
        responses=[as_messages(response, "assistant") for response in responses],
        answer=answer,
        levels=levels,
    )


def _is_gold(row: dict[str, Any], answer: Answer | None) -> bool:
    kind = row.get("kind", "ask")
    if kind not in ("ask", "gold"):
        raise Unreadable(f"kind is {kind!r}; it must be ask or gold, or be left out.")
    if kind == "gold" and (answer is None or answer.outcome != "prefer"):
        raise Unreadable(
            'A gold has one right answer: give outcome "prefer" with tiers, such as [[0], [1]].'
        )
    return kind == "gold"


def _check_strength(answer: Answer, levels: Any) -> None:
    if levels not in (1, 3, 4):
        raise Unreadable(f"levels is {levels!r}; it must be 1, 3 or 4.")
    if answer.strength is None:
        return
    if not isinstance(answer.strength, int) or not 1 <= answer.strength <= levels:
        raise Unreadable(f"strength is {answer.strength!r}; with levels {levels} it is 1 to that.")


def _read_chosen_rejected(row: dict[str, Any]) -> Draft:
    chosen, rejected = row["chosen"], row["rejected"]
    if "prompt" in row:
        messages = read_prompt(row)
        chosen, rejected = as_messages(chosen, "assistant"), as_messages(rejected, "assistant")
    else:
        chosen, rejected = _conversation(chosen, "chosen"), _conversation(rejected, "rejected")
        messages, chosen, rejected = part_ways(chosen, rejected)
    return Draft(
        messages=messages,
        responses=[chosen, rejected],
        answer=Answer(outcome="prefer", tiers=[[0], [1]]),
    )


def _conversation(value: Any, field: str) -> Messages:
    if isinstance(value, str):
        return parse_dialogue(value)
    if isinstance(value, list) and all(isinstance(message, dict) for message in value):
        return value
    raise Unreadable(f"{field} must be a text or a list of messages.")
