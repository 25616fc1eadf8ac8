"""Rules of PersistentVolumeClaims and StorageClasses.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go and pkg/apis/storage/validation.
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
    "access_mode_causes",
    "claim_causes",
    "claim_spec_causes",
    "claim_update_causes",
    "positive_causes",
    "storage_class_causes",
    "storage_class_update_causes",
]

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
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
    yield from access_mode_causes(modes, path)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield causes.required(f"{path}.resources[storage]")
    else:
        yield from positive_causes(storage, f"{path}.resources[storage]")
    if spec.get("storageClassName"):
        place = f"{path}.storageClassName"
        yield from named(spec["storageClassName"], place, names.validate_subdomain)
    yield from supported(spec.get("volumeMode"), f"{path}.volumeMode", ("Block", "Filesystem"))
    if spec.get("volumeAttributesClassName"):
        place = f"{path}.volumeAttributesClassName"
        yield from named(spec["volumeAttributesClassName"], place, names.validate_subdomain)
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and reference and source != {k: v for k, v in reference.items() if k != "namespace"}:
        yield causes.invalid(path, {}, "must match dataSourceRef")


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
    for key in manifest.get("parameters") or ():
        if not key:
            yield causes.invalid("parameters", key, "field can not be empty.")
    for index, term in enumerate(manifest.get("allowedTopologies") or ()):
        for number, wanted in enumerate(term.get("matchLabelExpressions") or ()):
            path = f"allowedTopologies[{index}].matchLabelExpressions[{number}]"
            yield from _topology_causes(wanted, path)


def _topology_causes(wanted: dict[str, Any], path: str) -> Iterator[Cause]:
    values = wanted.get("values") or []
    if not values:
        yield causes.required(f"{path}.values")
    for index, value in enumerate(values):
        if value in values[:index]:
            yield causes.duplicate(f"{path}.values[{index}]", value)
    yield from named(wanted.get("key", ""), f"{path}.key", names.validate_label_key)


def storage_class_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a StorageClass may not change; the server shows no values."""
    for member in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        if manifest.get(member) != before.get(member):
            yield causes.invalid(member, None, "field is immutable")


def access_mode_causes(modes: list[str], path: str) -> Iterator[Cause]:
    """Refuse unknown access modes, and ReadWriteOncePod together with others."""
    for mode in modes:
        yield from supported(mode, f"{path}.accessModes", _MODES)
    if "ReadWriteOncePod" in modes and len(set(modes) & set(_MODES)) > 1:
        text = "may not use ReadWriteOncePod with other access modes"
        yield causes.forbidden(f"{path}.accessModes", text)


def positive_causes(value: str, path: str) -> Iterator[Cause]:
    """Refuse an amount that is not above 0."""
    if quantities.parse(value) <= 0:
        yield causes.invalid(path, value, "must be greater than zero")


def _storage(spec: dict[str, Any]) -> Any:
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return None if storage is None else quantities.parse(storage)
