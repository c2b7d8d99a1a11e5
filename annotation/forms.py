"""The forms an answer can take: what a project's labelers may say of K responses.

An answer speaks in positions as shown (0 is the left one). What is checked here holds for every
way in: the browser, the API, and an import.
"""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from annotation.modalities.messages import Message
from annotation.models import Preference, Project

Outcome = Preference.Outcome
PAIR_OUTCOMES = {Outcome.PREFER, Outcome.TIE, Outcome.BOTH_GOOD, Outcome.BOTH_BAD}
SET_OUTCOMES = {Outcome.PREFER, Outcome.TIE, Outcome.ALL_GOOD, Outcome.ALL_BAD}
RATING_MAX = 4


class InvalidAnswer(ValueError):
    """An answer that does not fit; `field` names what, the text says why and the fix."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one person said of the K responses of a comparison, in positions as shown."""

    outcome: str
    tiers: list[list[int]]
    """Positions, best tier first; one tier with all of them unless the outcome is prefer."""
    strength: int | None = None
    flags: dict[str, list[str]] = field(default_factory=dict)
    ratings: dict[str, dict[str, int]] = field(default_factory=dict)
    spans: list[dict[str, Any]] = field(default_factory=list)
    """position, message, start, end (code points of its raw text), quote, category."""
    rewrites: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Position to text and active_ms."""
    rationale: str = ""
    active_ms: int | None = None
    guidelines_version: int | None = None


def check_answer(project: Project, answer: Answer, responses: int) -> str:
    """Whether the answer fits the project's form; returns how its tiers are to be read.

    Returns:
        "complete" where every tier is ordered, "best" where the last tier's are unordered.

    Raises:
        InvalidAnswer: naming the field, the value and the fix.
    """
    check_ranking(answer, responses)
    _check_strength(project, answer, responses)
    _check_remarks(project, answer, responses)
    _check_words(project, answer, responses)
    if project.response_form == Project.Form.BEST_OF_K and answer.outcome == Outcome.PREFER:
        if len(answer.tiers) != 2 or len(answer.tiers[0]) != 1:
            raise InvalidAnswer("tiers", "best of K takes one best response, then all the others.")
        return Preference.Ranking.BEST if responses > 2 else Preference.Ranking.COMPLETE
    return Preference.Ranking.COMPLETE


def check_ranking(answer: Answer, responses: int) -> None:
    """Whether outcome and tiers fit each other and the number of responses, in any project.

    Raises:
        InvalidAnswer: naming the field, the value and the fix.
    """
    _check_outcome(answer.outcome, responses)
    _check_tiers(answer.tiers, responses)
    if answer.outcome != Outcome.PREFER and len(answer.tiers) != 1:
        raise InvalidAnswer("tiers", f"{answer.outcome} takes one tier that holds every response.")
    if answer.outcome == Outcome.PREFER and len(answer.tiers) < 2:
        raise InvalidAnswer("tiers", "prefer takes two tiers or more; use tie for equal ones.")


def check_quotes(answer: Answer, shown: Sequence[list[Message]]) -> None:
    """Whether spans quote, and rewrites change, the responses at their positions as shown.

    Raises:
        InvalidAnswer: naming the field, the value and the fix.
    """
    for number, span in enumerate(answer.spans):
        messages = shown[span["position"]]
        if span["message"] >= len(messages):
            raise InvalidAnswer(
                "spans",
                f"spans[{number}].message is {span['message']}; that response has "
                f"{len(messages)}, counted from 0.",
            )
        text = messages[span["message"]]["content"]
        start, end = span["start"], span["end"]
        if not start < end <= len(text):
            raise InvalidAnswer(
                "spans",
                f"spans[{number}] goes from {start} to {end}; it must lie within the "
                f"{len(text)} code points of the text and not be empty.",
            )
        if text[start:end] != span["quote"]:
            raise InvalidAnswer(
                "spans",
                f"spans[{number}].quote is not what stands from code point {start} to {end} of "
                f"the raw text; that is {reprlib.repr(text[start:end])}.",
            )
    for position, rewrite in answer.rewrites.items():
        if rewrite["text"] == shown[int(position)][-1]["content"]:
            raise InvalidAnswer(
                "rewrites", f"The rewrite of position {position} changes nothing; leave it out."
            )


def _check_outcome(outcome: str, responses: int) -> None:
    known = (PAIR_OUTCOMES if responses == 2 else SET_OUTCOMES) | {Outcome.UNANSWERABLE}
    if outcome not in known:
        names = ", ".join(sorted(known))
        raise InvalidAnswer(
            "outcome", f"outcome is {outcome!r}; of {responses} responses it can be {names}."
        )


def _check_tiers(tiers: Sequence[Sequence[int]], responses: int) -> None:
    placed = [position for tier in tiers for position in tier]
    if any(not tier for tier in tiers):
        raise InvalidAnswer("tiers", "A tier is empty; leave it out.")
    if sorted(placed) != list(range(responses)):
        raise InvalidAnswer(
            "tiers",
            f"tiers places {placed}; each of the positions 0 to {responses - 1} goes in once.",
        )


def _check_strength(project: Project, answer: Answer, responses: int) -> None:
    if answer.outcome != Outcome.PREFER or responses > 2:
        if answer.strength is not None:
            raise InvalidAnswer("strength", "strength goes with prefer between two; leave it out.")
        return
    levels = project.levels_per_side
    if answer.strength is None and levels == 1:
        return
    if answer.strength is None or not 1 <= answer.strength <= levels:
        raise InvalidAnswer(
            "strength", f"strength is {answer.strength}; this project takes 1 to {levels}."
        )


def _check_remarks(project: Project, answer: Answer, responses: int) -> None:
    positions = {str(position) for position in range(responses)}
    for position, names in answer.flags.items():
        if position not in positions:
            raise InvalidAnswer("flags", f"flags speaks of position {position!r}, not shown.")
        if unknown := set(names) - set(project.flags):
            raise InvalidAnswer("flags", f"{sorted(unknown)[0]!r} is not a flag of this project.")
    for position, ratings in answer.ratings.items():
        if position not in positions:
            raise InvalidAnswer("ratings", f"ratings speaks of position {position!r}, not shown.")
        for attribute, rating in ratings.items():
            if attribute not in project.attributes:
                raise InvalidAnswer(
                    "ratings", f"{attribute!r} is not an attribute of this project."
                )
            if not 0 <= rating <= RATING_MAX:
                raise InvalidAnswer(
                    "ratings", f"{attribute} is {rating}; ratings run from 0 to {RATING_MAX}."
                )


def _check_words(project: Project, answer: Answer, responses: int) -> None:
    for number, span in enumerate(answer.spans):
        if span["position"] >= responses:
            raise InvalidAnswer(
                "spans", f"spans[{number}] speaks of position {span['position']}, not shown."
            )
        if span["category"] not in project.span_categories:
            raise InvalidAnswer(
                "spans", f"{span['category']!r} is not a span category of this project."
            )
    if answer.rewrites and not project.rewrites:
        raise InvalidAnswer("rewrites", "This project takes no rewrites; leave them out.")
    for position, rewrite in answer.rewrites.items():
        if position not in {str(place) for place in range(responses)}:
            raise InvalidAnswer("rewrites", f"rewrites speaks of position {position!r}, not shown.")
        if not rewrite["text"].strip():
            raise InvalidAnswer(
                "rewrites",
                f"The rewrite of position {position} is blank; write it or leave it out.",
            )
    if project.rationale_required and not answer.rationale.strip():
        raise InvalidAnswer(
            "rationale", "rationale is blank; this project asks why: say it in a few words."
        )
