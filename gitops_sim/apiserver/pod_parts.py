"""What the subresources `ephemeralcontainers` and `resize` of a Pod change of it.

Source: k8s.io/kubernetes, pkg/registry/core/pod/strategy.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_sim.types import Manifest

__all__ = ["POD_PARTS", "with_pod_part"]

POD_PARTS = frozenset({"ephemeralcontainers", "resize"})

_RESIZED = ("resources", "resizePolicy")


def with_pod_part(old: Manifest, new: Manifest, subresource: str) -> Manifest:
    """Return a pod as it was but for what was written through one of its subresources."""
    spec, written = dict(old["spec"]), new.get("spec") or {}
    if subresource == "ephemeralcontainers":
        spec.pop("ephemeralContainers", None)
        if written.get("ephemeralContainers"):
            spec["ephemeralContainers"] = written["ephemeralContainers"]
    else:
        for group in ("containers", "initContainers"):
            if group in spec:
                named = {entry.get("name"): entry for entry in written.get(group) or ()}
                spec[group] = [_resized(entry, named) for entry in spec[group]]
    return {**old, "metadata": new["metadata"], "spec": spec}


def _resized(container: dict[str, Any], written: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    source = written.get(container["name"], container)
    kept = {name: value for name, value in container.items() if name not in _RESIZED}
    return kept | {name: source[name] for name in _RESIZED if name in source}
