"""What changed between two values of a type, as field sets.

Source: sigs.k8s.io/structured-merge-diff v6, typed/compare.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from gitops_sim.apimachinery.field_sets import LEAF, Tree, in_order
from gitops_sim.apimachinery.path_elements import SELF
from gitops_sim.apimachinery.shapes import Shape
from gitops_sim.apimachinery.typed_values import item_element

__all__ = ["Difference", "compare"]

Difference: TypeAlias = tuple[Tree, Tree]
"""The fields that were added or given another value, and those that went."""

_SAME: Difference = ({}, {})
_ABSENT: Any = object()


def compare(before: Any, after: Any, shape: Shape) -> Difference:
    """Return what changed between two maps of a type.

    Subtrees that both share are passed over, so that comparing an object with a changed copy of
    it that shares the rest costs as much as the change.
    """
    if before is after:
        return _SAME
    return _compare_maps(before or {}, after or {}, shape)


def _compare_maps(before: dict[str, Any], after: dict[str, Any], shape: Shape) -> Difference:
    changed: Tree = {}
    removed: Tree = {}
    fields = shape.fields
    for name, new in after.items():
        old = before.get(name, _ABSENT)
        if old is new:
            continue
        element, member = fields.get(name) or ("f:" + name, shape.element)
        if member is None or not element:
            continue
        if old is _ABSENT:
            changed[element] = _whole(new, member)
        elif member.leaf:
            if not member.equal(old, new):
                changed[element] = LEAF
        else:
            _note(_compare_values(old, new, member), element, changed, removed)
    if not before.keys() <= after.keys():
        for name, old in before.items():
            if name not in after:
                element, member = fields.get(name) or ("f:" + name, shape.element)
                if member is not None and element:
                    removed[element] = _whole(old, member)
    return in_order(changed), in_order(removed)


def _compare_values(before: Any, after: Any, shape: Shape) -> Difference:
    """Compare two present values, at least one of which may hold fields."""
    old_kind, new_kind = _kind(before, shape), _kind(after, shape)
    if old_kind is new_kind is dict:
        return _SAME if shape.equal(before, after) else _compare_maps(before, after, shape)
    if old_kind is new_kind is list:
        return _SAME if shape.equal(before, after) else _compare_lists(before, after, shape)
    if before is None and new_kind is not None and after:
        return _compare_parts(before, after, shape)
    if after is None and old_kind is not None and before:
        return _compare_parts(before, after, shape)
    if shape.equal(before, after):
        return _SAME
    changed, removed = _compare_parts(before, after, shape)
    return {SELF: LEAF, **changed} if changed else LEAF, removed


def _kind(value: Any, shape: Shape) -> type | None:
    """Tell whether a value holds fields: as a map, as a list, or not at all."""
    kind = type(value)
    if kind is dict and shape.is_map and not shape.atomic_map:
        return dict
    return list if kind is list and shape.list_kind in ("set", "keyed") else None


def _compare_parts(before: Any, after: Any, shape: Shape) -> Difference:
    """Compare values of different forms: all parts of one go, all of the other are new."""
    changed, removed = _SAME
    if _kind(after, shape) is dict:
        changed = _compare_maps({}, after, shape)[0]
    elif _kind(after, shape) is list:
        changed = _compare_lists((), after, shape)[0]
    if _kind(before, shape) is dict:
        removed = _compare_maps(before, {}, shape)[1]
    elif _kind(before, shape) is list:
        removed = _compare_lists(before, (), shape)[1]
    return changed, removed


def _compare_lists(before: Sequence[Any], after: Sequence[Any], shape: Shape) -> Difference:
    old_items, new_items = _by_element(before, shape), _by_element(after, shape)
    changed: Tree = {}
    removed: Tree = {}
    for element, new in new_items.items():
        old = old_items.get(element, [])
        if len(old) <= 1 and len(new) <= 1:
            if not old:
                changed[element] = _whole(new[0], shape.item)
            elif old[0] is not new[0]:
                inner = _compare_item(old[0], new[0], shape.item)
                _note(inner, element, changed, removed)
        else:
            _compare_repeated(element, old, new, shape, changed, removed)
    for element, old in old_items.items():
        if element not in new_items:
            removed[element] = _whole(old[0], shape.item) if len(old) == 1 else LEAF
    return in_order(changed), in_order(removed)


def _compare_item(before: Any, after: Any, shape: Shape) -> Difference:
    if shape.leaf:
        return _SAME if shape.equal(before, after) else (LEAF, {})
    return _compare_values(before, after, shape)


def _compare_repeated(
    element: str,
    old: Sequence[Any],
    new: Sequence[Any],
    shape: Shape,
    changed: Tree,
    removed: Tree,
) -> None:
    """Items with the same key are one field together; alone again, an item has its parts."""
    if len(old) >= 2 and len(new) >= 2:
        if list(old) != list(new):
            changed[element] = LEAF
    elif len(new) >= 2:
        changed[element] = LEAF
        if old:
            removed[element] = _whole(old[0], shape.item)
    else:
        removed[element] = LEAF
        changed[element] = _whole(new[0], shape.item)


def _note(found: Difference, element: str, changed: Tree, removed: Tree) -> None:
    """Enter the difference of a part; LEAF itself, not an empty set, is a change of the part."""
    if found is _SAME:
        return
    inner_changed, inner_removed = found
    if inner_changed or inner_changed is LEAF:
        changed[element] = inner_changed
    if inner_removed:
        removed[element] = inner_removed


def _by_element(items: Iterable[Any], shape: Shape) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(item_element(item, shape), []).append(item)
    return found


def _whole(value: Any, shape: Shape) -> Tree:
    """Return the entry of a value that came or went as a whole, with all that it holds."""
    kind = None if shape.leaf or not value else _kind(value, shape)
    if kind is dict:
        return {SELF: LEAF, **_compare_maps({}, value, shape)[0]}
    if kind is list:
        return {SELF: LEAF, **_compare_lists((), value, shape)[0]}
    return LEAF
