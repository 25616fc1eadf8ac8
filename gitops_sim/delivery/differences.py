"""In which fields two states of one object differ.

What the server sets (uid, resourceVersion, managedFields, status and the like) is not compared.
Lists whose items have a name are compared by it, so that an added container is one difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gitops_sim.types import Manifest

__all__ = ["ABSENT", "FieldDifference", "declared_diff", "diff", "is_same"]


class _Absent:
    """The value of a field that is not there."""

    def __repr__(self) -> str:
        return "absent"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent()
"""Stands for a field that one side does not have; null is a value."""

_KEYS: Final = (
    ("name",),
    ("containerPort", "protocol"),
    ("port", "protocol"),
    ("mountPath",),
    ("devicePath",),
    ("topologyKey", "whenUnsatisfiable"),
    ("key",),
    ("type",),
    ("ip",),
    ("uid",),
)
"""Fields that name an item of a list, the first that fits wins.

Source: x-kubernetes-list-map-keys and patchMergeKey of the built-in kinds.
"""
_DEFAULTS: Final = {"protocol": "TCP"}
"""Values of naming fields that a manifest may leave out, as Git does and the live object does not.

Source: the defaults of x-kubernetes-list-map-keys in the built-in kinds.
"""
_METADATA: Final = ("labels", "annotations")


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field with its values; `path` is dotted, list items by key: `containers[name="web"]`."""

    path: str
    desired: Any
    live: Any

    def __str__(self) -> str:
        """Print as `spec.replicas: 3 (live: 5)`."""
        return f"{self.path}: {self.desired!r} (live: {self.live!r})"


def diff(desired: Manifest, live: Manifest) -> list[FieldDifference]:
    """Return every field in which two complete objects differ.

    Args:
        desired: What the API server would store: the answer of a server-side dry run.
        live: What it stores.

    Returns:
        Differences by path: labels, annotations, and everything but metadata and status.

    Source: fluxcd/pkg ssa/manager_diff.go, hasDrifted.
    """
    return sorted(_differences(desired, live, complete=True), key=lambda found: found.path)


def declared_diff(desired: Manifest, live: Manifest) -> list[FieldDifference]:
    """Return the declared fields that live otherwise; fields that only live do not count.

    Args:
        desired: A manifest as it stands in Git; defaults that the server adds are missing in it.
        live: What the API server stores.
    """
    return sorted(_differences(desired, live, complete=False), key=lambda found: found.path)


def is_same(desired: Manifest, live: Manifest) -> bool:
    """Return True when `diff` finds nothing; stops at the first difference."""
    return next(_differences(desired, live, complete=True), None) is None


def _differences(desired: Manifest, live: Manifest, *, complete: bool) -> Iterator[FieldDifference]:
    for part in _METADATA:
        yield from _compare(
            f"metadata.{part}",
            (desired.get("metadata") or {}).get(part) or {},
            (live.get("metadata") or {}).get(part) or {},
            complete=complete,
        )
    for name in _names(desired, live, complete=complete):
        if name not in ("metadata", "status"):
            yield from _compare(
                name, desired.get(name, ABSENT), live.get(name, ABSENT), complete=complete
            )


def _names(desired: Mapping[str, Any], live: Mapping[str, Any], *, complete: bool) -> list[str]:
    more = [name for name in live if name not in desired] if complete else []
    return [*desired, *more]


def _compare(path: str, desired: Any, live: Any, *, complete: bool) -> Iterator[FieldDifference]:
    if desired is live or _equal(desired, live):
        return
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        for name in _names(desired, live, complete=complete):
            inner = f"{path}.{name}"
            yield from _compare(
                inner, desired.get(name, ABSENT), live.get(name, ABSENT), complete=complete
            )
        return
    if isinstance(desired, list) and isinstance(live, list):
        keys = _keys_of(desired, live)
        if keys:
            yield from _compare_keyed(
                path, _by_key(desired, keys), _by_key(live, keys), complete=complete
            )
            return
        if len(desired) == len(live):
            for index, (wanted, found) in enumerate(zip(desired, live, strict=True)):
                yield from _compare(f"{path}[{index}]", wanted, found, complete=complete)
            return
    yield FieldDifference(path, desired, live)


def _compare_keyed(
    path: str, desired: Mapping[str, Any], live: Mapping[str, Any], *, complete: bool
) -> Iterator[FieldDifference]:
    for key in _names(desired, live, complete=complete):
        yield from _compare(
            f"{path}[{key}]", desired.get(key, ABSENT), live.get(key, ABSENT), complete=complete
        )


def _equal(desired: Any, live: Any) -> bool:
    """Tell whether two values are the same JSON; True and 1 are not."""
    if isinstance(desired, bool) or isinstance(live, bool):
        return desired is live
    if isinstance(desired, Mapping | list):
        return False  # looked into by the caller
    return bool(desired == live)


def _keys_of(desired: Sequence[Any], live: Sequence[Any]) -> tuple[str, ...]:
    """Return the fields that name every item of both lists, each name once; () for none."""
    items = [*desired, *live]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return ()
    for keys in _KEYS:
        if all(keys[0] in item for item in items) and all(
            len(_by_key(side, keys)) == len(side) for side in (desired, live)
        ):
            return keys
    return ()


def _by_key(items: Sequence[Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {_name(item, keys): item for item in items}


def _name(item: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    parts = []
    for key in keys:
        value = item.get(key)
        if value is not None and value != _DEFAULTS.get(key):
            parts.append(f'{key}="{value}"' if isinstance(value, str) else f"{key}={value}")
    return ",".join(parts)
