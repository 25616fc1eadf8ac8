"""A value seen through its shape: which fields it sets.

Source: sigs.k8s.io/structured-merge-diff v6, typed/tofieldset.go, helpers.go and validate.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.apimachinery import path_elements
from gitops_sim.apimachinery.contents import content_of
from gitops_sim.apimachinery.field_sets import LEAF, Tree
from gitops_sim.apimachinery.path_elements import SELF, rank
from gitops_sim.apimachinery.shapes import Shape

__all__ = [
    "TypeMismatchError",
    "conforms",
    "field_tree",
    "item_element",
    "whole_atomics",
    "with_named_fields",
]

_SCALARS = frozenset({str, int, float, bool})


class TypeMismatchError(ValueError):
    """A value is not of its type; `type_problems` tells where and what."""


def field_tree(value: Any, shape: Shape, *, strict: bool = False) -> Tree:
    """Return the fields that a map sets.

    Args:
        value: An object, or a map inside one.
        shape: Its shape.
        strict: Whether to refuse what is not of its type, and items with the same key.

    Raises:
        TypeMismatchError: The value is not of its type (only if `strict`).
    """
    if type(value) is not dict:
        if strict and value is not None:
            raise TypeMismatchError
        return LEAF
    return _map_tree(value, shape, strict)


def item_element(item: Any, shape: Shape) -> str:
    """Return the path element of an item of an associative list.

    Raises:
        TypeMismatchError: Nothing tells the item from others.
    """
    if shape.list_kind == "set":
        if type(item) not in _SCALARS:
            raise TypeMismatchError
        return path_elements.value(item)
    if type(item) is not dict:
        raise TypeMismatchError
    names = shape.key_names
    if len(names) == 1:
        given = item.get(names[0], shape.key_defaults[0])
        if given is None or isinstance(given, dict | list):
            raise TypeMismatchError
        return path_elements.key(names, given)
    values = [
        item.get(name, default) for name, default in zip(names, shape.key_defaults, strict=True)
    ]
    if all(given is None for given in values):
        raise TypeMismatchError
    if any(isinstance(given, dict | list) for given in values):
        raise TypeMismatchError
    return path_elements.key(names, *values)


def conforms(value: Any, shape: Shape) -> bool:
    """True if a value is of its type through and through; for leaves, whose inside is no field."""
    kind = type(value)
    if kind is dict:
        return shape.is_map and all(
            (member := _member(shape, name)) is not None and conforms(inner, member)
            for name, inner in value.items()
        )
    if kind is list:
        return bool(shape.list_kind) and all(conforms(item, shape.item) for item in value)
    return kind in shape.accepts


def with_named_fields(tree: Tree, shape: Shape) -> Tree:
    """Return a set that also has the declared members of maps above the fields in it.

    Source: fieldpath/set.go, EnsureNamedFieldsAreMembers.
    """
    found: Tree | None = None
    fields = shape.fields if shape.is_map else {}
    for element, below in tree.items():
        if not below:
            continue
        named = fields.get(element[2:]) if element[0] == "f" else None
        inner = with_named_fields(below, _part(shape, element, named))
        if named is not None and SELF not in inner:
            inner = {SELF: LEAF, **inner}
        if inner is not below:
            found = dict(tree) if found is None else found
            found[element] = inner
    return tree if found is None else found


def _part(shape: Shape, element: str, named: tuple[str, Shape] | None) -> Shape:
    if named is not None:
        return named[1]
    if element[0] == "k" and shape.list_kind:
        return shape.item
    return (shape.element if shape.is_map else None) or shape.part(None)


def _member(shape: Shape, name: str) -> Shape | None:
    found = shape.fields.get(name)
    return shape.element if found is None else found[1]


def _map_tree(value: dict[str, Any], shape: Shape, strict: bool) -> Tree:  # noqa: FBT001 - hot
    fields = shape.fields
    found: Tree = {}
    for name in sorted(value):
        inner = value[name]
        declared = fields.get(name)
        if declared is not None:
            element, member = declared
        else:
            if shape.element is None:
                if strict:
                    raise TypeMismatchError
                continue
            element, member = "f:" + name, shape.element
        if member.leaf:
            if strict and type(inner) not in member.accepts and not conforms(inner, member):
                raise TypeMismatchError
            below: Tree | None = LEAF
        else:
            below = _tree_of(inner, member, strict)
            if declared is None:
                below = {SELF: LEAF, **below} if below else LEAF
        if element and below is not None:
            found[element] = below
    return found


def _tree_of(value: Any, shape: Shape, strict: bool) -> Tree | None:  # noqa: FBT001 - hot
    """Return the entry of a declared member that may hold fields; None: it sets nothing."""
    kind = type(value)
    if kind is dict and shape.is_map:
        if shape.atomic_map:
            if strict and not conforms(value, shape):
                raise TypeMismatchError
            return LEAF
        return (_map_tree(value, shape, strict) or None) if value else LEAF
    if kind is list and shape.list_kind:
        if shape.list_kind == "atomic":
            if strict and not conforms(value, shape):
                raise TypeMismatchError
            return LEAF
        if strict and len(value) > _FEW:
            return _known_tree(value, shape) or None
        return _list_tree(value, shape, strict) or None
    if strict and kind not in shape.accepts:
        raise TypeMismatchError
    return LEAF


_FEW = 2
"""Items of a list that are read sooner than found among those known: most lists of containers."""


def _known_tree(value: Sequence[Any], shape: Shape) -> Tree:
    """Return the same as a strict `_list_tree`: environments hardly ever change."""
    content = content_of(value)
    known = shape.trees.get(content)
    if known is None:
        known = shape.trees.keep(content, _list_tree(value, shape, strict=True))
    return known


def _list_tree(value: Sequence[Any], shape: Shape, strict: bool) -> Tree:  # noqa: FBT001 - hot
    item_shape = shape.item
    found: Tree = {}
    repeated: set[str] = set()
    for item in value:
        element = item_element(item, shape)
        if element in found:
            if strict:
                raise TypeMismatchError
            repeated.add(element)
        elif item_shape.leaf:
            if strict and type(item) not in item_shape.accepts and not conforms(item, item_shape):
                raise TypeMismatchError
            found[element] = LEAF
        else:
            below = _tree_of(item, item_shape, strict)
            found[element] = {SELF: LEAF, **below} if below else LEAF
    for element in repeated:
        found[element] = LEAF  # twice there: owned as a whole
    if len(found) < 2:
        return found
    return {element: found[element] for element in sorted(found, key=rank)}


def whole_atomics(tree: Tree, shape: Shape) -> Tree:
    """Return a set in which what is one field by now is one field.

    For sets that were made when the schema of a custom resource still told parts of it apart.

    Source: typed/reconcile_schema.go.
    """
    found: Tree | None = None
    for element, below in tree.items():
        if not below:
            continue
        named = shape.fields.get(element[2:]) if element[0] == "f" and shape.is_map else None
        part = _part(shape, element, named)
        inner = LEAF if part.leaf and not part.scalar else whole_atomics(below, part)
        if inner is not below:
            found = dict(tree) if found is None else found
            found[element] = inner
    return tree if found is None else found
