"""The answer is this text, white space around it apart."""

from typing import Any

FIELDS = {"text": (str,)}
OPTIONAL: dict[str, tuple[type, ...]] = {}


def validate(check: dict[str, Any]) -> None:
    if not check["text"].strip():
        raise ValueError("text is blank; write what the answer must be.")


def verdict(check: dict[str, Any], answer: str) -> str | None:
    return None if answer.strip() == check["text"].strip() else "It is another text."


def unavailable() -> None:
    return None
