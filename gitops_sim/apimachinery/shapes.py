"""How the values of a type merge: a schema boiled down to what server-side apply asks.

A `Shape` says, for each JSON form that a value may take, whether it is one field (a scalar, an
atomic list or map) or holds fields of its own (a granular map, a list with keys, a set). It is
made from a `Schema` once and filled in as far as objects reach into it.

Source: k8s.io/kube-openapi, pkg/schemaconv/openapi.go and smd.go; sigs.k8s.io/
structured-merge-diff v6, schema/elements.go.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import eq
from typing import Any, Literal, TypeAlias

from gitops_sim.apimachinery.contents import Known
from gitops_sim.apimachinery.path_elements import field
from gitops_sim.apimachinery.schemas import ANY, Schema

__all__ = ["Member", "Shape", "same", "shape_of"]

ListKind: TypeAlias = Literal["", "atomic", "set", "keyed"]
Accepts: TypeAlias = frozenset[type]

_NULL = type(None)
_SCALARS: dict[str, Accepts] = {
    "string": frozenset({str, _NULL}),
    "numeric": frozenset({int, float, _NULL}),
    "boolean": frozenset({bool, _NULL}),
    "untyped": frozenset({str, int, float, bool, _NULL}),
    "": frozenset({_NULL}),
}

_UNTRACKED_METADATA = frozenset(
    {
        "clusterName",
        "creationTimestamp",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""Members of an object's metadata that no manager ever owns.

Source: k8s.io/apimachinery, pkg/util/managedfields/internal/stripmeta.go.
"""


class Shape:
    """How values of one type merge. Compared by identity; may contain itself.

    Attributes:
        scalar: "string", "numeric", "boolean", "untyped" or empty: no scalar.
        is_map: A map is a value of this type.
        atomic_map: ... and is one field.
        list_kind: "atomic", "set", "keyed", or empty: no list.
        leaf: Whatever the value, it is one field.
        accepts: The Python types of the scalars (and null) that are values of this type.
        typed: Built into the server, which knows no null: a null there is a missing member.
        equal: Compares two values as JSON.
        fields: The declared members of a map: name -> Member.
        element: Shape of other members of a map; None: there are none.
        item: Shape of the items of a list.
        key_names, key_defaults: The key members of a keyed list, by name, and their defaults.
        empty: What a new object of this type holds before anything is set.
        trees: The fields that lists of this type set, as far as they are known.
    """

    __slots__ = (
        "accepts",
        "atomic_map",
        "element",
        "empty",
        "equal",
        "fields",
        "is_map",
        "item",
        "key_defaults",
        "key_names",
        "leaf",
        "list_kind",
        "preserve",
        "role",
        "scalar",
        "schema",
        "trees",
        "typed",
    )

    accepts: Accepts
    element: Shape | None
    empty: Any
    equal: Callable[[Any, Any], bool]
    fields: dict[str, Member]
    item: Shape
    key_defaults: tuple[Any, ...]
    key_names: tuple[str, ...]
    list_kind: ListKind
    trees: Known[dict[str, Any]]

    def __init__(self, schema: Schema, *, typed: bool, preserve: bool, role: str) -> None:
        anything = schema.type == "any" or schema.int_or_string
        raw = schema.name == "RawExtension"
        self.schema, self.typed, self.role = schema, typed, role
        self.preserve = preserve or schema.preserve_unknown
        self.scalar = "untyped" if anything or raw else _scalar_of(schema)
        self.accepts = _SCALARS[self.scalar]
        self.is_map = anything or raw or schema.type == "map"
        self.atomic_map = raw or schema.map_type == "atomic"
        self.list_kind = "atomic" if anything or raw else _list_kind_of(schema)
        granular = self.is_map and not self.atomic_map
        self.leaf = not granular and self.list_kind in ("", "atomic")
        self.equal = same if anything or raw or not typed else eq

    def __getattr__(self, name: str) -> Any:
        """Make what is asked for the first time; from then on it is an ordinary attribute."""
        maker = _LAZY.get(name)
        if maker is None:
            raise AttributeError(name)
        made = maker(self)
        setattr(self, name, made)
        return made

    def part(self, schema: Schema | None, role: str = "") -> Shape:
        """Return the shape of a part of this one."""
        return _shape(schema or ANY, typed=self.typed, preserve=self.preserve, role=role)


Member: TypeAlias = tuple[str, Shape]
"""A declared member of a map: its path element, empty when nobody owns it, and its shape."""


@cache
def shape_of(schema: Schema | None) -> Shape:
    """Return the shape of whole objects of a kind; None: a kind without a schema."""
    if schema is None:
        return _shape(ANY, typed=False, preserve=True, role="object")
    return _shape(schema, typed=bool(schema.name), preserve=schema.preserve_unknown, role="object")


def same(one: Any, other: Any) -> bool:
    """Compare as JSON: true is not 1, but 1.0 is 1."""
    if one is other:
        return True
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@cache
def _shape(schema: Schema, *, typed: bool, preserve: bool, role: str) -> Shape:
    return Shape(schema, typed=typed, preserve=preserve, role=role)


def _scalar_of(schema: Schema) -> str:
    if schema.type != "scalar":
        return ""
    if schema.scalar in ("integer", "number"):
        return "numeric"
    if schema.scalar == "boolean":
        return "boolean"
    return "string" if schema.format in ("", "byte") else "untyped"


def _list_kind_of(schema: Schema) -> ListKind:
    if schema.type != "list":
        return ""
    return "keyed" if schema.list_type == "map" else schema.list_type


def _fields(shape: Shape) -> dict[str, Member]:
    members = {
        name: (field(name), shape.part(schema)) for name, schema in shape.schema.properties.items()
    }
    if shape.role == "metadata":
        members |= {name: ("", members[name][1]) for name in _UNTRACKED_METADATA & members.keys()}
    elif shape.role == "object":
        text = shape.part(_TEXT)
        metadata = shape.schema.properties.get("metadata")
        known = metadata is not None and metadata.properties
        members["apiVersion"] = members["kind"] = ("", text)
        members["metadata"] = (
            field("metadata"),
            shape.part(metadata if known else _OBJECT_META, "metadata"),
        )
    return members


def _element(shape: Shape) -> Shape | None:
    schema = shape.schema
    if schema.additional is not None:
        return shape.part(schema.additional)
    return shape.part(ANY) if shape.preserve or not schema.properties else None


def _item(shape: Shape) -> Shape:
    return shape.part(shape.schema.items)


def _key_names(shape: Shape) -> tuple[str, ...]:
    return tuple(sorted(shape.schema.list_map_keys))


def _key_defaults(shape: Shape) -> tuple[Any, ...]:
    members = shape.schema.items.properties if shape.schema.items is not None else {}
    found = (members.get(name) for name in shape.key_names)
    return tuple(schema.default if schema is not None else None for schema in found)


def _empty(shape: Shape) -> Any:
    """Return what a new Go struct looks like as JSON: structs are there, pointers are not.

    Which members are always written comes from the struct tags (`Schema.always`).
    """
    schema = shape.schema
    if not shape.typed and "metadata" in schema.properties:
        return {"metadata": {}}
    if not shape.typed or not schema.properties:
        return None if shape.scalar else {}
    found: dict[str, Any] = {}
    for name, zero in schema.always.items():
        declared = shape.fields.get(name)
        if declared is not None:
            found[name] = declared[1].empty if zero == {} and declared[1] is not None else zero
    return found


_LAZY: dict[str, Callable[[Shape], Any]] = {
    "element": _element,
    "empty": _empty,
    "fields": _fields,
    "item": _item,
    "key_defaults": _key_defaults,
    "key_names": _key_names,
    "trees": lambda _: Known(256),
}

_TEXT = Schema("scalar", "string")
_OWNER = Schema("map", properties={"uid": _TEXT}, preserve_unknown=True)
_OBJECT_META = Schema(
    "map",
    properties=dict.fromkeys(sorted(_UNTRACKED_METADATA - {"managedFields"}), _TEXT)
    | {
        "annotations": Schema("map", additional=_TEXT),
        "deletionGracePeriodSeconds": Schema("scalar", "integer"),
        "deletionTimestamp": _TEXT,
        "finalizers": Schema("list", items=_TEXT, list_type="set"),
        "generateName": _TEXT,
        "generation": Schema("scalar", "integer"),
        "labels": Schema("map", additional=_TEXT),
        "managedFields": Schema("list", items=ANY),
        "ownerReferences": Schema("list", items=_OWNER, list_type="map", list_map_keys=("uid",)),
    },
)
"""Metadata where a custom resource's schema says nothing of it."""
