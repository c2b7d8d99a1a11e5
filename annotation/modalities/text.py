"""One prompt, one text: no turns before it and none after."""

from typing import Any

from annotation.modalities.messages import Message, check_shape, check_turns


def validate_prompt(messages: Any) -> list[Message]:
    messages = check_shape(messages, "messages")
    if len(messages) > 1:
        raise ValueError(
            f"messages has {len(messages)} turns; a text project takes one user message. "
            "Make the project a chat to compare dialogues."
        )
    check_turns(messages, "messages", "user")
    return messages


def validate_response(messages: Any) -> list[Message]:
    messages = check_shape(messages, "response")
    if len(messages) > 1:
        raise ValueError(f"response has {len(messages)} messages; a text project takes one.")
    check_turns(messages, "response", "assistant")
    return messages


def preview(messages: list[Message]) -> str:
    return messages[-1]["content"][:120]
