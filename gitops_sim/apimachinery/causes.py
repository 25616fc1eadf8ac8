"""What is wrong with one field, as the API server words it in `details.causes`.

Source: k8s.io/apimachinery, pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Cause",
    "duplicate",
    "forbidden",
    "go_json",
    "invalid",
    "not_supported",
    "required",
    "too_long",
    "too_many",
    "type_invalid",
]


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry of `details.causes` of a Status.

    `reason` is FieldValueRequired, FieldValueInvalid, ...; `message` does not repeat the field;
    `field` is a path such as `spec.containers[0].name`.
    """

    reason: str
    message: str
    field: str = ""

    def to_status(self) -> dict[str, str]:
        """Return the JSON form, members in the server's order."""
        return {"reason": self.reason, "message": self.message, "field": self.field}

    def __str__(self) -> str:
        """Print as in the message of an Invalid Status: `field: message`."""
        return f"{self.field}: {self.message}"


def required(field: str, detail: str = "") -> Cause:
    """Return the cause for a field that must be there and is not."""
    return Cause("FieldValueRequired", _with_detail("Required value", detail), field)


def invalid(field: str, value: Any, detail: str = "") -> Cause:
    """Return the cause for a value that breaks a rule."""
    return Cause(
        "FieldValueInvalid", _with_detail(f"Invalid value: {go_json(value)}", detail), field
    )


def type_invalid(field: str, value: Any, detail: str = "") -> Cause:
    """Return the cause for a value of the wrong type (custom resources only)."""
    return Cause(
        "FieldValueTypeInvalid", _with_detail(f"Invalid value: {go_json(value)}", detail), field
    )


def not_supported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    """Return the cause for a value outside an enumeration."""
    listed = ", ".join(go_json(word) for word in supported)
    detail = f"supported values: {listed}" if listed else ""
    return Cause(
        "FieldValueNotSupported",
        _with_detail(f"Unsupported value: {go_json(value)}", detail),
        field,
    )


def duplicate(field: str, value: Any) -> Cause:
    """Return the cause for a second entry with the same key."""
    return Cause("FieldValueDuplicate", f"Duplicate value: {go_json(value)}", field)


def forbidden(field: str, detail: str) -> Cause:
    """Return the cause for a field that may not be set or changed here."""
    return Cause("FieldValueForbidden", _with_detail("Forbidden", detail), field)


def too_long(field: str, limit: int) -> Cause:
    """Return the cause for text over `limit` bytes."""
    detail = f"may not be more than {limit} bytes"
    return Cause("FieldValueTooLong", f"Too long: {detail}", field)


def too_many(field: str, found: int, limit: int) -> Cause:
    """Return the cause for a list over `limit` items."""
    detail = f"must have at most {limit} items"
    return Cause("FieldValueTooMany", f"Too many: {found}: {detail}", field)


def go_json(value: Any) -> str:
    """Print a value as the server does inside a message: compact JSON, as Go writes it.

    Go's encoder escapes characters of HTML; a text alone is quoted without it.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, dict | list):
        for character in "<>&":
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _with_detail(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text
