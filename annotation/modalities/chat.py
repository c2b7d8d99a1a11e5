"""Dialogues: an optional system message, turns that alternate, the last one the user's."""

from typing import Any

from annotation.modalities.messages import Message, check_shape, check_turns


def validate_prompt(messages: Any) -> list[Message]:
    messages = check_shape(messages, "messages")
    turns = messages[1:] if messages[0]["role"] == "system" else messages
    check_turns(turns, "messages", "user")
    if not turns or turns[-1]["role"] != "user":
        raise ValueError("messages must end with the user's turn; move the answer to responses.")
    return messages


def validate_response(messages: Any) -> list[Message]:
    messages = check_shape(messages, "response")
    check_turns(messages, "response", "assistant")
    return messages


def preview(messages: list[Message]) -> str:
    return messages[-1]["content"][:120]
