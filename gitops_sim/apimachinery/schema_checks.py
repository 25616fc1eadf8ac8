"""Checking a custom resource against its schema.

All causes are found, in the order of the schema (a real server gives them in random order).

Differs: patterns are read as Python's regular expressions (Go's RE2 has no look-around); formats
isbn, creditcard, ssn and colours are not checked.

Source: k8s.io/kube-openapi, pkg/validation; k8s.io/apiextensions-apiserver, pkg/apiserver.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gitops_sim.apimachinery import causes, schema_formats
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.cel import CelError, compile_expression
from gitops_sim.apimachinery.embedded_objects import embedded_causes
from gitops_sim.apimachinery.schema_nodes import Schema
from gitops_sim.types import Manifest

__all__ = ["blocks_rules", "part_causes", "validate"]

_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation"
)
_BLOCKING = frozenset(
    (
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    )
)
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_HARMLESS = frozenset({r"^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"})
"""Patterns with one way only through any text: that of digests in the status of Flux's sources."""
_SHORT = 24
"""Characters in which even a bad pattern finds its end soon."""
_NEARLY = 1e-9
"""How far a quotient may be from a whole number, relative to it."""


def validate(
    manifest: Manifest, schema: Schema, before: Manifest | None = None, *, only_status: bool = False
) -> list[Cause]:
    """Return what is wrong with a custom resource; `metadata` is not looked at.

    What it shares with the object before is not judged again: a stricter schema holds for what
    changes. `only_status`: a write of the status alone.
    """
    if only_status:
        below, old = schema.properties.get("status"), (before or {}).get("status")
        told = below if "status" in manifest else None
        found = [] if told is None else part_causes(manifest["status"], told, "status", old)
    else:
        found = list(_check(manifest, schema, "", before))
        found += embedded_causes(manifest, schema, "")
    found += _duplicates(manifest, schema, "", before)
    if blocks_rules(found) and _has_rules(schema):
        found.append(causes.invalid("<nil>", None, _UNCHECKED))
    return found


def part_causes(value: Any, schema: Schema, path: str, before: Any = None) -> list[Cause]:
    """Return what is wrong with a part of a custom resource, judged by itself.

    Messages know the part only from where it begins, fields where it stands.

    Args:
        value: The part, such as a status.
        schema: Of the part.
        path: Where it stands.
        before: What was there; what is shared with it is not judged again.
    """
    return [
        replace(cause, field=_within(path, cause.field))
        for cause in _check(value, schema, "", before)
    ]


def _within(path: str, field: str) -> str:
    return path if field in ("", "<nil>") else f"{path}.{field}"


def blocks_rules(found: list[Cause]) -> bool:
    """True when an object is so wrong that its x-kubernetes-validations cannot be asked."""
    return any(cause.reason in _BLOCKING for cause in found)


def _check(value: Any, schema: Schema, path: str, known: Any = None) -> Iterator[Cause]:
    if value is known and known is not None:
        return
    wanted = _wanted(schema)
    if value is None:
        if wanted and not schema.nullable:
            yield _wrong_type(path, wanted, "null")
        return
    kind = _KINDS[type(value)]
    if wanted and kind not in wanted and not _passes_as(value, kind, wanted):
        yield _wrong_type(path, wanted, kind, schema.format)
    yield from _junctors(value, schema, path)
    match kind:
        case "string":
            yield from _check_text(value, schema, path)
        case "integer" | "number":
            yield from _check_number(value, schema, path)
        case "array":
            yield from _check_list(value, schema, path)
        case "object":
            yield from _check_map(value, schema, path, known)
    if schema.enum and not any(_same(value, word) for word in schema.enum):
        words = [word if isinstance(word, str) else causes.go_json(word) for word in schema.enum]
        yield causes.not_supported(path, value, words)


def _passes_as(value: Any, kind: str, wanted: tuple[str, ...]) -> bool:
    """True for a whole number where any is wanted, and for one like 1.0 where a whole one is."""
    if kind == "integer":
        return "number" in wanted
    return "integer" in wanted and isinstance(value, float) and value.is_integer()


def _wanted(schema: Schema) -> tuple[str, ...]:
    if schema.int_or_string:
        return ("integer", "string")
    return (schema.scalar,) if schema.type == "scalar" else _TYPES[schema.type]


_TYPES = {"map": ("object",), "list": ("array",), "any": ()}
_FORMATS = {"integer": "int64", "number": "float64"}
_KINDS = {
    bool: "boolean",
    str: "string",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}


def _same(value: Any, word: Any) -> bool:
    """Compare as JSON: true is not 1."""
    return bool(value == word) and isinstance(value, bool) == isinstance(word, bool)


def _wrong_type(path: str, wanted: tuple[str, ...], found: str, form: str = "") -> Cause:
    if form and found not in ("string", "array", "null"):
        wanted, found = (form,), _FORMATS.get(found, "")
    text = f'{path} in body must be of type {",".join(wanted)}: "{found}"'
    return causes.type_invalid(path, found, text)


def _check_text(value: str, schema: Schema, path: str) -> Iterator[Cause]:
    length = len(value)
    if schema.max_length is not None and length > schema.max_length:
        yield causes.too_long(path, schema.max_length)
    elif schema.min_length is not None and length < schema.min_length:
        text = f"{path} in body should be at least {schema.min_length} chars long"
        yield causes.invalid(path, value, text)
    elif schema.pattern and not _matches(schema.pattern, value):
        yield causes.invalid(path, value, f"{path} in body should match '{schema.pattern}'")
    if schema.format and not schema_formats.is_valid(schema.format, value):
        text = f'{path} in body must be of type {schema.format}: "{value}"'
        yield causes.type_invalid(path, value, text)


def _matches(pattern: str, value: str) -> bool:
    """Tell whether a pattern is found; one of another dialect always is: the CRD was accepted.

    Python's engine can take hours for a repetition within a repetition; Go's never does, so such
    patterns are left to the engine of CEL, which is of the same kind and slow to load.
    """
    try:
        if len(value) > _SHORT and pattern not in _HARMLESS and _REPEATED_GROUP.search(pattern):
            search = compile_expression("value.matches(pattern)", ("pattern", "value"))
            return bool(search.evaluate({"pattern": pattern, "value": value}))
        return re.search(pattern, value) is not None
    except (re.error, CelError):
        return True


def _check_number(value: float, schema: Schema, path: str) -> Iterator[Cause]:
    if schema.scalar == "integer":
        limit = 2 ** ((32 if schema.format == "int32" else 64) - 1)
        if value != int(value) or not -limit <= value < limit:
            form = f"with format {schema.format}" if schema.format else "(default format)"
            text = f"Checked value must be of type integer {form} in {path}"
            yield causes.invalid("<nil>", "", text)
    maximum, minimum = schema.maximum, schema.minimum
    if schema.multiple_of is not None:
        yield from _check_multiple(value, schema.multiple_of, path)
    if maximum is not None and (value > maximum or (schema.exclusive_maximum and value == maximum)):
        words = "less than" if schema.exclusive_maximum else "less than or equal to"
        yield causes.invalid(path, value, f"{path} in body should be {words} {_number(maximum)}")
    if minimum is not None and (value < minimum or (schema.exclusive_minimum and value == minimum)):
        words = "greater than" if schema.exclusive_minimum else "greater than or equal to"
        yield causes.invalid(path, value, f"{path} in body should be {words} {_number(minimum)}")


def _check_multiple(value: float, factor: float, path: str) -> Iterator[Cause]:
    """Check multipleOf; with a whole number, the factor is cut to a whole one too."""
    if isinstance(value, int):
        factor = int(factor)
    if factor <= 0:
        text = f"factor MultipleOf declared for {path} must be positive: {_number(factor)}"
        yield causes.invalid(path, factor, text)
        return
    times = 1 / factor * value if factor < 1 else value / factor
    if abs(times - round(times)) > _NEARLY * max(1.0, abs(times)):
        text = f"{path} in body should be a multiple of {_number(factor)}"
        yield causes.invalid(path, value, text)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _check_list(value: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    if schema.min_items is not None and len(value) < schema.min_items:
        text = f"{path} in body should have at least {schema.min_items} items"
        yield causes.invalid(path, len(value), text)
    if schema.max_items is not None and len(value) > schema.max_items:
        yield causes.too_many(path, len(value), schema.max_items)
    if schema.unique_items and _repeated(value):
        yield causes.invalid(path, "", f"{path} in body shouldn't contain duplicates")
    if schema.items is not None:
        for place, item in enumerate(value):
            yield from _check(item, schema.items, f"{path}[{place}]")


def _check_map(value: dict[str, Any], schema: Schema, path: str, known: Any) -> Iterator[Cause]:
    past = known if isinstance(known, dict) else {}
    if schema.min_properties is not None and len(value) < schema.min_properties:
        text = f"{path} in body should have at least {schema.min_properties} properties"
        yield causes.invalid(path, len(value), text)
    if schema.max_properties is not None and len(value) > schema.max_properties:
        yield causes.too_many(path, len(value), schema.max_properties)
    for key in schema.required:
        if key not in value:
            yield causes.required(_below(path, key))
    for key, member in schema.properties.items():
        if key in value and not member.name:
            yield from _check(value[key], member, _below(path, key), past.get(key))
    if schema.additional is not None:
        for key, found in value.items():
            if key not in schema.properties:
                yield from _check(found, schema.additional, _below(path, key), past.get(key))


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _junctors(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    """Check allOf, anyOf, oneOf and not, which only restrict."""
    if not schema.junctors:
        return

    def failures(key: str) -> list[list[Cause]]:
        branches = schema.junctors.get(key, ())
        return [list(_check(value, branch, path)) for branch in branches]

    any_of = failures("anyOf")
    if any_of and all(any_of):
        yield causes.invalid("<nil>", "", f'"{path}" must validate at least one schema (anyOf)')
        yield from min(any_of, key=len)
    one_of = failures("oneOf")
    valid = sum(not found for found in one_of)
    if one_of and valid != 1:
        detail = f"Found {valid} valid alternatives" if valid else "Found none valid"
        text = f'"{path}" must validate one and only one schema (oneOf). {detail}'
        yield causes.invalid("<nil>", "", text)
        if not valid:
            yield from min(one_of, key=len)
    all_of = failures("allOf")
    if any(all_of):
        yield from (cause for found in all_of for cause in found)
        detail = ". None validated" if all(all_of) else ""
        yield causes.invalid("<nil>", "", f'"{path}" must validate all the schemas (allOf){detail}')
    if failures("not") == [[]]:
        yield causes.invalid("<nil>", "", f'"{path}" must not validate the schema (not)')


def _duplicates(value: Any, schema: Schema, path: str, known: Any = None) -> Iterator[Cause]:
    """Check that the items of sets, and the keys of map lists, are there once."""
    if value is known:
        return
    if isinstance(value, dict):
        past = known if isinstance(known, dict) else {}
        for key, member in value.items():
            if not isinstance(member, dict | list):
                continue
            below = schema.member(key)
            if below is not None and not below.name:
                where = _below(path, key) if key in schema.properties else f"{path}[{key}]"
                yield from _duplicates(member, below, where, past.get(key))
        return
    if not isinstance(value, list) or schema.items is None:
        return
    if schema.list_type == "set":
        for place in _repeated(value):
            yield causes.duplicate(f"{path}[{place}]", value[place])
    elif schema.list_type == "map":
        keys = [_map_key(item, schema) for item in value]
        for place in _repeated(keys):
            yield causes.duplicate(f"{path}[{place}]", keys[place])
    for place, item in enumerate(value):
        yield from _duplicates(item, schema.items, f"{path}[{place}]")


def _map_key(item: Any, schema: Schema) -> Any:
    if not isinstance(item, dict):
        return item
    return {key: item[key] for key in schema.list_map_keys if key in item}


def _repeated(values: list[Any]) -> list[int]:
    """Return the places where something stands for the second time."""
    times: dict[str, int] = {}
    places = []
    for place, value in enumerate(values):
        text = causes.go_json(value)
        times[text] = times.get(text, 0) + 1
        if times[text] == 2:
            places.append(place)
    return places


def _has_rules(schema: Schema) -> bool:
    below = [*schema.properties.values(), schema.additional, schema.items]
    return bool(schema.rules) or any(
        _has_rules(node) for node in below if node is not None and not node.name
    )
