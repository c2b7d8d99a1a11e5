"""A prompt's checks: a list of objects that each name their `kind`.

{"kind": "exact", "text": "Paris"}
{"kind": "regex", "pattern": "\\bParis\\b"}
{"kind": "number", "value": 42, "tolerance": 0.5}
{"kind": "json_schema", "schema": {"type": "object", "required": ["city"]}}
{"kind": "python", "tests": "assert add(2, 3) == 5"}
"""

import reprlib
from collections.abc import Sequence
from typing import Any

from verify.kinds import KINDS

Check = dict[str, Any]
MOST = 16
"""Checks of one prompt."""


def validate(checks: Any) -> list[Check]:
    """The checks, if each is one of the kinds and has what that needs.

    Raises:
        ValueError: a sentence that names the field, the value and the fix.
    """
    if not isinstance(checks, list) or len(checks) > MOST:
        raise ValueError(f"checks must be a list of at most {MOST} objects.")
    for place, check in enumerate(checks):
        where = f"checks[{place}]"
        if not isinstance(check, dict) or check.get("kind") not in KINDS:
            raise ValueError(
                f"{where} is {reprlib.repr(check)}; it must be an object whose kind is "
                f"{', '.join(KINDS)}."
            )
        _check_fields(check, where)
        try:
            KINDS[check["kind"]].validate(check)
        except ValueError as error:
            raise ValueError(f"{where}.{error}") from None
    return checks


def verdict(check: Check, answer: str) -> str | None:
    """None where the answer passes, else why it does not.

    Raises:
        Unavailable: this machine cannot run such a check.
    """
    return KINDS[check["kind"]].verdict(check, answer)


def share_passed(checks: Sequence[Check], answer: str) -> float:
    """The share of `checks` that the answer passes, 0 to 1; raises as `verdict`."""
    return sum(verdict(check, answer) is None for check in checks) / len(checks)


def unavailable(checks: Sequence[Check]) -> str | None:
    """Why this machine cannot run all of these checks, or None where it can."""
    reasons = (KINDS[kind].unavailable() for kind in {check["kind"] for check in checks})
    return next((reason for reason in reasons if reason), None)


def _check_fields(check: Check, where: str) -> None:
    kind = KINDS[check["kind"]]
    for name in kind.FIELDS:
        if name not in check:
            raise ValueError(f"{where}.{name} is missing; {check['kind']} needs it.")
    for name, value in check.items():
        expected = {"kind": (str,), **kind.FIELDS, **kind.OPTIONAL}.get(name)
        if expected is None:
            raise ValueError(f"{where}.{name} is not a field of {check['kind']}; remove it.")
        if not isinstance(value, expected) or isinstance(value, bool):
            raise ValueError(
                f"{where}.{name} is {reprlib.repr(value)}; it must be "
                f"{' or '.join(WORDS[type_] for type_ in expected)}."
            )


WORDS = {str: "text", int: "a whole number", float: "a number", dict: "an object"}
