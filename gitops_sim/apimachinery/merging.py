"""Merging a configuration into a value, and taking fields out of one.

Nothing is changed in place: the results share with the live value, and with the configuration,
whatever they did not have to make anew. A merge that changes nothing returns the live value
itself.

Source: sigs.k8s.io/structured-merge-diff v6, typed/merge.go and remove.go.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from gitops_sim.apimachinery.field_sets import Tree
from gitops_sim.apimachinery.path_elements import SELF
from gitops_sim.apimachinery.shapes import Shape
from gitops_sim.apimachinery.typed_values import item_element

__all__ = ["merge", "remove_fields", "without_nulls"]

_ABSENT: Any = object()


def merge(live: dict[str, Any], config: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Return a live map with a configuration of the same type laid over it.

    Fields of the configuration win; nothing is taken away. A list keeps the live order, unless
    the configuration orders its own items otherwise. A null that a built-in type has no word for
    takes the member away.
    """
    fields = shape.fields
    merged: dict[str, Any] | None = None
    for name, want in config.items():
        have = live.get(name, _ABSENT)
        if have is want:
            continue
        declared = fields.get(name)
        member = shape.element if declared is None else declared[1]
        if member is None:
            continue
        new = _fresh(want, member) if have is _ABSENT else _merge_values(have, want, member)
        if new is have:
            continue
        if new is None and shape.typed:
            if have is not _ABSENT:
                merged = dict(live) if merged is None else merged
                del merged[name]
            continue
        merged = dict(live) if merged is None else merged
        merged[name] = new
    return live if merged is None else merged


def remove_fields(value: Any, tree: Tree, shape: Shape) -> Any:
    """Return a value without the fields of a set; None when nothing is left of a container."""
    if type(value) is dict and shape.is_map:
        return None if shape.atomic_map else _remove_members(value, tree, shape)
    if type(value) is list and shape.list_kind:
        return None if shape.list_kind == "atomic" else _remove_items(value, tree, shape)
    return value if type(value) in shape.accepts else None


def without_nulls(value: Any) -> Any:
    """Return a value without the members that are null; the value itself if it has none."""
    if type(value) is dict:
        kept = {
            name: inner
            for name, member in value.items()
            if (inner := without_nulls(member)) is not None
        }
        same = len(kept) == len(value) and all(kept[name] is value[name] for name in kept)
        return value if same else kept
    if type(value) is list:
        items = [without_nulls(item) for item in value]
        return value if all(map(_is, items, value)) else items
    return value


def _is(one: Any, other: Any) -> bool:
    return one is other


def _fresh(want: Any, shape: Shape) -> Any:
    """Return the part of a configuration that meets nothing live."""
    return without_nulls(want) if shape.typed else want


def _merge_values(have: Any, want: Any, shape: Shape) -> Any:
    if shape.leaf:
        return have if shape.equal(have, want) else _fresh(want, shape)
    if shape.typed and have == want:
        return have  # as what follows finds out, one field after the other
    if want is None:
        return have if have and _holds_fields(have, shape) else None
    if type(want) is dict and _holds_fields(want, shape) and type(have) is dict:
        return merge(have, want, shape)
    if type(want) is list and _holds_fields(want, shape) and type(have) is list:
        return _merge_lists(have, want, shape)
    return have if shape.equal(have, want) else _fresh(want, shape)


def _holds_fields(value: Any, shape: Shape) -> bool:
    if type(value) is dict:
        return shape.is_map and not shape.atomic_map
    return type(value) is list and shape.list_kind in ("set", "keyed")


def _merge_lists(live: list[Any], config: list[Any], shape: Shape) -> list[Any]:
    have = [item_element(item, shape) for item in live]
    want = [item_element(item, shape) for item in config]
    if have == want:
        items = [_merge_items(one, two, shape.item) for one, two in zip(live, config, strict=True)]
        return live if all(map(_is, items, live)) else items
    return _Interleaving(live, have, config, want, shape).merged()


def _merge_items(have: Any, want: Any, shape: Shape) -> Any:
    return have if have is want else _merge_values(have, want, shape)


class _Interleaving:
    """The merge of two lists whose items come in different orders, or are not the same ones.

    Both lists are walked at once. An item of both is merged when both walks have come to it;
    items that only the live list has stay where they are among their neighbours; where the two
    orders contradict each other, the configuration's holds.
    """

    def __init__(
        self, live: list[Any], have: list[str], config: list[Any], want: list[str], shape: Shape
    ) -> None:
        self._live, self._have, self._want = live, have, want
        self._item = shape.item
        self._ours = dict(zip(want, config, strict=True))
        # Live items with the same key have nothing to merge with: an applied one replaces them.
        self._theirs = {
            element: item if have.count(element) == 1 else None
            for element, item in zip(have, live, strict=True)
        }
        self._shared = deque(element for element in want if element in self._theirs)
        self._done: set[str] = set()
        self._out: list[Any] = []

    def merged(self) -> list[Any]:
        left = right = 0
        have, want = self._have, self._want
        while left < len(have) or right < len(want):
            both = left < len(have) and right < len(want)
            if both and have[left] == want[right]:
                self._take(want[right])
                self._advance()
                left, right = left + 1, right + 1
                continue
            if both and self._waits(have[left]):
                left += 1
                continue
            if left < len(have):
                if have[left] not in self._ours:
                    self._out.append(self._live[left])
                    left += 1
                    continue
                if have[left] in self._done:
                    left += 1
            if right < len(want):
                self._take(want[right])
                if self._shared and self._shared[0] == want[right]:
                    self._advance()
                right += 1
        same = len(self._out) == len(self._live) and all(map(_is, self._out, self._live))
        return self._live if same else self._out

    def _waits(self, element: str) -> bool:
        """True for a live item that the configuration has too, but not next."""
        return element in self._ours and bool(self._shared) and self._shared[0] != element

    def _advance(self) -> None:
        if self._shared:
            self._shared.popleft()

    def _take(self, element: str) -> None:
        self._done.add(element)
        want = self._ours[element]
        have = self._theirs.get(element)
        new = _fresh(want, self._item) if have is None else _merge_items(have, want, self._item)
        self._out.append(new)


def _remove_members(value: dict[str, Any], tree: Tree, shape: Shape) -> dict[str, Any] | None:
    left: dict[str, Any] | None = None
    for element, below in tree.items():
        name = element[2:]
        if element[0] != "f" or name not in value:
            continue
        if not below or SELF in below:
            left = dict(value) if left is None else left
            del left[name]
            continue
        declared = shape.fields.get(name)
        member = (shape.element if declared is None else declared[1]) or shape.part(None)
        inner = remove_fields(value[name], below, member)
        if inner is not value[name]:
            left = dict(value) if left is None else left
            left[name] = inner
    return (value if left is None else left) or None


def _remove_items(value: list[Any], tree: Tree, shape: Shape) -> list[Any] | None:
    left: list[Any] = []
    for item in value:
        below = tree.get(item_element(item, shape))
        if below is None:
            left.append(item)
        elif below and SELF not in below:
            left.append(remove_fields(item, below, shape.item))
    if len(left) == len(value) and all(map(_is, left, value)):
        return value
    return left or None
