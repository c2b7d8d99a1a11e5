"""A regular expression is found in the answer, within a time limit."""

from typing import Any

import regex

FIELDS = {"pattern": (str,)}
OPTIONAL: dict[str, tuple[type, ...]] = {}
LONGEST = 1_000
SECONDS = 0.5
"""An expression can take longer than the universe lasts; such an answer has not passed."""


def validate(check: dict[str, Any]) -> None:
    pattern = check["pattern"]
    if not 0 < len(pattern) <= LONGEST:
        raise ValueError(f"pattern has {len(pattern)} characters; it must have 1 to {LONGEST}.")
    try:
        regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"pattern is {pattern!r}, no regular expression: {error}.") from None


def verdict(check: dict[str, Any], answer: str) -> str | None:
    try:
        return None if found(check["pattern"], answer) else "The pattern is not in it."
    except TimeoutError:
        return f"The pattern took longer than {SECONDS:g} s."


def found(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text.

    Raises:
        TimeoutError: that cannot be said within SECONDS.
    """
    return regex.search(pattern, text, timeout=SECONDS) is not None


def unavailable() -> None:
    return None
