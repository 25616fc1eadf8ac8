"""What is special about kinds: their generation, their first status, what `status` may write.

Source: k8s.io/kubernetes, the strategies in pkg/registry (PrepareForCreate, PrepareForUpdate).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitops_sim.apimachinery import causes
from gitops_sim.apimachinery.field_sets import LEAF, Tree
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.pod_qos import qos_class
from gitops_sim.apimachinery.reset_fields import reset_fields
from gitops_sim.apimachinery.status_errors import invalid
from gitops_sim.apiserver.pod_creation import place_labels, with_label_keys
from gitops_sim.apiserver.pod_parts import POD_PARTS, with_pod_part
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.errors import InvalidError
from gitops_sim.types import Manifest

__all__ = [
    "has_generation",
    "has_status",
    "keep_other_half",
    "next_generation",
    "prepare_kind",
    "refuse_blind_update",
    "reset_of",
]

_GENERATION = {
    Kind("", "Pod"),
    Kind("", "PodTemplate"),
    Kind("", "ReplicationController"),
    Kind("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    Kind("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    Kind("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    Kind("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    Kind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    Kind("apiextensions.k8s.io", "CustomResourceDefinition"),
    Kind("apps", "DaemonSet"),
    Kind("apps", "Deployment"),
    Kind("apps", "ReplicaSet"),
    Kind("apps", "StatefulSet"),
    Kind("autoscaling", "HorizontalPodAutoscaler"),
    Kind("batch", "CronJob"),
    Kind("batch", "Job"),
    Kind("discovery.k8s.io", "EndpointSlice"),
    Kind("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    Kind("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    Kind("networking.k8s.io", "Ingress"),
    Kind("networking.k8s.io", "IngressClass"),
    Kind("networking.k8s.io", "NetworkPolicy"),
    Kind("policy", "PodDisruptionBudget"),
    Kind("resource.k8s.io", "DeviceClass"),
    Kind("resource.k8s.io", "ResourceSlice"),
    Kind("scheduling.k8s.io", "PriorityClass"),
}
_ROLES = frozenset(
    {Kind("rbac.authorization.k8s.io", "Role"), Kind("rbac.authorization.k8s.io", "ClusterRole")}
)
_SLICE = Kind("discovery.k8s.io", "EndpointSlice")
_FIRST_STATUS: dict[Kind, dict[str, object]] = {
    Kind("", "Namespace"): {"phase": "Active"},
    Kind("", "PersistentVolume"): {"phase": "Pending"},
    Kind("", "PersistentVolumeClaim"): {"phase": "Pending"},
    Kind("", "Pod"): {"phase": "Pending"},
}
_CONDITIONAL = frozenset(
    {
        Kind("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
        Kind("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
        Kind("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        Kind("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        Kind("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        Kind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        Kind("apiextensions.k8s.io", "CustomResourceDefinition"),
        Kind("coordination.k8s.io", "Lease"),
        Kind("node.k8s.io", "RuntimeClass"),
        Kind("policy", "PodDisruptionBudget"),
        Kind("storage.k8s.io", "CSIDriver"),
        Kind("storage.k8s.io", "CSINode"),
        Kind("storage.k8s.io", "CSIStorageCapacity"),
        Kind("storage.k8s.io", "VolumeAttachment"),
    }
)
"""Kinds that are only replaced with the resourceVersion that the writer saw."""

_ALL_BUT_STATUS: Tree = {"f:spec": LEAF}
_GATED = "Scheduling is blocked due to non-empty scheduling gates"
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_NOT_SPEC = frozenset({"metadata", "status", "apiVersion", "kind"})


def has_status(resource_type: ResourceType) -> bool:
    """True when the status is written only through its subresource."""
    return "status" in resource_type.subresources


def refuse_blind_update(write: Write, metadata: dict[str, Any], *, custom: bool) -> None:
    """Refuse an update without a resourceVersion of a kind that wants one.

    Raises:
        InvalidError: It has none.
    """
    resource_type = write.resource_type
    kind = resource_type.group_kind
    if metadata.get("resourceVersion") or not (custom or kind in _CONDITIONAL):
        return
    cause = causes.invalid("metadata.resourceVersion", 0, "must be specified for an update")
    error = invalid(resource_type, metadata.get("name", ""), [cause])
    text = error.message.replace(
        f"{resource_type.kind}.{resource_type.group}", resource_type.resource, 1
    )
    raise InvalidError(text, error.details | {"kind": resource_type.plural})


def has_generation(resource_type: ResourceType, *, custom: bool) -> bool:
    """True when metadata.generation counts changes of the desired state."""
    return custom or resource_type.group_kind in _GENERATION


def prepare_kind(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Registry strategy: what some kinds get when they are created or changed; in place.

    On an update only what is replaced is changed, as the rest is shared with the stored object.
    """
    kind = write.resource_type.group_kind
    if kind == Kind("", "PersistentVolumeClaim"):
        _fill_sources(manifest)
    if write.before is None:
        if kind in _FIRST_STATUS:
            manifest["status"] = manifest.get("status", {}) | _FIRST_STATUS[kind]
        prepare = _ON_CREATE.get(kind)
        if prepare is not None:
            prepare(server, manifest)
    elif kind == Kind("apps", "DaemonSet"):
        _count_template(write.before, manifest)
    elif kind == Kind("", "Namespace") and not write.subresource:
        _keep_finalizers(write.before, manifest)
    if kind in _ROLES and manifest.get("rules") == []:
        manifest["rules"] = None  # an empty list does not survive protobuf
    elif kind == _SLICE:
        for member in ("endpoints", "ports"):
            if manifest.get(member) == []:
                manifest[member] = None


def _fill_sources(manifest: Manifest) -> None:
    """Tell the source of a claim in both of its members; nobody owns the other one by that."""
    spec = manifest.get("spec") or {}
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not reference:
        manifest["spec"] = {**spec, "dataSourceRef": dict(source)}
    elif reference and not source and not reference.get("namespace"):
        manifest["spec"] = {**spec, "dataSource": dict(reference)}


def _keep_finalizers(before: Manifest, manifest: Manifest) -> None:
    """Leave the finalizers of a namespace to its subresource `finalize`."""
    spec, old = manifest.get("spec") or {}, before.get("spec") or {}
    if spec.get("finalizers") != old.get("finalizers"):
        manifest["spec"] = old


def _count_template(before: Manifest, manifest: Manifest) -> None:
    """Keep the number of a DaemonSet's template in its annotation: one more with each change."""
    number = int((before["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "1"))
    if before["spec"].get("template") != manifest["spec"].get("template"):
        number += 1
    metadata = manifest["metadata"]
    notes = {**(metadata.get("annotations") or {}), _TEMPLATE_GENERATION: str(number)}
    if notes != metadata.get("annotations"):
        metadata["annotations"] = notes


def _new_namespace(server: ApiServer, manifest: Manifest) -> None:
    finalizers = manifest.setdefault("spec", {}).setdefault("finalizers", [])
    if "kubernetes" not in finalizers:
        finalizers.append("kubernetes")


def _new_pod(server: ApiServer, manifest: Manifest) -> None:
    status, spec = manifest["status"], manifest["spec"]
    status["qosClass"] = qos_class(manifest)
    if spec.get("affinity") or spec.get("topologySpreadConstraints"):
        manifest["spec"] = with_label_keys(manifest)
    places = place_labels(server, spec["nodeName"]) if spec.get("nodeName") else {}
    if places:
        metadata = manifest["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), **places}
    if manifest["spec"].get("schedulingGates"):
        told = {"reason": "SchedulingGated", "message": _GATED, "lastProbeTime": None}
        moment = {"lastTransitionTime": server.clock.timestamp()}
        condition = {"type": "PodScheduled", "status": "False"} | told | moment
        status["conditions"] = [*(status.get("conditions") or ()), condition]


def _new_volume(server: ApiServer, manifest: Manifest) -> None:
    manifest["status"]["lastPhaseTransitionTime"] = server.clock.timestamp()


def _new_job(server: ApiServer, manifest: Manifest) -> None:
    """Select the pods of a new Job by its uid, unless it says that it selects them itself."""
    spec, metadata = manifest["spec"], manifest["metadata"]
    if spec.get("manualSelector"):
        return
    template = spec["template"].setdefault("metadata", {})
    has_own = metadata.get("labels") and metadata["labels"] is not template.get("labels")
    labels = template["labels"] = dict(template.get("labels") or {})
    for prefix in ("", "batch.kubernetes.io/"):
        labels.setdefault(f"{prefix}job-name", metadata.get("name", ""))
        labels.setdefault(f"{prefix}controller-uid", metadata["uid"])
    selector = spec.setdefault("selector", {}).setdefault("matchLabels", {})
    selector.setdefault("batch.kubernetes.io/controller-uid", metadata["uid"])
    if not has_own:
        metadata["labels"] = dict(labels)


_ON_CREATE: dict[Kind, Callable[[ApiServer, Manifest], None]] = {
    Kind("", "Namespace"): _new_namespace,
    Kind("", "PersistentVolume"): _new_volume,
    Kind("", "Pod"): _new_pod,
    Kind("batch", "Job"): _new_job,
}


def reset_of(write: Write, *, custom: bool) -> Tree:
    """Return the fields that a write leaves as they are, by its kind and subresource."""
    if custom and write.subresource == "status":
        return _ALL_BUT_STATUS
    if not write.subresource and not has_status(write.resource_type):
        return LEAF
    return reset_fields(write.resource_type.kind, write.subresource)


def keep_other_half(old: Manifest, new: Manifest, subresource: str, reset: Tree) -> Manifest:
    """Return `new` with what a write through this door may not change as it is in `old`.

    The metadata of the answer is a dict of its own.
    """
    if subresource in POD_PARTS and old["kind"] == "Pod":
        new = with_pod_part(old, new, subresource)
    kept = _restored(old, new, reset)
    if subresource == "status":  # it writes nothing but the status, and some of metadata
        kept = {**old, "metadata": kept["metadata"]} | (
            {"status": kept["status"]} if "status" in kept else {}
        )
        if "status" not in new:
            kept.pop("status", None)
    if reset is _ALL_BUT_STATUS:
        fields = new["metadata"].get("managedFields")
        metadata = {k: v for k, v in old["metadata"].items() if k != "managedFields"}
        kept["metadata"] = metadata if fields is None else metadata | {"managedFields": fields}
    else:
        kept["metadata"] = dict(kept["metadata"])
    return kept


def _restored(old: Manifest, new: Manifest, reset: Tree) -> Manifest:
    restored = dict(new)
    for element, below in reset.items():
        name = element[2:]
        if below:
            restored[name] = _restored(old.get(name) or {}, new.get(name) or {}, below)
        elif name in old:
            restored[name] = old[name]
        else:
            restored.pop(name, None)
    return restored


def next_generation(old: Manifest, new: Manifest, write: Write) -> int:
    """Return the generation of an updated object: one more if its desired state changed."""
    resource_type = write.resource_type
    generation = int(old["metadata"].get("generation", 1))
    if resource_type.kind == "PriorityClass":
        return generation
    ignored = _NOT_SPEC if has_status(resource_type) else _NOT_SPEC - {"status"}
    for part in old.keys() | new.keys():
        if part in ignored or old.get(part) is new.get(part):
            continue
        if old.get(part) != new.get(part):
            return generation + 1
    if resource_type.kind == "EndpointSlice":  # its labels are part of what it says
        labels = [manifest["metadata"].get("labels") or {} for manifest in (old, new)]
        return generation + (labels[0] != labels[1])
    is_deployment = resource_type.kind == "Deployment" and resource_type.group == "apps"
    if is_deployment and not write.subresource:
        notes = [manifest["metadata"].get("annotations") for manifest in (old, new)]
        if (notes[0] or {}) != (notes[1] or {}):
            return generation + 1
    return generation
