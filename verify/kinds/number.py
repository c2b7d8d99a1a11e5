"""The last number of the answer is this one. It is read, never evaluated."""

import math
import re
from typing import Any

FIELDS = {"value": (int, float)}
OPTIONAL = {"tolerance": (int, float)}
NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?:/\d+)?"
)
"""42, -1,234.5, 6.02e23, 3/4."""


def validate(check: dict[str, Any]) -> None:
    for name in ("value", "tolerance"):
        if not math.isfinite(_float(check.get(name, 0))):
            raise ValueError(f"{name} is {check[name]}; it must be finite.")
    if check.get("tolerance", 0) < 0:
        raise ValueError(f"tolerance is {check['tolerance']}; it must be 0 or more.")


def verdict(check: dict[str, Any], answer: str) -> str | None:
    numbers = NUMBER.findall(answer)
    if not numbers:
        return "It holds no number."
    given = read(numbers[-1])
    wanted, tolerance = float(check["value"]), float(check.get("tolerance", 0))
    if math.isclose(given, wanted, rel_tol=1e-9, abs_tol=tolerance):
        return None
    return f"Its last number is {given:g}."


def read(text: str) -> float:
    """A number as NUMBER finds it; infinite where it is too large, not a number where a fraction
    divides by 0."""
    above, _, below = text.replace(",", "").replace("−", "-").partition("/")
    if not below:
        return float(above)
    return float(above) / float(below) if float(below) else math.nan


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def unavailable() -> None:
    return None
