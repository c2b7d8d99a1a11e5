"""The answer, or its last fenced block, is JSON that fits a schema (draft 2020-12)."""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from verify.fenced import handed_over
from verify.kinds.regex import found
from verify.kinds.regex import validate as validate_pattern

FIELDS = {"schema": (dict,)}
OPTIONAL: dict[str, tuple[type, ...]] = {}
LONGEST = 20_000
"""Characters of a schema as JSON."""
UNBOUNDED = ("patternProperties", "unevaluatedProperties", "$dynamicRef")
"""Keywords that apply patterns, or themselves, in ways that no time limit of ours reaches."""


def validate(check: dict[str, Any]) -> None:
    schema = check["schema"]
    try:
        if len(json.dumps(schema)) > LONGEST:
            raise ValueError(f"schema is longer than {LONGEST:,} characters; shorten it.")
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        at = "/".join(map(str, error.absolute_path)) or "its top"
        raise ValueError(f"schema is no JSON schema: at {at}: {error.message}.") from None
    except RecursionError:
        raise ValueError("schema is nested too deeply; flatten it.") from None
    for key, value in _members(schema):
        if key in UNBOUNDED:
            raise ValueError(f"schema uses {key}, which checks do not run; leave it out.")
        if key == "$ref" and isinstance(value, str) and not value.startswith("#"):
            raise ValueError(f"schema refers to {value!r}; only its own parts ('#/…') are read.")
        if key == "pattern" and isinstance(value, str):
            validate_pattern({"pattern": value})


def verdict(check: dict[str, Any], answer: str) -> str | None:
    try:
        value = json.loads(handed_over(answer), parse_constant=_refuse_constant)
        error = next(_reader(check["schema"]).iter_errors(value), None)
    except (ValueError, ArithmeticError, RecursionError, Unresolvable) as reason:
        return f"It is no JSON that can be read: {reason}"
    except TimeoutError:
        return "A pattern of the schema took too long."
    return None if error is None else error.message[:200]


def _reader(schema: dict[str, Any]) -> Any:
    # With a registry of its own nothing that a schema refers to is ever fetched.
    return TIMED(schema, registry=Registry())


def _timed_pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not found(pattern, value):
        yield ValidationError(f"{value[:80]!r} does not match {pattern!r}")


TIMED: Any = extend(Draft202012Validator, {"pattern": _timed_pattern})


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _members(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every object in the schema, with its value."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield key, value
            yield from _members(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _members(value)


def unavailable() -> None:
    return None
