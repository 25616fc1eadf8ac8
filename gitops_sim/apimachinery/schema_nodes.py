"""Schemas of API objects, compiled for merging, validating and defaulting.

A kind's OpenAPI schema becomes a tree (a graph, where types contain themselves) of `Schema`
nodes. Patches read merge keys from it, server-side apply its list types, validation all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["ANY", "NodeType", "Schema"]

NodeType: TypeAlias = Literal["map", "list", "scalar", "any"]


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One node. Compared by identity; a type that contains itself is a cycle of nodes.

    Attributes:
        type: "map" (an object or a map), "list", "scalar", or "any" (anything goes).
        scalar: "string", "integer", "number" or "boolean" for a scalar, else empty.
        properties: Named members of a map.
        additional: Schema of the values of a map without fixed names; None: no others known.
        items: Schema of a list's items.
        list_type: "atomic", "set" or "map" (x-kubernetes-list-type; atomic when not given).
        list_map_keys: Member names that identify an item of a "map" list.
        map_type: "granular" or "atomic" (x-kubernetes-map-type).
        patch_strategy: "merge", "retainKeys", "merge,retainKeys" or empty.
        patch_merge_key: Key of a strategic merge of this list; empty: none.
        int_or_string: Holds a number or text (ports, percentages).
        preserve_unknown: Unknown members stay (custom resources), and are no error.
        nullable: null is a value.
        required: Members that must be there.
        enum: Allowed values; empty: any.
        format: "int32", "date-time", "byte", "quantity", ...; empty: none.
        default: Default, and `has_default` whether there is one.
        minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of, min_length,
            max_length, min_items, max_items, min_properties, max_properties: None: no limit.
        pattern: Regular expression that text must match somewhere; empty: none.
        unique_items: No two equal items.
        embedded: Holds a whole API object (x-kubernetes-embedded-resource).
        rules: x-kubernetes-validations, uncompiled.
        junctors: Branches of allOf, anyOf, oneOf and not (custom resources); they only restrict.
        name: Go type name of a built-in type, as decode errors print it.
        zeros: Scalar members that Go does not write when they are "", 0 or false (built-in types).
        always: Members that Go always writes, with what stands for an unset one (built-in types).
    """

    type: NodeType
    scalar: str = ""
    properties: dict[str, Schema] = field(default_factory=dict)
    additional: Schema | None = None
    items: Schema | None = None
    list_type: Literal["atomic", "set", "map"] = "atomic"
    list_map_keys: tuple[str, ...] = ()
    map_type: Literal["granular", "atomic"] = "granular"
    patch_strategy: str = ""
    patch_merge_key: str = ""
    int_or_string: bool = False
    preserve_unknown: bool = False
    nullable: bool = False
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    format: str = ""
    default: Any = None
    has_default: bool = False
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    pattern: str = ""
    unique_items: bool = False
    embedded: bool = False
    rules: tuple[dict[str, Any], ...] = ()
    junctors: dict[str, tuple[Schema, ...]] = field(default_factory=dict)
    name: str = ""
    zeros: frozenset[str] = frozenset()
    always: dict[str, Any] = field(default_factory=dict)

    def member(self, key: str) -> Schema | None:
        """Return the schema of a member of this map; None when it is not declared."""
        found = self.properties.get(key)
        return self.additional if found is None else found


ANY = Schema("any", preserve_unknown=True, nullable=True)
"""Anything goes: merged as one value."""
