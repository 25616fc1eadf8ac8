"""Rules of PersistentVolumes.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go (ValidatePersistentVolumeSpec).
Differs: of the sources that few clusters have (the in-tree drivers of clouds and storage systems)
only that there is no second one is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names, quantities
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.internal_forms import go_difference
from gitops_sim.apimachinery.validation_parts import named, supported
from gitops_sim.apimachinery.validation_placement import node_selector_causes
from gitops_sim.apimachinery.validation_sources import host_path_causes, nfs_causes
from gitops_sim.apimachinery.validation_volumes import access_mode_causes, positive_causes
from gitops_sim.types import Manifest

__all__ = ["volume_causes", "volume_update_causes"]

_NOT_SOURCES = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)


def volume_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a PersistentVolume."""
    spec = manifest.get("spec") or {}
    if not spec.get("accessModes"):
        yield causes.required("spec.accessModes")
    yield from access_mode_causes(spec.get("accessModes") or [], "spec")
    yield from _capacity_causes(spec.get("capacity") or {})
    policy = spec.get("persistentVolumeReclaimPolicy")
    words = ("Delete", "Recycle", "Retain")
    yield from supported(policy, "spec.persistentVolumeReclaimPolicy", words)
    required = (spec.get("nodeAffinity") or {}).get("required")
    if required is not None:
        yield from node_selector_causes(required, "spec.nodeAffinity.required")
    yield from _source_causes(spec)
    if spec.get("storageClassName"):
        path = "spec.storageClassName"
        yield from named(spec["storageClassName"], path, names.validate_subdomain)
    yield from supported(spec.get("volumeMode"), "spec.volumeMode", ("Block", "Filesystem"))


def _capacity_causes(capacity: dict[str, str]) -> Iterator[Cause]:
    if not capacity:
        yield causes.required("spec.capacity")
    if set(capacity) != {"storage"}:
        shown = dict(sorted(capacity.items())) or None
        yield causes.not_supported("spec.capacity", shown, ("storage",))
    for name, value in capacity.items():
        path, amount = f"spec.capacity[{name}]", quantities.parse(value)
        if amount < 0:
            negative = int(amount) if amount.denominator == 1 else value
            yield causes.invalid(path, negative, "must be a valid resource quantity")
        yield from positive_causes(value, path)


def _source_causes(spec: dict[str, Any]) -> Iterator[Cause]:
    sources = {name: spec[name] for name in spec if name not in _NOT_SOURCES}
    if not sources:
        yield causes.required("spec", "must specify a volume type")
    for extra in [*sources][1:]:
        yield causes.forbidden(f"spec.{extra}", "may not specify more than 1 volume type")
    if "hostPath" in sources:
        yield from host_path_causes(sources["hostPath"], "spec.hostPath")
        recycled = spec.get("persistentVolumeReclaimPolicy") == "Recycle"
        if recycled and sources["hostPath"].get("path") == "/":
            text = "may not be 'recycle' for a hostPath mount of '/'"
            yield causes.forbidden("spec.persistentVolumeReclaimPolicy", text)
    if "nfs" in sources:
        yield from nfs_causes(sources["nfs"], "spec.nfs")
    if "csi" in sources:
        for member in ("driver", "volumeHandle"):
            if not sources["csi"].get(member):
                yield causes.required(f"spec.csi.{member}")
    if "local" in sources:
        if not sources["local"].get("path"):
            yield causes.required("spec.local.path")
        if not (spec.get("nodeAffinity") or {}).get("required"):
            yield causes.required("spec.nodeAffinity", "Local volume requires node affinity")


def volume_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a volume may not change: its source and mode."""
    new, old = manifest.get("spec") or {}, before.get("spec") or {}
    now, was = ({k: v for k, v in s.items() if k not in _NOT_SOURCES} for s in (new, old))
    if now != was:
        text = "spec.persistentvolumesource is immutable after creation"
        difference = go_difference(was, now, "PersistentVolumeSource")
        yield causes.forbidden("spec.persistentvolumesource", f"{text}\n{difference}")
    if new.get("volumeMode") != old.get("volumeMode"):
        yield causes.invalid("volumeMode", new.get("volumeMode"), "field is immutable")
