"""What every modality of messages shares: their shape, and sentences that name what is wrong."""

from typing import Any

Message = dict[str, str]

ROLES = ("system", "user", "assistant")


def check_shape(messages: Any, field: str) -> list[Message]:
    """The messages, if they are a non-empty list of {"role", "content"} with known roles.

    Raises:
        ValueError: a sentence that names the field, the value and the fix.
    """
    if not isinstance(messages, list) or not messages:
        raise ValueError(f"{field} must be a non-empty list of messages.")
    for position, message in enumerate(messages):
        where = f"{field}[{position}]"
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            raise ValueError(f'{where} must be {{"role": …, "content": …}} and nothing else.')
        if message["role"] not in ROLES:
            raise ValueError(f"{where}.role is {message['role']!r}; it must be {', '.join(ROLES)}.")
        if not isinstance(message["content"], str):
            raise ValueError(f"{where}.content must be text.")
        if "\x00" in message["content"]:
            raise ValueError(f"{where}.content holds a NUL character; remove it.")
        if any("\ud800" <= character <= "\udfff" for character in message["content"]):
            raise ValueError(f"{where}.content holds half a surrogate pair; encode it as UTF-8.")
    return messages


def check_turns(messages: list[Message], field: str, first: str) -> None:
    """Turns must alternate between user and assistant, starting with `first`."""
    wanted = first
    for position, message in enumerate(messages):
        if message["role"] != wanted:
            raise ValueError(
                f"{field}[{position}].role is {message['role']!r}; turns alternate, so it must "
                f"be {wanted!r}."
            )
        wanted = "assistant" if wanted == "user" else "user"
