"""Whose an object is, and which of its fields: labels, switches, and the managers to displace.

What undoes `kubectl edit`: claims of kubectl (and a few others) on fields are moved to Flux's own
apply entry, so that the next apply drops the fields that Git does not name. Claims through a
subresource (`kubectl scale`) and those of other managers stay.

Source: fluxcd/pkg ssa/patch.go, kustomize-controller internal/controller (apply).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gitops_sim.pull.flux.names import KUSTOMIZE_CONTROLLER, KUSTOMIZE_GROUP
from gitops_sim.types import Manifest

__all__ = [
    "LAST_APPLIED",
    "cleanup_patch",
    "displaced_managers",
    "has_switch",
    "is_left_alone",
    "is_owned",
    "keeps_foreign_fields",
    "owner_labels",
]

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_UPDATERS: Final = ("before-first-apply", KUSTOMIZE_CONTROLLER)


def owner_labels(name: str, namespace: str) -> dict[str, str]:
    """Return the labels of everything that a Kustomization applies."""
    return {f"{KUSTOMIZE_GROUP}/name": name, f"{KUSTOMIZE_GROUP}/namespace": namespace}


def is_owned(live: Manifest, name: str, namespace: str) -> bool:
    """True when the labels of a live object name this Kustomization."""
    labels = live["metadata"].get("labels") or {}
    wanted = owner_labels(name, namespace)
    return all(labels.get(key) == value for key, value in wanted.items())


def has_switch(manifest: Manifest | None, name: str, value: str) -> bool:
    """True when an annotation or a label `kustomize.toolkit.fluxcd.io/<name>` has this value."""
    if manifest is None:
        return False
    metadata = manifest.get("metadata") or {}
    return any(
        str((metadata.get(part) or {}).get(f"{KUSTOMIZE_GROUP}/{name}", "")).lower()
        == value.lower()
        for part in ("annotations", "labels")
    )


def is_left_alone(manifest: Manifest, live: Manifest | None) -> bool:
    """True when a switch says that the object is not to be applied."""
    for side in (manifest, live):
        if has_switch(side, "reconcile", "disabled") or has_switch(side, "ssa", "Ignore"):
            return True
    return live is not None and has_switch(manifest, "ssa", "IfNotPresent")


def keeps_foreign_fields(manifest: Manifest, live: Manifest) -> bool:
    """True when claims of other managers on the object are left as they are."""
    return has_switch(manifest, "ssa", "Merge") or has_switch(live, "ssa", "Merge")


def displaced_managers(live: Manifest) -> list[str]:
    """Return the managers whose claims Flux takes over, in order."""
    fields = live["metadata"].get("managedFields") or ()
    return [str(entry["manager"]) for entry in fields if _is_displaced(entry)]


def cleanup_patch(live: Manifest) -> list[dict[str, Any]]:
    """Return the JSON patch that takes over those claims; empty when there is nothing to do."""
    metadata = live["metadata"]
    patch: list[dict[str, Any]] = []
    annotations = metadata.get("annotations") or {}
    if LAST_APPLIED in annotations:
        path = "/metadata/annotations"
        if len(annotations) > 1:
            path += "/" + LAST_APPLIED.replace("/", "~1")
        patch.append({"op": "remove", "path": path})
    entries = metadata.get("managedFields") or []
    if any(_is_displaced(entry) for entry in entries):
        fields = _taken_over(live, entries)
        patch.append({"op": "replace", "path": "/metadata/managedFields", "value": fields})
    if patch:
        version = metadata["resourceVersion"]
        patch.append({"op": "replace", "path": "/metadata/resourceVersion", "value": version})
    return patch


def _is_displaced(entry: Mapping[str, Any]) -> bool:
    if entry.get("subresource"):
        return False
    manager, operation = str(entry.get("manager", "")), entry.get("operation")
    return manager.startswith("kubectl") or (operation == "Update" and manager in _UPDATERS)


def _is_own(entry: Mapping[str, Any]) -> bool:
    own = (entry.get("manager"), entry.get("operation"), entry.get("subresource", ""))
    return own == (KUSTOMIZE_CONTROLLER, "Apply", "")


def _taken_over(live: Manifest, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    claimed: dict[str, Any] = {}
    for entry in entries:
        if _is_own(entry) or _is_displaced(entry):
            claimed = _union(claimed, entry.get("fieldsV1") or {})
    latest = max(str(entry.get("time", "")) for entry in entries)
    own = next((entry for entry in entries if _is_own(entry)), {"time": latest})
    ours = {
        "manager": KUSTOMIZE_CONTROLLER,
        "operation": "Apply",
        "apiVersion": live["apiVersion"],
        "time": own["time"],
        "fieldsType": "FieldsV1",
        "fieldsV1": claimed,
    }
    others = [entry for entry in entries if not (_is_own(entry) or _is_displaced(entry))]
    return [ours, *others]


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that either set has; an empty map is a field without parts."""
    both = dict(one)
    for name, below in other.items():
        both[name] = _union(both[name], below) if name in both else below
    return both
