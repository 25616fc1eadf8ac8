"""Small pieces of table cells: ages, lists that are cut, containers, selectors.

Source: k8s.io/kubernetes, pkg/printers/internalversion/printers.go; k8s.io/apimachinery,
pkg/util/duration/duration.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from gitops_sim.apimachinery.labels import from_label_selector
from gitops_sim.types import Manifest

__all__ = [
    "CREATED",
    "NONE",
    "UNSET",
    "Ages",
    "Row",
    "containers_and_images",
    "counts",
    "cut",
    "format_labels",
    "format_selector",
    "human_duration",
    "modes",
    "name_and_age",
    "part",
]

CREATED = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. "
    "It is not guaranteed to be set in happens-before order across separate operations. Clients "
    "may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the "
    "system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/"
    "devel/sig-architecture/api-conventions.md#metadata"
)
"""What a table says of the column of ages."""

NONE, UNSET = "<none>", "<unset>"


class Ages:
    """How long moments are ago.

    Args:
        now: The present in RFC 3339.
    """

    def __init__(self, now: str) -> None:
        self._now = now

    def __call__(self, moment: str | None) -> str:
        """Return the age of a moment, as `5m10s`."""
        return human_duration(self.between(moment, self._now)) if moment else "<unknown>"

    @staticmethod
    def between(start: str, end: str) -> float:
        """Return the seconds from one moment to another."""
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


Row: TypeAlias = Callable[[Manifest, Ages], list[Any]]
"""From an object to its cells."""

_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def human_duration(seconds: float) -> str:
    """Return a duration as kubectl shows ages: two units at most, fewer the longer it is."""
    if seconds < -1:
        return "<invalid>"
    whole = max(int(seconds), 0)
    minutes, hours = whole // 60, whole // 3600
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(hours // 24, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{hours // 24}d"
    years = hours // 24 // 365
    if years < 8:
        return _two(years, "y", hours // 24 % 365, "d")
    return f"{years}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def part(manifest: Any, *path: str) -> Any:
    """Return what is at a path of names; an empty dict where something is missing on the way."""
    for name in path:
        manifest = (manifest or {}).get(name)
    return {} if manifest is None else manifest


def containers_and_images(pod_spec: Manifest) -> list[Any]:
    """Return the names and the images of the containers, each as one text."""
    listed = pod_spec.get("containers") or ()
    return [",".join(str(c.get(key, "")) for c in listed) for key in ("name", "image")]


def format_labels(labels: Any) -> str:
    """Return labels as `a=b,c=d`."""
    if not labels:
        return NONE
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def format_selector(selector: Any) -> str:
    """Return a label selector as text."""
    if selector is None:
        return NONE
    text = str(from_label_selector(selector))
    return text or NONE


def cut(items: Iterable[str], most: int = 3, *, unset: str = UNSET) -> str:
    """Return a list of at most `most` items, and how many more there are."""
    listed = list(items)
    if not listed:
        return unset
    text = ",".join(listed[:most])
    return f"{text} + {len(listed) - most} more..." if len(listed) > most else text


def modes(access: Sequence[str] | None) -> str:
    """Return access modes in their short forms, each once."""
    listed = set(access or ())
    return ",".join(short for long, short in _MODES.items() if long in listed)


def name_and_age(manifest: Manifest, ages: Ages, *cells: Any) -> list[Any]:
    """Return the name, cells, and the age."""
    metadata = manifest["metadata"]
    return [metadata["name"], *cells, ages(metadata.get("creationTimestamp"))]


def counts(manifest: Manifest, *names: str) -> list[int]:
    """Return numbers of the status; what is missing is 0."""
    status = part(manifest, "status")
    return [int(status.get(name, 0)) for name in names]
