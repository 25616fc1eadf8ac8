"""Which fields a write changed, for the journal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
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
    return tuple(islice(_differences(before, after, ""), MOST_PATHS))


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    if before is after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        names = list(before) + [name for name in after if name not in before]
        for name in names:
            old, new = before.get(name), after.get(name)
            if old is new or (path == "metadata" and name in _UNTOLD):
                continue
            step = f"{path}.{name}" if path else str(name)
            if new.__class__ is dict or new.__class__ is list:
                yield from _differences(old, new, step)
            elif old != new:
                yield step
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old is new:
                continue
            yield from _differences(old, new, f"{path}[{index}]")
    elif before != after:
        yield path
