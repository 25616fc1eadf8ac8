"""What makes the schema of a custom kind a structural one.

Outside of allOf, anyOf, oneOf and not a schema says what is there, inside of them only which values
are allowed of it.

Source: k8s.io/apiextensions-apiserver, pkg/apiserver/schema (validation.go, complete.go).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.go_patterns import pattern_problem

__all__ = ["has_defaults", "is_convertible", "structural_causes", "subschemas"]

_Raw = dict[str, Any]
_Level = Literal["root", "item", "field"]
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_UNSUPPORTED = (
    "id",
    "$schema",
    "$ref",
    "patternProperties",
    "dependencies",
    "additionalItems",
    "definitions",
)
_EMPTY_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_NOT_NESTED = {
    "type": "empty",
    "additionalProperties": "undefined",
    "default": "undefined",
    "title": "empty",
    "description": "empty",
    "nullable": "false",
    "x-kubernetes-preserve-unknown-fields": "false",
    "x-kubernetes-embedded-resource": "false",
    "x-kubernetes-int-or-string": "false",
    "x-kubernetes-list-map-keys": "empty",
    "x-kubernetes-list-type": "undefined",
    "x-kubernetes-map-type": "undefined",
    "x-kubernetes-validations": "empty",
}
"""Members that may not be inside of allOf and the like, and what they must be there."""


def is_convertible(schema: _Raw) -> bool:
    """True when a schema has nothing that no structural schema can have."""
    if any(schema.get(member) for member in _UNSUPPORTED) or isinstance(schema.get("items"), list):
        return False
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        return False
    return all(is_convertible(below) for _, below in subschemas(schema))


def has_defaults(schema: _Raw) -> bool:
    """True when there is a default anywhere in a schema."""
    has_own = schema.get("default") is not None
    return has_own or any(has_defaults(below) for _, below in subschemas(schema))


def subschemas(schema: _Raw) -> Iterator[tuple[str, _Raw]]:
    """Yield the path and the schema of everything below a schema."""
    yield from _declared(schema)
    yield from _nested(schema)


def structural_causes(schema: _Raw, path: str) -> list[Cause]:
    """Return what keeps a schema from being structural, sorted as the server does."""
    found = [*_invariant_causes(schema, path, "root"), *_incomplete(schema, schema, path, path)]
    return sorted(found, key=str)


def _declared(schema: _Raw) -> Iterator[tuple[str, _Raw]]:
    for name, below in (schema.get("properties") or {}).items():
        yield f".properties[{name}]", below
    for member in ("items", "additionalProperties"):
        if isinstance(schema.get(member), dict):
            yield f".{member}", schema[member]


def _nested(schema: _Raw) -> Iterator[tuple[str, _Raw]]:
    if isinstance(schema.get("not"), dict):
        yield ".not", schema["not"]
    for member in ("allOf", "anyOf", "oneOf"):
        for place, below in enumerate(schema.get(member) or ()):
            yield f".{member}[{place}]", below


def _invariant_causes(schema: _Raw, path: str, level: _Level) -> Iterator[Cause]:
    if schema.get("type") == "array" and schema.get("items") is None:
        yield causes.required(f"{path}.items", "must be specified")
    for where, below in _declared(schema):
        yield from _invariant_causes(below, path + where, "item" if where == ".items" else "field")
    yield from _extension_causes(schema, path, level)
    yield from _value_causes(schema, path)
    yield from _type_causes(schema, path, level)
    if level == "root" or schema.get("x-kubernetes-embedded-resource"):
        yield from _meta_causes(schema, path, level)


def _extension_causes(schema: _Raw, path: str, level: _Level) -> Iterator[Cause]:
    additional = schema.get("additionalProperties") is not None
    embedded = schema.get("x-kubernetes-embedded-resource")
    if additional and level == "root":
        yield causes.forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if schema.get("x-kubernetes-int-or-string"):
        for member in ("preserve-unknown-fields", "embedded-resource"):
            found = schema.get(f"x-kubernetes-{member}")
            if found:
                text = "must be false if x-kubernetes-int-or-string is true"
                yield causes.invalid(f"{path}.x-kubernetes-{member}", found, text)
    if embedded and additional:
        text = "must not be used if x-kubernetes-embedded-resource is set"
        yield causes.forbidden(f"{path}.additionalProperties", text)
    keeps = schema.get("x-kubernetes-preserve-unknown-fields")
    if embedded and not keeps and not schema.get("properties"):
        text = "must not be empty if x-kubernetes-embedded-resource is true without "
        text += "x-kubernetes-preserve-unknown-fields"
        yield causes.required(f"{path}.properties", text)


def _type_causes(schema: _Raw, path: str, level: _Level) -> Iterator[Cause]:
    kind = schema.get("type") or ""
    if schema.get("x-kubernetes-embedded-resource") and kind != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        where = f"{path}.type"
        yield causes.invalid(where, kind, text) if kind else causes.required(where, text)
    elif not kind and not (
        schema.get("x-kubernetes-int-or-string")
        or schema.get("x-kubernetes-preserve-unknown-fields")
    ):
        yield causes.required(f"{path}.type", _EMPTY_TYPE[level])
    if level == "root" and kind not in ("", "object"):
        yield causes.invalid(f"{path}.type", kind, "must be object at the root")


def _meta_causes(schema: _Raw, path: str, level: _Level) -> Iterator[Cause]:
    """Check what a schema says of apiVersion, kind and metadata of a whole object."""
    properties = schema.get("properties") or {}
    for member, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        found = properties.get(member)
        if found is not None and found.get("type") != wanted:
            where = f"{path}.properties[{member}].type"
            yield causes.invalid(where, found.get("type") or "", f"must be {wanted}")
    metadata = properties.get("metadata")
    if level != "root" or metadata is None:
        return
    restricts = metadata.keys() - {"type", "default"}
    names = (metadata.get("properties") or {}).keys()
    if names <= {"name", "generateName"}:
        restricts -= {"properties"}
    if restricts & _SAID_OF_METADATA:
        text = "must not specify anything other than name and generateName, but metadata is "
        yield causes.forbidden(f"{path}.properties[metadata]", f"{text}implicitly specified")


_SAID_OF_METADATA = frozenset(
    {
        *("properties", "items", "description", "title", "nullable", "format", "pattern", "enum"),
        *("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf", "required"),
        *("maxLength", "minLength", "maxItems", "minItems", "uniqueItems", "maxProperties"),
        *("minProperties", "allOf", "anyOf", "oneOf", "not", *_NOT_NESTED),
        *("externalDocs", "example"),
    }
)


def _value_causes(schema: _Raw, path: str) -> Iterator[Cause]:
    """Check the limits of values; anyOf of integer and string is known by itself."""
    first: _Raw = next(iter(schema.get("allOf") or ()), {})
    for where, below in _nested(schema):
        if where.startswith(".anyOf") and schema["anyOf"] == _INT_OR_STRING:
            continue
        known = where == ".allOf[0]" and first.get("anyOf") == _INT_OR_STRING
        if known:
            below = {name: member for name, member in below.items() if name != "anyOf"}
        yield from _nested_causes(below, path + where)
    pattern = schema.get("pattern")
    problem = pattern_problem(pattern) if pattern else ""
    if problem:
        text = f"must be a valid regular expression, but isn't: {problem}"
        yield causes.invalid(f"{path}.pattern", pattern, text)


def _nested_causes(schema: _Raw, path: str) -> Iterator[Cause]:
    yield from _value_causes(schema, path)
    for where, below in _declared(schema):
        if where != ".additionalProperties":
            yield from _nested_causes(below, path + where)
    for member, wanted in _NOT_NESTED.items():
        found = schema.get(member)
        is_there = found is not None if wanted == "undefined" else bool(found)
        if is_there:
            yield causes.forbidden(f"{path}.{member}", f"must be {wanted} to be structural")
    if "metadata" in (schema.get("properties") or {}):
        text = "must not be specified in a nested context"
        yield causes.forbidden(f"{path}.properties[metadata]", text)


def _incomplete(limits: _Raw, schema: _Raw, where: str, said: str) -> Iterator[Cause]:
    """Yield what is said of a value only inside of allOf and the like."""
    for nested, below in _nested(limits):
        yield from _incomplete_below(below, schema, where, said + nested)


def _incomplete_below(limits: _Raw, schema: _Raw, where: str, said: str) -> Iterator[Cause]:
    yield from _incomplete(limits, schema, where, said)
    structure = dict(_declared(schema))
    for path, below in _declared(limits):
        if path == ".additionalProperties":
            continue
        if path in structure:
            yield from _incomplete_below(below, structure[path], where + path, said + path)
        else:
            yield causes.required(where + path, f"because it is defined in {said}{path}")
