"""Admission of claims that ask for more: only where their class allows it.

Source: k8s.io/kubernetes, plugin/pkg/admission/storage/persistentvolume/resize.
"""

from __future__ import annotations

from fractions import Fraction

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.apimachinery.status_errors import forbidden
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["admit_growth"]

_CLAIMS, _CLASSES = Kind("", "PersistentVolumeClaim"), Kind("storage.k8s.io", "StorageClass")
_NOT_BOUND = "Only bound persistent volume claims can be expanded"
_NOT_ALLOWED = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc "
    "must support resize"
)


def admit_growth(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Refuse a claim that asks for more where nothing grows.

    Raises:
        ForbiddenError: It is not bound, or its class does not allow it.
    """
    before = write.before
    kind = Kind(write.resource_type.group, write.resource_type.kind)
    if before is None or kind != _CLAIMS or write.subresource:
        return
    if _size(manifest) <= _size(before):
        return
    name = manifest["metadata"]["name"]
    if (before.get("status") or {}).get("phase") != "Bound":
        raise forbidden(write.resource_type, name, _NOT_BOUND)
    class_name = manifest["spec"].get("storageClassName") or ""
    found = server.store.get(_CLASSES, "", class_name) if class_name else None
    is_same = class_name == before["spec"].get("storageClassName")
    if not is_same or found is None or not found.get("allowVolumeExpansion"):
        raise forbidden(write.resource_type, name, _NOT_ALLOWED)


def _size(claim: Manifest) -> Fraction:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return parse(requests.get("storage", "0"))
