"""Admission that every server has: the life of namespaces, and what some kinds get when created.

Source: k8s.io/apiserver, pkg/admission/plugin/namespace/lifecycle; k8s.io/kubernetes,
plugin/pkg/admission (storageobjectinuseprotection, nodetaint, defaultingressclass,
storage/storageclass/setdefault).
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.status_errors import forbidden, not_found
from gitops_sim.apiserver.server import AdmissionHook, ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["FIRST_NAMESPACES", "created_with", "namespace_lifecycle", "refuse_deletion"]

FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces that a server has from the start."""

_IMMORTAL = frozenset({"default", "kube-public", "kube-system"})
_NAMESPACES = Kind("", "Namespace")
_CLASSES = Kind("networking.k8s.io", "IngressClass")
_FINALIZERS = {
    Kind("", "PersistentVolume"): "kubernetes.io/pv-protection",
    Kind("", "PersistentVolumeClaim"): "kubernetes.io/pvc-protection",
    Kind("storage.k8s.io", "VolumeAttributesClass"): "kubernetes.io/vac-protection",
}
_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
_STORAGE_CLASSES = Kind("storage.k8s.io", "StorageClass")
_DEFAULT_CLASS = ("ingressclass.kubernetes.io/is-default-class",)
_DEFAULT_STORAGE = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_OLD_STORAGE = "volume.beta.kubernetes.io/storage-class"


def namespace_lifecycle(server: ApiServer) -> AdmissionHook:
    """Return the hook that refuses objects in namespaces that are not there, or are going."""
    namespaces = server.kinds.lookup("v1/Namespace")

    def admit(write: Write, manifest: Manifest) -> None:
        if write.before is not None or not write.resource_type.namespaced:
            return
        name = manifest["metadata"]["namespace"]
        namespace = server.store.get(_NAMESPACES, "", name)
        if namespace is None:
            raise not_found(namespaces, name)
        if "deletionTimestamp" not in namespace["metadata"]:
            return
        raise forbidden(
            write.resource_type,
            manifest["metadata"].get("name", ""),
            f"unable to create new content in namespace {name} because it is being terminated",
            [
                Cause(
                    "NamespaceTerminating",
                    f"namespace {name} is being terminated",
                    "metadata.namespace",
                )
            ],
        )

    return admit


def refuse_deletion(write: Write, name: str) -> None:
    """Refuse to delete a namespace that the server needs.

    Raises:
        ForbiddenError: It is default, kube-public or kube-system.
    """
    resource_type = write.resource_type
    if resource_type.kind == "Namespace" and not resource_type.group and name in _IMMORTAL:
        raise forbidden(resource_type, name, "this namespace may not be deleted")


def created_with(server: ApiServer) -> AdmissionHook:
    """Return the hook that adds to new volumes, claims, nodes and ingresses what they need.

    Volumes and claims get the finalizer that protects them while in use, nodes the taint that
    keeps pods away until they are ready, claims and ingresses the default class of their kind.
    """

    def admit(write: Write, manifest: Manifest) -> None:
        if write.before is not None:
            return
        kind = write.resource_type.group_kind
        finalizer = _FINALIZERS.get(kind)
        if finalizer is not None:
            finalizers = manifest["metadata"].setdefault("finalizers", [])
            if finalizer not in finalizers:
                finalizers.append(finalizer)
            if kind.kind == "PersistentVolumeClaim":
                _give_storage_class(server, manifest)
        elif kind == Kind("", "Node"):
            taints = manifest.setdefault("spec", {}).setdefault("taints", [])
            if _NOT_READY not in taints:
                taints.append(dict(_NOT_READY))
        elif kind == Kind("networking.k8s.io", "Ingress"):
            _give_class(server, manifest)

    return admit


def _give_class(server: ApiServer, manifest: Manifest) -> None:
    annotations = manifest["metadata"].get("annotations") or {}
    spec = manifest.setdefault("spec", {})
    if spec.get("ingressClassName") is not None or "kubernetes.io/ingress.class" in annotations:
        return
    name = _default_class(server.store.objects(_CLASSES), _DEFAULT_CLASS)
    if name:
        spec["ingressClassName"] = name


def _give_storage_class(server: ApiServer, manifest: Manifest) -> None:
    annotations = manifest["metadata"].get("annotations") or {}
    spec = manifest.setdefault("spec", {})
    if spec.get("storageClassName") is not None or _OLD_STORAGE in annotations:
        return
    name = _default_class(server.store.objects(_STORAGE_CLASSES), _DEFAULT_STORAGE)
    if name:
        spec["storageClassName"] = name


def _default_class(classes: Iterable[Manifest], annotations: tuple[str, ...]) -> str:
    """Return the name of the class that is marked as default, the newest of several."""
    marked = [
        found["metadata"]
        for found in classes
        if any((found["metadata"].get("annotations") or {}).get(a) == "true" for a in annotations)
    ]
    if not marked:
        return ""
    newest = max(m["creationTimestamp"] for m in marked)
    return str(min(m["name"] for m in marked if m["creationTimestamp"] == newest))
