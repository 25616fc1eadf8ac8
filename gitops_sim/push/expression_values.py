"""Values of workflow expressions: how they compare, what counts as true, what functions do.

Source: GitHub Actions, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "FUNCTIONS",
    "ExpressionError",
    "compare",
    "is_true",
    "member_of",
    "number_of",
    "text_of",
]

NUMBER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)", re.ASCII)


class ExpressionError(ValueError):
    """An expression that cannot be understood; the text says what and where."""


def text_of(value: Any) -> str:
    """Return a value as text, as an expression's value stands in a script."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, dict | list):
        return "Object" if isinstance(value, dict) else "Array"
    return str(value)


def member_of(value: Any, key: Any) -> Any:
    """Return a member; names of members are compared without regard to case."""
    if isinstance(value, Mapping):
        wanted = text_of(key)
        if wanted in value:
            return value[wanted]
        return next((v for k, v in value.items() if k.lower() == wanted.lower()), None)
    if isinstance(value, list) and isinstance(key, int | float) and 0 <= key < len(value):
        return value[int(key)]
    return None


def is_true(value: Any) -> bool:
    """Return whether a value counts as true: not null, false, 0, NaN or empty text."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return value not in (None, False, 0, "") or isinstance(value, dict | list)


def compare(operator: str, left: Any, right: Any) -> bool:
    """Compare loosely: text without regard to case, unlike kinds as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        one: Any = left.lower()
        other: Any = right.lower()
    elif isinstance(left, dict | list) or isinstance(right, dict | list):
        return (left is right) == (operator == "==") if operator in ("==", "!=") else False
    else:
        one, other = _asnumber_of(left), _asnumber_of(right)
    answers = {
        "==": one == other,
        "!=": one != other,
        "<": one < other,
        "<=": one <= other,
        ">": one > other,
        ">=": one >= other,
    }
    return bool(answers[operator])


def _asnumber_of(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool | int | float):
        return float(value)
    text = str(value).strip()
    if not text:
        return 0.0
    return float(number_of(text)) if NUMBER.fullmatch(text) else math.nan


def number_of(text: str) -> float | int:
    """Return the number that a literal means, a whole one as an int."""
    digits = text.lstrip("+-")
    if digits.lower().startswith("0x"):
        whole = int(digits, 16)
        return -whole if text.startswith("-") else whole
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(compare("==", item, what) for item in where)
    return text_of(what).lower() in text_of(where).lower()


def _format(pattern: Any, *values: Any) -> str:
    def one(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        index = int(match[1])
        if index >= len(values):
            raise ExpressionError(f"format: there is no argument for {match[0]}")
        return text_of(values[index])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}", one, text_of(pattern))


def _from_json(text: Any) -> Any:
    try:
        return json.loads(text_of(text))
    except (ValueError, RecursionError):
        raise ExpressionError(f"fromJSON: {text_of(text)[:60]!r} is no JSON") from None


def _join(values: Any, separator: Any = ",") -> str:
    items = values if isinstance(values, list) else [values]
    return text_of(separator).join(text_of(item) for item in items)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "contains": _contains,
    "endsWith": lambda text, end: text_of(text).lower().endswith(text_of(end).lower()),
    "format": _format,
    "fromJSON": _from_json,
    "join": _join,
    "startsWith": lambda text, start: text_of(text).lower().startswith(text_of(start).lower()),
    "toJSON": lambda value: json.dumps(value, indent=2),
}
