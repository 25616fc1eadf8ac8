"""Conditions in `status.conditions`: read, and set without touching what stays the same.

Source: k8s.io/apimachinery, pkg/api/meta/conditions.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.types import Condition, Manifest

__all__ = ["get", "is_true", "set"]


def get(manifest: Manifest, type_: str) -> Condition | None:
    """Return the condition of that type, or None."""
    for entry in (manifest.get("status") or {}).get("conditions") or []:
        if entry.get("type") == type_:
            return Condition(
                type_,
                str(entry.get("status", "")),
                str(entry.get("reason", "")),
                str(entry.get("message", "")),
                str(entry.get("lastTransitionTime") or ""),
                int(entry.get("observedGeneration") or 0),
            )
    return None


def is_true(manifest: Manifest, type_: str) -> bool:
    """True when the condition is there and its status is "True"."""
    found = get(manifest, type_)
    return found is not None and found.status == "True"


def set(manifest: Manifest, condition: Condition) -> bool:  # noqa: A001 - conditions.set(...)
    """Write a condition into the manifest; return whether anything changed.

    The time of the last transition changes only when the status does; otherwise the old one
    stays. `observedGeneration` is written only when it is not 0.
    """
    entries: list[dict[str, Any]] = manifest.setdefault("status", {}).setdefault("conditions", [])
    fresh: dict[str, Any] = {
        "lastTransitionTime": condition.last_transition_time,
        "message": condition.message,
        "observedGeneration": condition.observed_generation,
        "reason": condition.reason,
        "status": condition.status,
        "type": condition.type,
    }
    if not condition.observed_generation:
        del fresh["observedGeneration"]
    for entry in entries:
        if entry.get("type") != condition.type:
            continue
        if entry.get("status") == condition.status:
            fresh["lastTransitionTime"] = entry.get("lastTransitionTime", "")
        changed = any(entry.get(key) != value for key, value in fresh.items())
        entry.update(fresh)
        return changed
    entries.append(fresh)
    return True
