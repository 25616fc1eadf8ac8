"""The rows of kinds that are seldom listed: storage drivers, certificates, devices, addresses.

Source: k8s.io/kubernetes, pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apiserver.table_cells import (
    NONE,
    UNSET,
    Ages,
    Row,
    format_labels,
    human_duration,
    name_and_age,
    part,
)
from gitops_sim.types import Manifest

__all__ = ["OTHER_ROWS"]


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def _true_conditions(manifest: Manifest) -> list[str]:
    listed = part(manifest, "status").get("conditions") or ()
    return [entry["type"] for entry in listed if entry.get("status") == "True"]


def _scale(manifest: Manifest, ages: Ages) -> list[Any]:
    desired = part(manifest, "spec").get("replicas", 0)
    return name_and_age(manifest, ages, desired, part(manifest, "status").get("replicas", 0))


def _component_status(manifest: Manifest, _: Ages) -> list[Any]:
    for entry in manifest.get("conditions") or ():
        if entry.get("type") == "Healthy":
            told = "Healthy" if entry.get("status") == "True" else "Unhealthy"
            return [_name(manifest), told, entry.get("message", ""), entry.get("error", "")]
    return [_name(manifest), "Unknown", "", ""]


def _signing_request(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    seconds = spec.get("expirationSeconds")
    return [
        *name_and_age(manifest, ages),
        spec.get("signerName") or NONE,
        spec.get("username", ""),
        NONE if seconds is None else human_duration(seconds),
        _signing_state(manifest),
    ]


def _signing_state(manifest: Manifest) -> str:
    status = part(manifest, "status")
    seen = {entry["type"] for entry in status.get("conditions") or ()}
    state = "Denied" if "Denied" in seen else "Approved" if "Approved" in seen else "Pending"
    failed = ",Failed" if "Failed" in seen else ""
    return state + failed + (",Issued" if status.get("certificate") else "")


def _trust_bundle(manifest: Manifest, _: Ages) -> list[Any]:
    return [_name(manifest), part(manifest, "spec").get("signerName") or NONE]


def _pod_certificate(manifest: Manifest, _: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    names = ("podName", "serviceAccountName", "nodeName", "signerName")
    seen = [entry["type"] for entry in part(manifest, "status").get("conditions") or ()]
    states = [state for state in seen if state in ("Issued", "Denied", "Failed")]
    return [
        _name(manifest),
        *(spec.get(name, "") for name in names),
        states[-1] if states else "Pending",
        format_labels(spec.get("unverifiedUserAnnotations")),
    ]


def _lease_candidate(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    names = ("leaseName", "binaryVersion", "emulationVersion")
    return name_and_age(manifest, ages, *(spec.get(name, "") for name in names))


def _address(manifest: Manifest, ages: Ages) -> list[Any]:
    parent = part(manifest, "spec", "parentRef")
    told = NONE
    if parent:
        group = f".{parent['group']}" if parent.get("group") else ""
        place = (f"{parent.get('resource', '')}{group}".lower(), parent.get("namespace"))
        told = "/".join([*(piece for piece in place if piece), parent.get("name", "")])
    return name_and_age(manifest, ages, told)


def _service_range(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, ",".join(part(manifest, "spec").get("cidrs") or ()))


def _taint_rule(manifest: Manifest, ages: Ages) -> list[Any]:
    taint = part(manifest, "spec", "taint")
    cells = [taint.get(name, "") for name in ("key", "value", "effect")]
    return name_and_age(manifest, ages, *cells, ages(taint.get("timeAdded")))


def _claim(manifest: Manifest, ages: Ages) -> list[Any]:
    status, leaving = part(manifest, "status"), "deletionTimestamp" in manifest["metadata"]
    states = ["deleted"] if leaving else []
    if status.get("allocation"):
        states += ["allocated", *(["reserved"] if status.get("reservedFor") else [])]
    elif not leaving:
        states.append("pending")
    return name_and_age(manifest, ages, ",".join(states))


def _slice(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    names = (spec.get("nodeName", ""), spec.get("driver", ""), part(spec, "pool").get("name", ""))
    return name_and_age(manifest, ages, *names)


def _pod_group(manifest: Manifest, ages: Ages) -> list[Any]:
    conditions = {
        entry["type"]: entry for entry in part(manifest, "status").get("conditions") or ()
    }
    state = "Pending"
    if "PodGroupInitiallyScheduled" in conditions:
        done = conditions["PodGroupInitiallyScheduled"].get("status") == "True"
        state = "Scheduled" if done else "Unschedulable"
    if "DisruptionTarget" in conditions:
        state = conditions["DisruptionTarget"].get("reason", "")
    return name_and_age(manifest, ages, *_group_cells(manifest), state)


def _composite_group(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, *_group_cells(manifest))


def _group_cells(manifest: Manifest) -> list[str]:
    spec = part(manifest, "spec")
    policy = "Gang" if part(spec, "schedulingPolicy").get("gang") is not None else "Basic"
    workload = spec.get("workloadRef")
    return [policy, NONE if workload is None else workload.get("workloadName", "")]


def _driver(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    asked = spec.get("tokenRequests")
    return name_and_age(
        manifest,
        ages,
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        UNSET if asked is None else ",".join(entry.get("audience", "") for entry in asked),
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()) or NONE,
    )


def _driver_node(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, len(part(manifest, "spec").get("drivers") or ()))


def _attachment(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    return name_and_age(
        manifest,
        ages,
        spec.get("attacher", ""),
        part(spec, "source").get("persistentVolumeName", ""),
        spec.get("nodeName", ""),
        part(manifest, "status").get("attached", False),
    )


def _attributes_class(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, manifest.get("driverName", ""))


def _migration(manifest: Manifest, _: Ages) -> list[Any]:
    resource = part(manifest, "spec", "resource")
    group = f".{resource['group']}" if resource.get("group") else ""
    states = [
        name for name in _true_conditions(manifest) if name in ("Running", "Failed", "Succeeded")
    ]
    told = f"{resource.get('resource', '')}{group}"
    return [_name(manifest), told, states[-1] if states else "Unknown"]


OTHER_ROWS: dict[str, Row] = {
    "/ComponentStatus": _component_status,
    "autoscaling/Scale": _scale,
    "certificates.k8s.io/CertificateSigningRequest": _signing_request,
    "certificates.k8s.io/ClusterTrustBundle": _trust_bundle,
    "certificates.k8s.io/PodCertificateRequest": _pod_certificate,
    "coordination.k8s.io/LeaseCandidate": _lease_candidate,
    "networking.k8s.io/IPAddress": _address,
    "networking.k8s.io/ServiceCIDR": _service_range,
    "resource.k8s.io/DeviceClass": name_and_age,
    "resource.k8s.io/DeviceTaintRule": _taint_rule,
    "resource.k8s.io/ResourceClaim": _claim,
    "resource.k8s.io/ResourceClaimTemplate": name_and_age,
    "resource.k8s.io/ResourceSlice": _slice,
    "scheduling.k8s.io/CompositePodGroup": _composite_group,
    "scheduling.k8s.io/PodGroup": _pod_group,
    "scheduling.k8s.io/Workload": name_and_age,
    "storage.k8s.io/CSIDriver": _driver,
    "storage.k8s.io/CSINode": _driver_node,
    "storage.k8s.io/VolumeAttachment": _attachment,
    "storage.k8s.io/VolumeAttributesClass": _attributes_class,
    "storagemigration.k8s.io/StorageVersionMigration": _migration,
}
"""By `group/Kind`."""
