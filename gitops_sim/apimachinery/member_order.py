"""The order in which the server writes the members of an object.

Go writes a struct's members in the order of its fields, and a map's by key. So a built-in object
comes in the order of its structs, whatever the order it was sent in, and a custom one sorted.

A schema, whose properties stand in Go's order, is compiled once into a function. It changes
nothing in place: what is in order is returned itself.

Source: Go's encoding/json; k8s.io/apimachinery, pkg/apis/meta/v1/unstructured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from gitops_sim.apimachinery.builtin_schemas import json_schema
from gitops_sim.apimachinery.schema_nodes import Schema

__all__ = ["by_key", "in_struct_order"]

_Order: TypeAlias = Callable[[Any], Any]

_SCHEMA_UNION = ".JSONSchemaPropsOr"
"""In the names of types that hold a schema, or a list of schemas or names, or a bool."""

_orders: dict[Schema, _Order | None] = {}


def in_struct_order(value: Any, schema: Schema) -> Any:
    """Return a value of a built-in type with its members in the order of Go's structs.

    Args:
        value: JSON; not changed.
        schema: Of its type.
    """
    order = _compiled(schema)
    return value if order is None else order(value)


def by_key(value: Any) -> Any:
    """Return JSON with the members of all objects sorted by key, as Go writes a map."""
    if isinstance(value, dict):
        return {key: by_key(value[key]) for key in sorted(value)}
    return [by_key(item) for item in value] if isinstance(value, list) else value


def _compiled(schema: Schema) -> _Order | None:
    """Return what orders values of a type; None when there is nothing in them to order."""
    if schema not in _orders:
        _orders[schema] = lambda value: in_struct_order(value, schema)  # may contain itself
        _orders[schema] = _compile(schema)
    return _orders[schema]


def _compile(schema: Schema) -> _Order | None:
    if _SCHEMA_UNION in schema.name:
        return _union_order
    if schema.type == "list":
        return _list_order(None if schema.items is None else _compiled(schema.items))
    if schema.type != "map" or schema.preserve_unknown:
        return None
    if schema.properties:
        return _struct_order(schema)
    return _map_order(None if schema.additional is None else _compiled(schema.additional))


def _union_order(value: Any) -> Any:
    if isinstance(value, list):
        return [_union_order(item) for item in value]
    return in_struct_order(value, json_schema())


def _list_order(items: _Order | None) -> _Order | None:
    if items is None:
        return None

    def order_list(value: Any) -> Any:
        return [items(item) for item in value] if type(value) is list else value

    return order_list


def _map_order(values: _Order | None) -> _Order:
    def order_map(value: Any) -> Any:
        if type(value) is not dict:
            return value
        keys = sorted(value)
        if values is not None:
            return {key: values(value[key]) for key in keys}
        return value if keys == [*value] else {key: value[key] for key in keys}

    return order_map


def _struct_order(schema: Schema) -> _Order:
    ranks = {name: rank for rank, name in enumerate(schema.properties)}
    last = len(ranks)
    inner = {
        name: order
        for name, member in schema.properties.items()
        if (order := _compiled(member)) is not None
    }

    def rank(name: str) -> int:
        return ranks.get(name, last)

    def order_struct(value: Any) -> Any:
        if type(value) is not dict:
            return value
        names = sorted(value, key=rank)
        if names != [*value]:
            value = {name: value[name] for name in names}
        changed = None
        for name, member in value.items():
            order = inner.get(name)
            if order is not None and member:
                new = order(member)
                if new is not member:
                    changed = dict(value) if changed is None else changed
                    changed[name] = new
        return value if changed is None else changed

    return order_struct
