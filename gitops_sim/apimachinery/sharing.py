"""Versions of an object that share what stayed equal, so that history is cheap to keep.

An object that shares with the one before it also tells at once, by identity, what it left alone:
that needs no defaults, no checks and no comparing again.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from gitops_sim.apimachinery.copying import fresh_copy

__all__ = ["copy_sharing", "owned", "shared"]

_NUMBERLESS = frozenset({"managedFields", "fieldsV1"})
"""Members without any numbers: what is equal in them is the same."""

_SCALARS = frozenset({str, int, bool, float})
_PLAIN = frozenset({str, int, bool})
"""Scalars that a copy through JSON never changes; not every float has a form there."""


def shared(before: Any, after: Any) -> Any:
    """Return `after`, built from parts of `before` where they are equal; `before` if all is.

    `after` is changed in place and must belong to the caller. Numbers of different types (1, 1.0,
    true) are different values.
    """
    if before is after:
        return before
    if type(after) is dict and type(before) is dict:
        same = len(before) == len(after)
        for name, value in after.items():
            old = before.get(name)
            if old is value and old is not None:
                continue
            if old is None:
                same = same and value is None and name in before
                continue
            if value.__class__ in _SCALARS:
                same = same and value.__class__ is old.__class__ and value == old
                continue
            if name in _NUMBERLESS and value == old:
                after[name] = old
                continue
            new = shared(old, value)
            if new is not value:
                after[name] = new
            same = same and new is old
        return before if same else after
    if type(after) is list and type(before) is list:
        same = len(before) == len(after)
        for index, old in enumerate(before[: len(after)]):
            value = after[index]
            if value is not old:
                after[index] = new = shared(old, value)
                same = same and new is old
        return before if same else after
    return before if type(before) is type(after) and before == after else after


def copy_sharing(before: Any, after: Any) -> Any:
    """Return `shared(before, fresh_copy(after))`, without copying what is equal.

    `after` is not changed. What a caller kept of the object it read (as controllers do with what
    their informers share) is found by identity and not walked through.
    """
    if before is after:
        return before
    if isinstance(after, dict):
        old = before if isinstance(before, dict) else {}
        same = old is before and len(old) == len(after)
        copied: dict[Any, Any] = {}
        for name, value in after.items():
            mine = old.get(name)
            if mine is value:
                same = same and (value is not None or name in old)
            elif value.__class__ in _PLAIN:
                same = same and value.__class__ is mine.__class__ and value == mine
            else:
                value = copy_sharing(mine, value)
                same = same and value is mine
            copied[name] = value
        return before if same else copied
    if isinstance(after, list):
        past = before if isinstance(before, list) else []
        items = [
            copy_sharing(past[index] if index < len(past) else None, item)
            for index, item in enumerate(after)
        ]
        same = past is before and len(past) == len(items)
        return before if same and all(map(_is, items, past)) else items
    if after is None or after.__class__ in _PLAIN or (type(after) is float and isfinite(after)):
        return before if type(before) is type(after) and before == after else after
    copied = fresh_copy(after)
    return before if type(before) is type(copied) and before == copied else copied


def _is(one: object, other: object) -> bool:
    return one is other


def owned(before: Any, after: Any) -> Any:
    """Return `after` with containers of its own wherever it differs from `before`.

    What both share in the same place stays shared; so what the answer lets one change in place is
    never part of `before`, as long as one does not change what is shared.
    """
    if before is after or after.__class__ in _SCALARS:
        return after
    if isinstance(after, dict):
        old = before if isinstance(before, dict) else {}
        return {
            name: value if value.__class__ in _SCALARS else owned(old.get(name), value)
            for name, value in after.items()
        }
    if isinstance(after, list):
        past = before if isinstance(before, list) else []
        return [
            owned(past[index] if index < len(past) else None, item)
            for index, item in enumerate(after)
        ]
    return after
