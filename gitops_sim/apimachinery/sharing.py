"""Versions of an object that share what stayed equal, so that history is cheap to keep.

An object that shares with the one before it also tells at once, by identity, what it left alone:
that needs no defaults, no checks and no comparing again.
"""

from __future__ import annotations

from typing import Any

__all__ = ["owned", "shared"]

_NUMBERLESS = frozenset({"managedFields", "fieldsV1"})
"""Members without any numbers: what is equal in them is the same."""

_SCALARS = frozenset({str, int, bool, float})


def shared(before: Any, after: Any) -> Any:
    """Return `after`, built from parts of `before` where they are equal; `before` if all is.

    `after` is changed in place and must belong to the caller. Numbers of different types (1, 1.0,
    true) are different values.
    """
    if before is after:
        return before
    if isinstance(after, dict) and isinstance(before, dict):
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
    if isinstance(after, list) and isinstance(before, list):
        same = len(before) == len(after)
        for index in range(min(len(before), len(after))):
            new = shared(before[index], after[index])
            after[index] = new
            same = same and new is before[index]
        return before if same else after
    return before if type(before) is type(after) and before == after else after


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
