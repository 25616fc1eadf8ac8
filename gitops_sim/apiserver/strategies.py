"""What is special about kinds: their generation, their first status, what `status` may write.

Source: k8s.io/kubernetes, the strategies in pkg/registry (PrepareForCreate, PrepareForUpdate).
"""

from __future__ import annotations

from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["first_status", "has_generation", "has_status", "keep_other_half", "next_generation"]

_GENERATION = {
    Kind("", "Pod"),
    Kind("", "ReplicationController"),
    Kind("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    Kind("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    Kind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    Kind("apiextensions.k8s.io", "CustomResourceDefinition"),
    Kind("apps", "DaemonSet"),
    Kind("apps", "Deployment"),
    Kind("apps", "ReplicaSet"),
    Kind("apps", "StatefulSet"),
    Kind("batch", "CronJob"),
    Kind("batch", "Job"),
    Kind("discovery.k8s.io", "EndpointSlice"),
    Kind("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    Kind("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    Kind("networking.k8s.io", "Ingress"),
    Kind("networking.k8s.io", "IngressClass"),
    Kind("networking.k8s.io", "NetworkPolicy"),
    Kind("policy", "PodDisruptionBudget"),
}
_FIRST_STATUS: dict[Kind, dict[str, object]] = {
    Kind("", "Namespace"): {"phase": "Active"},
    Kind("", "PersistentVolume"): {"phase": "Pending"},
    Kind("", "PersistentVolumeClaim"): {"phase": "Pending"},
    Kind("", "Pod"): {"phase": "Pending"},
    Kind("", "Service"): {"loadBalancer": {}},
}
_NOT_SPEC = frozenset({"metadata", "status", "apiVersion", "kind"})


def has_status(resource_type: ResourceType) -> bool:
    """True when the status is written only through its subresource."""
    return "status" in resource_type.subresources


def has_generation(resource_type: ResourceType, *, custom: bool) -> bool:
    """True when metadata.generation counts changes of the desired state."""
    return custom or Kind(resource_type.group, resource_type.kind) in _GENERATION


def first_status(resource_type: ResourceType, manifest: Manifest) -> None:
    """Replace the status of a new object by the one that it begins with."""
    kind = Kind(resource_type.group, resource_type.kind)
    if has_status(resource_type):
        manifest.pop("status", None)
        if kind in _FIRST_STATUS:
            manifest["status"] = dict(_FIRST_STATUS[kind])
    if kind == Kind("", "Namespace"):
        manifest.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    if kind == Kind("", "Pod"):
        manifest["status"]["qosClass"] = _qos_class(manifest)


def keep_other_half(
    resource_type: ResourceType, old: Manifest, new: Manifest, subresource: str
) -> None:
    """Undo, in `new`, what a write through this door may not change."""
    if subresource == "status":
        status = new.get("status")
        new.clear()
        new.update(old)
        new["metadata"] = dict(old["metadata"])
        new.pop("status", None)
        if status is not None:
            new["status"] = status
        return
    if has_status(resource_type):
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]


def next_generation(old: Manifest, new: Manifest, resource_type: ResourceType) -> int:
    """Return the generation of an updated object: one more if its desired state changed."""
    generation = int(old["metadata"].get("generation", 1))
    ignored = _NOT_SPEC if has_status(resource_type) else _NOT_SPEC - {"status"}
    for part in old.keys() | new.keys():
        if part not in ignored and old.get(part) != new.get(part):
            return generation + 1
    return generation


def _qos_class(pod: Manifest) -> str:
    """Return Guaranteed, Burstable or BestEffort, by requests and limits of cpu and memory."""
    spec = pod.get("spec") or {}
    containers = [*spec.get("containers", ()), *spec.get("initContainers", ())]
    guaranteed, any_set = True, False
    for container in containers:
        resources = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        for name in ("cpu", "memory"):
            any_set = any_set or name in requests or name in limits
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                guaranteed = False
    if not any_set:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"
