"""Values of workflow expressions: how they compare, what counts as true, what functions do.

Source: GitHub Actions, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = [
    "FUNCTIONS",
    "ExpressionError",
    "compare",
    "is_true",
    "joined_text",
    "member_of",
    "number_of",
    "text_of",
]

NUMBER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)", re.ASCII)

MAX_TEXT = 1024 * 1024
"""Characters of one text. Source: GitHub Actions limits, the outputs of a job: 1 MB."""


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
        return _as_float(value)
    text = str(value).strip()
    if not text:
        return 0.0
    return float(number_of(text)) if NUMBER.fullmatch(text) else math.nan


def _as_float(number: float) -> float:
    """Return a number as JavaScript holds it: what is too large is infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def number_of(text: str) -> float | int:
    """Return the number that a literal means, a whole one as an int."""
    digits = text.lstrip("+-")
    if digits.lower().startswith("0x"):
        whole = int(digits, 16)
        whole = -whole if text.startswith("-") else whole
        return whole if abs(whole) < 2**53 else _as_float(whole)
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def joined_text(parts: Iterable[str]) -> str:
    """Return parts as one text.

    Raises:
        ExpressionError: They are longer than `MAX_TEXT`: of a few parts that stand for each other
            a small workflow could make more than the memory holds.
    """
    kept = list(parts)
    if sum(map(len, kept)) > MAX_TEXT:
        raise ExpressionError(f"a text is longer than {MAX_TEXT:,} characters")
    return "".join(kept)


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(compare("==", item, what) for item in where)
    return text_of(what).lower() in text_of(where).lower()


def _format(pattern: Any, *values: Any) -> str:
    def one(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        index = int(match[1][:9])
        if index >= len(values):
            raise ExpressionError(f"format: there is no argument for {match[0]}")
        return text_of(values[index])

    told, parts, at = text_of(pattern), list[str](), 0
    for match in re.finditer(r"\{\{|\}\}|\{(\d+)\}", told):
        parts += [told[at : match.start()], one(match)]
        at = match.end()
    return joined_text([*parts, told[at:]])


def _from_json(text: Any) -> Any:
    try:
        return json.loads(text_of(text))
    except (ValueError, RecursionError):
        raise ExpressionError(f"fromJSON: {text_of(text)[:60]!r} is no JSON") from None


def _join(values: Any, separator: Any = ",") -> str:
    items = values if isinstance(values, list) else [values]
    between = text_of(separator)
    parts = [part for item in items for part in (between, text_of(item))]
    return joined_text(parts[1:])


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "contains": _contains,
    "endsWith": lambda text, end: text_of(text).lower().endswith(text_of(end).lower()),
    "format": _format,
    "fromJSON": _from_json,
    "join": _join,
    "startsWith": lambda text, start: text_of(text).lower().startswith(text_of(start).lower()),
    "toJSON": lambda value: json.dumps(value, indent=2),
}
