"""Who set each field of an object, read from its managedFields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitops_sim.types import Manifest

__all__ = ["Setter", "who_set"]


@dataclass(frozen=True, slots=True)
class Setter:
    """A field manager's claim on a field: `operation` is Apply or Update, `time` RFC 3339."""

    manager: str
    operation: str
    time: str


def who_set(manifest: Manifest) -> dict[str, list[Setter]]:
    """Return, per leaf field path, who owns it, the latest claim first.

    Paths are dotted, list items by their key: `spec.containers[name="web"].image`.

    Source: Kubernetes, server-side apply, field management.
    """
    found: dict[str, list[Setter]] = {}
    for entry in manifest.get("metadata", {}).get("managedFields") or ():
        setter = Setter(
            str(entry.get("manager", "")),
            str(entry.get("operation", "")),
            str(entry.get("time", "")),
        )
        for path in sorted(_leaves(entry.get("fieldsV1", {}), "")):
            found.setdefault(path, []).append(setter)
    for setters in found.values():
        setters.sort(key=lambda setter: setter.time, reverse=True)
    return dict(sorted(found.items()))


def _leaves(fields: dict[str, Any], path: str) -> Iterator[str]:
    inner = {name: below for name, below in fields.items() if name != "."}
    if not inner and path:
        yield path
    for name, below in inner.items():
        kind, _, rest = name.partition(":")
        step = f"{path}.{rest}" if kind == "f" and path else rest
        if kind != "f":
            step = f"{path}[{_item(kind, rest)}]"
        yield from _leaves(below, step)


def _item(kind: str, rest: str) -> str:
    if kind != "k":
        return rest
    return rest.removeprefix("{").removesuffix("}").replace('":', "=").replace('"', "", 1)
