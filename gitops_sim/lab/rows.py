"""From desired and live objects to the rows of the picture: a verdict, a field, and who set it."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery import quantities
from gitops_sim.delivery import ABSENT, FieldDifference, assess_health, declared_diff
from gitops_sim.journal import who_set
from gitops_sim.types import Manifest, ResourceKey
from gitops_sim.viz import BoardRow

__all__ = ["Both", "row_of"]

_FREE_NAMES = ("metadata.annotations.", "metadata.labels.", "data.", "spec.selector.")
"""Below these, names are free and may hold dots."""
_WORDS = 26
"""Characters of a field's value that a card has room for."""


@dataclass(frozen=True, slots=True)
class Both:
    """One object on both sides.

    Attributes:
        key: With its namespace.
        desired: As Git declares it at the head of the branch; None: not in Git.
        applied: As Git declared it at the revision that was applied last; None: not in it.
        live: As the cluster has it; None: not there.
        waits: True while the head of the branch is not yet applied.
        fate: What becomes of an object that is not in Git, in words for the picture.
    """

    key: ResourceKey
    desired: Manifest | None
    applied: Manifest | None
    live: Manifest | None
    waits: bool = False
    fate: str = "only in cluster"


def row_of(both: Both, now: str) -> BoardRow:
    """Judge one object.

    Args:
        both: The object on both sides.
        now: The moment, RFC 3339, for health that depends on age.
    """
    health = _health(both.live, now)
    if both.desired is None:
        actual = _typical(both.live or {})
        return BoardRow(both.key, "Extra", both.fate, None, actual, health=health)
    if both.live is None:
        is_new = both.waits and both.applied is None
        words = "not applied yet" if is_new else "missing"
        return BoardRow(both.key, "Missing", words, _typical(both.desired), None)
    differences = _differences(both.desired, both.live)
    waiting = both.waits and not (both.applied and _differences(both.applied, both.live))
    if not differences and waiting and both.applied is not None:
        differences = _given_up(both.desired, both.applied, both.live)
    if not differences:
        desired = _typical(both.desired)
        return BoardRow(both.key, "Synced", "in sync", desired, _typical(both.live), health=health)
    shown = differences[0]
    desired, actual = _field(shown.path, shown.desired, shown.live)
    if waiting:
        return BoardRow(
            both.key, "OutOfSync", "new commit waits", desired, actual, differs=True, health=health
        )
    who = _setter(both.live, shown.path)
    return BoardRow(
        both.key, "Drifted", "edited by hand", desired, actual, differs=True, health=health, who=who
    )


def _health(live: Manifest | None, now: str) -> str:
    if live is None:
        return ""
    if live.get("kind") == "CronJob" and live.get("spec", {}).get("suspend"):
        return "Suspended"
    return str(assess_health(live, now=now).status)


def _differences(desired: Manifest, live: Manifest) -> list[FieldDifference]:
    """Return the declared fields that live otherwise, written forms of one value left out."""
    found = declared_diff(_as_stored(desired), live)
    return [difference for difference in found if not _same_quantity(difference)]


def _as_stored(desired: Manifest) -> Manifest:
    """Return a Secret with its stringData where the API server puts it; others as they are."""
    texts = desired.get("stringData")
    if desired.get("kind") != "Secret" or not isinstance(texts, dict):
        return desired
    encoded = {name: base64.b64encode(str(text).encode()).decode() for name, text in texts.items()}
    stored = {name: value for name, value in desired.items() if name != "stringData"}
    return stored | {"data": (desired.get("data") or {}) | encoded}


def _same_quantity(difference: FieldDifference) -> bool:
    if not isinstance(difference.live, str) or difference.desired is ABSENT:
        return False
    try:
        return quantities.parse(str(difference.desired)) == quantities.parse(difference.live)
    except ValueError:
        return False


def _given_up(desired: Manifest, applied: Manifest, live: Manifest) -> list[FieldDifference]:
    """Return the fields that the new commit no longer declares and the cluster still has."""
    before = {d.path: d for d in declared_diff(applied, desired) if d.live is ABSENT}
    kept = {d.path for d in declared_diff(applied, live)}
    return [
        FieldDifference(path, ABSENT, found.desired)
        for path, found in before.items()
        if path not in kept
    ]


def _setter(live: Manifest, path: str) -> str:
    """Return who holds the field, or the nearest one that is tracked around or in it."""
    setters = who_set(live)
    exact = setters.get(path)
    if exact is None:
        near = [p for p in setters if p.startswith(path) or path.startswith(p)]
        exact = setters[near[0]] if near else None
    return exact[0].manager if exact else ""


def _field(path: str, desired: Any, live: Any) -> tuple[str, str]:
    """Return one field as both cards show it: `image: 1.8`, `replicas: 3`."""
    name = _label(path)
    if name == "image" and isinstance(desired, str) and isinstance(live, str):
        desired, live = _tags(desired, live)
    return f"{name}: {_short(desired)}", f"{name}: {_short(live)}"


def _label(path: str) -> str:
    """Return what names a field: its last member, without the key of a list's item."""
    for parent in _FREE_NAMES:
        if path.startswith(parent):
            return path.removeprefix(parent)
    return re.sub(r"\[[^\]]*\]$", "", path).rpartition(".")[2]


def _tags(desired: str, live: str) -> tuple[str, str]:
    """Return two images of one repository as their tags."""
    (one, _, tag), (other, _, other_tag) = desired.rpartition(":"), live.rpartition(":")
    return (tag, other_tag) if one and one == other else (desired, live)


def _short(value: Any) -> str:
    if value is ABSENT:
        return "(absent)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        text = f"{{{', '.join(map(str, value))}}}" if isinstance(value, dict) else f"{len(value)}"
    else:
        text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= _WORDS else f"{text[: _WORDS - 1]}…"


def _typical(manifest: Manifest) -> str:
    """Return the field that tells most of an object in which nothing differs."""
    spec = manifest.get("spec") or {}
    kind = manifest.get("kind")
    if kind in ("Deployment", "StatefulSet", "ReplicaSet") and "replicas" in spec:
        return f"replicas: {spec['replicas']}"
    if kind == "Service" and isinstance(spec.get("ports"), list) and spec["ports"]:
        return f"port: {spec['ports'][0].get('port')}"
    if kind == "CronJob":
        return f"schedule: {_short(spec.get('schedule', ''))}"
    data = manifest.get("data")
    if kind == "ConfigMap" and isinstance(data, dict) and data:
        name = sorted(data)[0]
        return f"{name}: {_short(data[name])}"
    return _image(spec)


def _image(spec: dict[str, Any]) -> str:
    template = (spec.get("template") or {}).get("spec") or spec
    containers: Sequence[Any] = template.get("containers") or ()
    if containers and isinstance(containers[0], dict) and containers[0].get("image"):
        return f"image: {_short(str(containers[0]['image']).rpartition(':')[2])}"
    return ""
