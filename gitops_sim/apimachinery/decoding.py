"""What a server finds while it decodes an object: wrong types and unknown fields.

Built-in kinds are decoded into Go structs, and the messages speak of these. Custom resources are
not; their types are checked by `schema_checks`, but unknown fields are found here too.

Differs: a field of a named string type (`v1.RestartPolicy`) is called `string` in messages, since
OpenAPI does not tell the name.

Source: Go's encoding/json; k8s.io/apimachinery, pkg/runtime/serializer/json; recorded answers.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gitops_sim.apimachinery import quantities
from gitops_sim.apimachinery.schema_nodes import Schema
from gitops_sim.types import Manifest

__all__ = ["base64_problem", "decode_problem", "is_time", "prune", "unknown_fields"]

INT32 = range(-(2**31), 2**31)
INT64 = range(-(2**63), 2**63)
_GO_SCALARS = {"boolean": "bool", "string": "string", "number": "float64"}
_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"([Zz]|[-+]\d\d:\d\d)",
    re.ASCII,
)


def decode_problem(manifest: Manifest, schema: Schema) -> str | None:
    """Return what the server says when the object cannot be decoded; None when it can.

    The text goes after `Deployment in version "v1" cannot be handled as a Deployment: `.
    """
    return _problem(manifest, schema, _Place("", ""))


def unknown_fields(manifest: Manifest, schema: Schema) -> list[str]:
    """Return the paths of fields that the schema does not know, in the object's order."""
    found: list[str] = []
    _unknown(manifest, schema, "", found)
    return found


def prune(manifest: Manifest, schema: Schema, known: Manifest | None = None) -> Manifest:
    """Return a custom resource without the fields that its schema does not know.

    Nothing is changed in place: what has no such fields is shared with `manifest`. Parts that are
    shared in the same place with `known` have none and are not looked at.
    """
    pruned: Manifest = _pruned(manifest, schema, known)
    return pruned


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in Go's structs: the struct whose field is decoded, and the path from the root."""

    struct: str
    path: str

    def refuse(self, found: str, wanted: str) -> str:
        if not self.path:
            return f"json: cannot unmarshal {found} into Go value of type {wanted}"
        field = f"{self.struct}.{self.path}"
        return f"json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"


def _problem(value: Any, schema: Schema, place: _Place) -> str | None:
    if value is None or schema.type == "any":
        return None
    if schema.type == "scalar":
        return _scalar_problem(value, schema, place)
    if not isinstance(value, list if schema.type == "list" else dict):
        return place.refuse(_go_kind(value), _go_type(schema))
    for below, member, where in _children(value, schema, place):
        problem = _problem(member, below, where)
        if problem:
            return problem
    return None


def _children(value: Any, schema: Schema, place: _Place) -> Iterator[tuple[Schema, Any, _Place]]:
    """Yield schema, value and place of what is inside; only struct fields lengthen the path."""
    if schema.type == "list":
        assert schema.items is not None
        for item in value:
            yield schema.items, item, place
        return
    for key, member in value.items():
        below = schema.properties.get(key)
        if below is not None:
            path = f"{place.path}.{key}" if place.path else key
            yield below, member, _Place(_struct(schema) or place.struct, path)
        elif schema.additional is not None:
            yield schema.additional, member, place


def _scalar_problem(value: Any, schema: Schema, place: _Place) -> str | None:
    if schema.format == "quantity":
        return _quantity_problem(value)
    if schema.int_or_string:
        return _int_or_string_problem(value)
    if schema.scalar == "integer":
        return _integer_problem(value, schema, place)
    if schema.scalar == "number":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number else place.refuse(_go_kind(value), _go_type(schema))
    wanted = bool if schema.scalar == "boolean" else str
    if not isinstance(value, wanted):
        return place.refuse(_go_kind(value), _go_type(schema))
    if schema.format == "byte":
        return base64_problem(str(value))
    if schema.format == "date-time" and not is_time(str(value)):
        return (
            f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" '
            'as "2006"'
        )
    return None


def _quantity_problem(value: Any) -> str | None:
    if isinstance(value, dict | list | bool):
        return quantities.FORMAT_PROBLEM
    try:
        quantities.parse(value)
    except ValueError as problem:
        return str(problem)
    return None


def _int_or_string_problem(value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, str) or (is_number and value in INT32 and isinstance(value, int)):
        return None
    if is_number:
        return f"json: cannot unmarshal number {value} into Go value of type int32"
    return f"json: cannot unmarshal {_go_kind(value)} into Go value of type int32"


def _integer_problem(value: Any, schema: Schema, place: _Place) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return place.refuse(_go_kind(value), _go_type(schema))
    limits = INT32 if schema.format == "int32" else INT64
    if isinstance(value, float) or value not in limits:
        return place.refuse(f"number {value}", _go_type(schema))
    return None


@lru_cache(maxsize=4096)
def is_time(text: str) -> bool:
    """True for a moment as RFC 3339 writes it."""
    return _TIME.fullmatch(text) is not None


def base64_problem(text: str) -> str | None:
    """Return what is wrong with base64 text, in the server's words; None when nothing is."""
    clean = text.replace("\r", "").replace("\n", "")
    wrong = re.search(r"[^A-Za-z0-9+/=]", clean)
    if wrong is not None:
        return f"illegal base64 data at input byte {wrong.start()}"
    try:
        base64.b64decode(clean, validate=True)
    except binascii.Error:
        padding = clean.find("=")
        place = len(clean) // 4 * 4 if padding < 0 else padding
        return f"illegal base64 data at input byte {place}"
    return None


def _go_kind(value: Any) -> str:
    """Name a JSON value as encoding/json does."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _go_type(schema: Schema) -> str:
    if schema.type == "list":
        assert schema.items is not None
        return f"[]{_go_type(schema.items)}"
    if schema.type == "map":
        if schema.name:
            return ".".join(schema.name.split(".")[-2:])
        if schema.additional is None:
            return "map[string]interface {}"
        if schema.additional.format == "quantity":
            return "v1.ResourceList"
        return f"map[string]{_go_type(schema.additional)}"
    if schema.scalar == "integer":
        return schema.format or "int64"
    if schema.format == "byte":
        return "[]uint8"
    return _GO_SCALARS.get(schema.scalar, "string")


def _struct(schema: Schema) -> str:
    """Return the name of the Go struct that a map is; empty for maps and other values."""
    return schema.name.rpartition(".")[2] if schema.type == "map" else ""


def _unknown(value: Any, schema: Schema, path: str, found: list[str]) -> None:
    # Scalars are not looked at: most of an object is scalars, and this is done for every write.
    if isinstance(value, list):
        if schema.items is not None:
            for place, item in enumerate(value):
                if isinstance(item, dict | list):
                    _unknown(item, schema.items, f"{path}[{place}]", found)
        return
    for key, member in value.items():
        below = schema.member(key)
        if below is not None:
            if isinstance(member, dict | list):
                _unknown(member, below, f"{path}.{key}" if path else key, found)
        elif schema.type == "map" and not schema.preserve_unknown:
            found.append(f"{path}.{key}" if path else key)


def _pruned(value: Any, schema: Schema, known: Any) -> Any:
    if value is known:
        return value
    if isinstance(value, list):
        return value if schema.items is None else _pruned_list(value, schema.items, known)
    if not isinstance(value, dict):
        return value
    closed = schema.type == "map" and not schema.preserve_unknown
    past = known if isinstance(known, dict) else {}
    kept: dict[str, Any] | None = None
    for key, member in value.items():
        below = schema.member(key)
        if below is None:
            if closed:
                kept = dict(value) if kept is None else kept
                del kept[key]
        elif isinstance(member, dict | list):
            new = _pruned(member, below, past.get(key))
            if new is not member:
                kept = dict(value) if kept is None else kept
                kept[key] = new
    return value if kept is None else kept


def _pruned_list(value: list[Any], items: Schema, known: Any) -> list[Any]:
    past = known if isinstance(known, list) else []
    kept: list[Any] | None = None
    for index, item in enumerate(value):
        new = _pruned(item, items, past[index] if index < len(past) else None)
        if new is not item:
            kept = list(value) if kept is None else kept
            kept[index] = new
    return value if kept is None else kept
