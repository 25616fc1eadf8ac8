"""Schemas of custom resources: compiled from a CRD, and what a server does with them on a write.

Source: k8s.io/apiextensions-apiserver, pkg/apiserver/schema (structural schemas, defaulting,
pruning).
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.builtin_schemas import object_meta
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.schema_nodes import ANY, Schema

__all__ = ["apply_schema_defaults", "from_crd", "from_part"]

_DEEP = (dict, list)
_TEXT = Schema("scalar", scalar="string")
_COPIED = {
    "x-kubernetes-list-type": "list_type",
    "x-kubernetes-map-type": "map_type",
    "x-kubernetes-int-or-string": "int_or_string",
    "x-kubernetes-preserve-unknown-fields": "preserve_unknown",
    "x-kubernetes-embedded-resource": "embedded",
    "nullable": "nullable",
    "format": "format",
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "minProperties": "min_properties",
    "maxProperties": "max_properties",
    "pattern": "pattern",
    "uniqueItems": "unique_items",
}
_JUNCTORS = ("allOf", "anyOf", "oneOf", "not")


def from_crd(schema: dict[str, Any]) -> Schema:
    """Return the schema of a custom resource.

    Args:
        schema: `openAPIV3Schema` of one version; empty: anything goes below the root.

    Root members apiVersion, kind and metadata are those of every object, whatever the CRD says.
    """
    root = _node(schema) if schema else Schema("map", preserve_unknown=True)
    if root.type == "any":
        root = Schema("map", preserve_unknown=True)
    root.properties.update(apiVersion=_TEXT, kind=_TEXT, metadata=object_meta())
    return root


def from_part(schema: dict[str, Any]) -> Schema:
    """Return the schema of a part of a custom resource, as its definition has it."""
    return _node(schema)


def apply_schema_defaults(value: Any, schema: Schema, known: Any = None) -> None:
    """Fill the defaults of a schema into a value, in place.

    A null where null is no value goes: the default takes its place if there is one. Parts that are
    shared in the same place with `known` have their defaults already, and are not touched.
    """
    if value is known:
        return
    if isinstance(value, list):
        if schema.items is not None:
            _default_items(value, schema.items, known)
        return
    if not isinstance(value, dict):
        return
    was = known if isinstance(known, dict) else {}
    for key, member in schema.properties.items():
        missing = key not in value or (value[key] is None and not member.nullable)
        if missing and member.has_default:
            value[key] = fresh_copy(member.default)
    for key in [key for key, found in value.items() if found is None or isinstance(found, _DEEP)]:
        below = schema.member(key)
        if below is None:
            continue
        if value[key] is not None:
            apply_schema_defaults(value[key], below, was.get(key))
        elif not below.nullable and not below.name:
            del value[key]


def _default_items(items: list[Any], schema: Schema, known: Any) -> None:
    past = known if isinstance(known, list) else ()
    for index, item in enumerate(items):
        if isinstance(item, dict | list):
            apply_schema_defaults(item, schema, past[index] if index < len(past) else None)


def _node(raw: dict[str, Any]) -> Schema:
    found: dict[str, Any] = {
        name: raw[key] for key, name in _COPIED.items() if raw.get(key) is not None
    }
    found["list_map_keys"] = tuple(raw.get("x-kubernetes-list-map-keys") or ())
    found["required"] = tuple(raw.get("required") or ())
    found["enum"] = tuple(raw.get("enum") or ())
    found["rules"] = tuple(raw.get("x-kubernetes-validations") or ())
    found["junctors"] = {
        key: tuple(_node(branch) for branch in (raw[key] if key != "not" else [raw[key]]))
        for key in _JUNCTORS
        if raw.get(key) is not None
    }
    if "default" in raw:
        found |= {"default": raw["default"], "has_default": True}
    match raw.get("type"):
        case "object":
            return Schema("map", properties=_members(raw), additional=_additional(raw), **found)
        case "array":
            items = raw.get("items")
            return Schema("list", items=_node(items) if items else ANY, **found)
        case None | "" if found.get("int_or_string"):
            return Schema("scalar", scalar="string", **found)
        case None | "":
            return Schema("any", properties=_members(raw), additional=_additional(raw), **found)
        case scalar:
            return Schema("scalar", scalar=scalar, **found)


def _members(raw: dict[str, Any]) -> dict[str, Schema]:
    members = {key: _node(member) for key, member in (raw.get("properties") or {}).items()}
    if raw.get("x-kubernetes-embedded-resource"):
        members |= {"apiVersion": _TEXT, "kind": _TEXT, "metadata": object_meta()}
    return members


def _additional(raw: dict[str, Any]) -> Schema | None:
    additional = raw.get("additionalProperties")
    if isinstance(additional, dict):
        return _node(additional) if additional else ANY
    return ANY if additional is True else None
