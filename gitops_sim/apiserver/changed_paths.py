"""Which fields a write changed, for the journal."""

from __future__ import annotations

from sys import intern
from typing import Any

from gitops_sim.types import Manifest

__all__ = ["MOST_PATHS", "changed_paths"]

MOST_PATHS = 20
_UNTOLD = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"})


def changed_paths(before: Manifest | None, after: Manifest | None) -> tuple[str, ...]:
    """Return the dotted paths of what differs, at most 20; list items by their index.

    Server-set members of metadata are left out. A new or deleted object has its top-level parts.
    """
    if before is None or after is None:
        parts = (before or after or {}).keys()
        return tuple(sorted(part for part in parts if part not in {"apiVersion", "kind"}))
    found: list[str] = []
    _find(before, after, "", found)
    return tuple(found[:MOST_PATHS])


def _find(before: Any, after: Any, path: str, found: list[str]) -> None:
    """Add to `found` the paths of what differs, at least as many as are told."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, old in before.items():
            new = after.get(name)
            if old is not new:
                _find_member(old, new, path, name, found)
        if not after.keys() <= before.keys():
            for name, new in after.items():
                if name not in before and new is not None:
                    _find_member(None, new, path, name, found)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old is not new:
                _find(old, new, f"{path}[{index}]", found)
    elif before != after:
        found.append(path)


def _find_member(old: Any, new: Any, path: str, name: str, found: list[str]) -> None:
    if len(found) >= MOST_PATHS or (path == "metadata" and name in _UNTOLD):
        return
    step = intern(f"{path}.{name}" if path else str(name))
    if new.__class__ is dict or new.__class__ is list:
        _find(old, new, step, found)
    elif old != new:
        found.append(step)
