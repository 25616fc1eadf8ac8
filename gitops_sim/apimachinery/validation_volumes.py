"""Rules of volumes and claims: PersistentVolume, PersistentVolumeClaim, StorageClass.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go and pkg/apis/storage/validation.
Differs: of a volume's source only that there is exactly one is checked; a refused change of a
PersistentVolume's source does not show the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names, quantities
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.internal_forms import go_difference
from gitops_sim.apimachinery.validation_parts import label_selector, named, supported
from gitops_sim.types import Manifest

__all__ = [
    "claim_causes",
    "claim_spec_causes",
    "claim_update_causes",
    "storage_class_causes",
    "storage_class_update_causes",
    "volume_causes",
    "volume_update_causes",
]

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
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
_FIXED_CLAIM = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for "
    "bound claims"
)


def claim_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a PersistentVolumeClaim."""
    yield from claim_spec_causes(manifest.get("spec") or {}, "spec")


def claim_spec_causes(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with the spec of a claim, or of a template of claims."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield causes.required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from label_selector(spec.get("selector"), f"{path}.selector")
    yield from _mode_causes(modes, path)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield causes.required(f"{path}.resources[storage]")
    else:
        yield from _positive(storage, f"{path}.resources[storage]")
    if spec.get("storageClassName"):
        place = f"{path}.storageClassName"
        yield from named(spec["storageClassName"], place, names.validate_subdomain)
    yield from supported(spec.get("volumeMode"), f"{path}.volumeMode", ("Block", "Filesystem"))


def claim_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a claim may not change."""
    new, old = dict(manifest.get("spec") or {}), dict(before.get("spec") or {})
    if not old.get("volumeName"):
        old["volumeName"] = new.get("volumeName")
    if old.get("storageClassName") is None:
        old["storageClassName"] = new.get("storageClassName")
    size, was = (_storage(spec) for spec in (new, old))
    status = manifest.get("status") or {}
    if status.get("phase") == "Bound":
        new["resources"] = old.get("resources")
        new["volumeAttributesClassName"] = old.get("volumeAttributesClassName")
    left, right = ({k: v for k, v in spec.items() if v is not None} for spec in (old, new))
    if left != right:
        difference = go_difference(left, right, "PersistentVolumeClaimSpec")
        yield causes.forbidden("spec", f"{_FIXED_CLAIM}\n{difference}")
    if size is not None and was is not None and size < was:
        capacity = (status.get("capacity") or {}).get("storage", "0")
        if size <= quantities.parse(capacity):
            text = "field can not be less than status.capacity"
            yield causes.forbidden("spec.resources.requests.storage", text)


def volume_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a PersistentVolume."""
    spec = manifest.get("spec") or {}
    if not spec.get("accessModes"):
        yield causes.required("spec.accessModes")
    yield from _mode_causes(spec.get("accessModes") or [], "spec")
    capacity = spec.get("capacity") or {}
    if not capacity:
        yield causes.required("spec.capacity")
    if set(capacity) != {"storage"}:
        yield causes.not_supported("spec.capacity", capacity or None, ("storage",))
    for name, value in capacity.items():
        yield from _positive(value, f"spec.capacity[{name}]")
    policy = spec.get("persistentVolumeReclaimPolicy")
    words = ("Delete", "Recycle", "Retain")
    yield from supported(policy, "spec.persistentVolumeReclaimPolicy", words)
    sources = [name for name in spec if name not in _NOT_SOURCES]
    if not sources:
        yield causes.required("spec", "must specify a volume type")
    for extra in sources[1:]:
        yield causes.forbidden(f"spec.{extra}", "may not specify more than 1 volume type")
    if "local" in sources and not (spec.get("nodeAffinity") or {}).get("required"):
        yield causes.required("spec.nodeAffinity", "Local volume requires node affinity")
    if spec.get("storageClassName"):
        yield from named(
            spec["storageClassName"], "spec.storageClassName", names.validate_subdomain
        )
    yield from supported(spec.get("volumeMode"), "spec.volumeMode", ("Block", "Filesystem"))


def volume_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a volume may not change: its source and mode."""
    new, old = manifest.get("spec") or {}, before.get("spec") or {}
    sources = [{k: v for k, v in s.items() if k not in _NOT_SOURCES} for s in (old, new)]
    if sources[0] != sources[1]:
        text = "spec.persistentvolumesource is immutable after creation"
        yield causes.forbidden("spec.persistentvolumesource", text)
    if new.get("volumeMode") != old.get("volumeMode"):
        yield causes.invalid("volumeMode", new.get("volumeMode"), "field is immutable")


def storage_class_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a StorageClass."""
    provisioner = manifest.get("provisioner", "")
    if not provisioner:
        yield causes.required("provisioner")
    else:
        yield from named(provisioner.lower(), "provisioner", names.validate_label_key)
    yield from supported(manifest.get("reclaimPolicy"), "reclaimPolicy", ("Delete", "Retain"))
    words = ("Immediate", "WaitForFirstConsumer")
    yield from supported(manifest.get("volumeBindingMode"), "volumeBindingMode", words)


def storage_class_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a StorageClass may not change; the server shows no values."""
    for member in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        if manifest.get(member) != before.get(member):
            yield causes.invalid(member, None, "field is immutable")


def _mode_causes(modes: list[str], path: str) -> Iterator[Cause]:
    for mode in modes:
        yield from supported(mode, f"{path}.accessModes", _MODES)
    if "ReadWriteOncePod" in modes and len(set(modes) & set(_MODES)) > 1:
        text = "may not use ReadWriteOncePod with other access modes"
        yield causes.forbidden(f"{path}.accessModes", text)


def _positive(value: str, path: str) -> Iterator[Cause]:
    if quantities.parse(value) <= 0:
        yield causes.invalid(path, value, "must be greater than zero")


def _storage(spec: dict[str, Any]) -> Any:
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return None if storage is None else quantities.parse(storage)
