"""Paths into custom objects that their definitions name: columns, scale, selectable fields.

Source: k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/validation;
pkg/apiserver/schema/cel (ValidFieldPath).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause

__all__ = ["column_causes", "path_problem", "scale_causes", "selectable_causes"]

_Raw = dict[str, Any]
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_TOKENS = re.compile(r"[.\[\]]|'(?:[^'\\]|\\.)*'|[^.\[\]]+")
_MOST_SELECTABLE = 8
_NO_FIELD = "does not refer to a valid field"
_END = "unexpected end of JSON path"


def column_causes(columns: list[_Raw], path: str) -> Iterator[Cause]:
    """Yield what is wrong with additionalPrinterColumns."""
    for place, column in enumerate(columns):
        where = f"{path}[{place}]"
        kind, form, told = (column.get(key) or "" for key in ("type", "format", "jsonPath"))
        if not column.get("name"):
            yield causes.required(f"{where}.name")
        must_be = f"must be one of {','.join(_COLUMN_TYPES)}"
        if not kind:
            yield causes.required(f"{where}.type", must_be)
        elif kind not in _COLUMN_TYPES:
            yield causes.invalid(f"{where}.type", kind, must_be)
        if form and form not in _COLUMN_FORMATS:
            text = f"must be one of {','.join(_COLUMN_FORMATS)}"
            yield causes.invalid(f"{where}.format", form, text)
        if not told:
            yield causes.required(f"{where}.JSONPath")
        elif not told.startswith("."):
            yield causes.invalid(f"{where}.JSONPath", told, _NOT_SIMPLE)


_NOT_SIMPLE = "must be a simple json path starting with ."


def scale_causes(subresources: _Raw, path: str) -> Iterator[Cause]:
    """Yield what is wrong with the paths of a scale subresource."""
    scale = subresources.get("scale")
    if scale is None:
        return
    wanted = {
        "specReplicasPath": (".spec.",),
        "statusReplicasPath": (".status.",),
        "labelSelectorPath": (".spec.", ".status."),
    }
    for member, starts in wanted.items():
        told, where = scale.get(member) or "", f"{path}.scale.{member}"
        if not told:
            if len(starts) == 1:
                yield causes.required(where)
        elif not told.startswith("."):
            yield causes.invalid(where, told, _NOT_SIMPLE)
        elif not told.startswith(starts):
            below = " or ".join(start.rstrip(".") for start in starts)
            either = "either " if len(starts) > 1 else ""
            yield causes.invalid(where, told, f"should be a json path under {either}{below}")


def selectable_causes(fields: list[_Raw], schema: _Raw | None, path: str) -> Iterator[Cause]:
    """Yield what is wrong with selectableFields of a version with this schema."""
    known: set[str] = set()
    for place, entry in enumerate(fields):
        told, where = entry.get("jsonPath") or "", f"{path}[{place}].jsonPath"
        if not told:
            yield causes.required(where)
            continue
        problem, found = path_problem(told, schema or {}, quoted=False)
        if problem:
            yield causes.invalid(where, told, f"is an invalid path: {problem}")
            continue
        if told.startswith(".metadata") and told.split(".")[1] == "metadata":
            yield causes.invalid(where, told, "must not point to fields in metadata")
        if found.get("type") not in ("string", "boolean", "integer"):
            text = "must point to a field of type string, boolean or integer. Enum string fields "
            yield causes.invalid(where, told, f"{text}and strings with formats are allowed.")
        if told in known:
            yield causes.duplicate(where, told)
        known.add(told)
    if len(known) > _MOST_SELECTABLE:
        yield causes.too_many(path, len(known), _MOST_SELECTABLE)


def path_problem(path: str, schema: _Raw, *, quoted: bool = True) -> tuple[str, _Raw]:
    """Return why a path leads nowhere (empty: it does lead somewhere), and the schema of its end.

    Args:
        path: Such as `.spec.names['a.b']`.
        schema: Where it starts.
        quoted: Names in brackets are allowed.
    """
    tokens = iter(_TOKENS.findall(path))
    for mark in tokens:
        if mark == "[" and not quoted:
            return "array notation is not allowed", schema
        if mark not in (".", "["):
            return f"expected [ or . but got: {mark}", schema
        name = next(tokens, None)
        if name is None:
            return _END, schema
        if mark == "[":
            if len(name) < 2 or name[0] != "'" or name[-1] != "'":
                return f"expected single quoted string but got {name}", schema
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        below = _member(schema, name)
        if below is None:
            return _NO_FIELD, schema
        schema = below
        if mark == "[":
            close = next(tokens, None)
            if close != "]":
                return (_END if close is None else f"expected ] but got {close}"), schema
    return "", schema


def _member(schema: _Raw, name: str) -> _Raw | None:
    found = (schema.get("properties") or {}).get(name)
    if found is None and not schema.get("properties"):
        additional = schema.get("additionalProperties")
        found = additional if isinstance(additional, dict) else None
    return found
