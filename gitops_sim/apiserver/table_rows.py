"""The rows of built-in kinds: their cells in the order of the columns.

Each function takes an object and returns its cells; `ages` turns moments into ages.

Source: k8s.io/kubernetes, pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.apiserver.table_cells import (
    NONE,
    UNSET,
    Ages,
    Row,
    counts,
    cut,
    format_labels,
    format_selector,
    modes,
    name_and_age,
    part,
)
from gitops_sim.apiserver.table_metrics import format_metrics
from gitops_sim.apiserver.table_others import OTHER_ROWS
from gitops_sim.apiserver.table_workloads import WORKLOAD_ROWS
from gitops_sim.types import Manifest

__all__ = ["ROWS", "mark_default_class"]

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def _service(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    ports = ",".join(_service_port(port) for port in spec.get("ports") or ()) or NONE
    address = (spec.get("clusterIPs") or [NONE])[0]
    cells = (spec.get("type", ""), address, _external_ip(manifest), ports)
    return [*name_and_age(manifest, ages, *cells), format_labels(spec.get("selector"))]


def _service_port(port: Manifest) -> str:
    number, protocol = port["port"], port.get("protocol", "TCP")
    return (
        f"{number}:{port['nodePort']}/{protocol}"
        if port.get("nodePort")
        else (f"{number}/{protocol}")
    )


def _external_ip(manifest: Manifest) -> str:
    spec = part(manifest, "spec")
    given = spec.get("externalIPs") or []
    match spec.get("type"):
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case "LoadBalancer":
            return ",".join([*_balancer_addresses(manifest), *given]) or "<pending>"
    return ",".join(given) or NONE


def _balancer_addresses(manifest: Manifest) -> list[str]:
    listed = part(manifest, "status", "loadBalancer").get("ingress") or ()
    return sorted({i.get("ip") or i.get("hostname", "") for i in listed} - {""})


def _ingress(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    rules = spec.get("rules") or ()
    hosts = [rule["host"] for rule in rules if rule.get("host")]
    text = cut(hosts, unset="*")
    return name_and_age(
        manifest,
        ages,
        spec.get("ingressClassName") or NONE,
        text,
        ",".join(_balancer_addresses(manifest)),
        "80, 443" if spec.get("tls") else "80",
    )


def _ingress_class(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    told = NONE
    if spec.get("parameters"):
        chosen = spec["parameters"]
        group = f".{chosen['apiGroup']}" if chosen.get("apiGroup") else ""
        told = f"{chosen['kind']}{group}/{chosen['name']}"
    cells = name_and_age(manifest, ages, spec.get("controller", ""), told)
    return [_default_name(manifest, "ingressclass.kubernetes.io/is-default-class"), *cells[1:]]


def _default_name(manifest: Manifest, annotation: str) -> str:
    name = str(manifest["metadata"]["name"])
    return f"{name} (default)" if _is_default(manifest, annotation) else name


def _is_default(manifest: Manifest, annotation: str) -> bool:
    return bool(part(manifest["metadata"], "annotations").get(annotation) == "true")


def _endpoints(manifest: Manifest, ages: Ages) -> list[Any]:
    found = []
    for subset in manifest.get("subsets") or ():
        for port in subset.get("ports") or [{}]:
            suffix = f":{port['port']}" if port.get("port") else ""
            found += [f"{a['ip']}{suffix}" for a in subset.get("addresses") or ()]
    return name_and_age(manifest, ages, cut(found, unset=NONE))


def _endpoint_slice(manifest: Manifest, ages: Ages) -> list[Any]:
    ports = [str(p.get("port") or p.get("name") or "*") for p in manifest.get("ports") or ()]
    addresses = [a for e in manifest.get("endpoints") or () for a in e.get("addresses") or ()]
    return name_and_age(manifest, ages, manifest.get("addressType", ""), cut(ports), cut(addresses))


def _namespace(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, part(manifest, "status").get("phase", ""))


def _secret(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, manifest.get("type", ""), len(manifest.get("data") or ()))


def _config_map(manifest: Manifest, ages: Ages) -> list[Any]:
    entries = len(manifest.get("data") or ()) + len(manifest.get("binaryData") or ())
    return name_and_age(manifest, ages, entries)


def _node(manifest: Manifest, ages: Ages) -> list[Any]:
    status, spec = part(manifest, "status"), part(manifest, "spec")
    ready = [c for c in status.get("conditions") or () if c["type"] == "Ready"]
    words = [("" if ready[0].get("status") == "True" else "Not") + "Ready"] if ready else []
    words = words or ["Unknown"]
    if spec.get("unschedulable"):
        words.append("SchedulingDisabled")
    info = part(status, "nodeInfo")
    kernel = info.get("kernelVersion") or "<unknown>"
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    return [
        *name_and_age(manifest, ages, ",".join(words), _node_roles(manifest)),
        info.get("kubeletVersion", ""),
        _node_address(status, "InternalIP"),
        _node_address(status, "ExternalIP"),
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _node_roles(manifest: Manifest) -> str:
    prefix, roles = "node-role.kubernetes.io/", set()
    for key, value in part(manifest["metadata"], "labels").items():
        if key.startswith(prefix):
            roles.add(key.removeprefix(prefix))
        elif key == "kubernetes.io/role":
            roles.add(value)
    return ",".join(sorted(roles - {""})) or NONE


def _node_address(status: Manifest, kind: str) -> str:
    listed = status.get("addresses") or ()
    return next((str(a["address"]) for a in listed if a["type"] == kind), NONE)


def _volume(manifest: Manifest, ages: Ages) -> list[Any]:
    spec, status = part(manifest, "spec"), part(manifest, "status")
    claim = spec.get("claimRef")
    return [
        manifest["metadata"]["name"],
        str(part(spec, "capacity").get("storage", "0")),
        modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(manifest),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
        status.get("reason", ""),
        ages(manifest["metadata"].get("creationTimestamp")),
        spec.get("volumeMode") or UNSET,
    ]


def _volume_claim(manifest: Manifest, ages: Ages) -> list[Any]:
    spec, status = part(manifest, "spec"), part(manifest, "status")
    volume = spec.get("volumeName", "")
    cells = name_and_age(
        manifest,
        ages,
        _phase(manifest),
        volume,
        str(part(status, "capacity").get("storage", "0")) if volume else "",
        modes(status.get("accessModes")) if volume else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
    )
    return [*cells, spec.get("volumeMode") or UNSET]


def _phase(manifest: Manifest) -> str:
    if manifest["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return str(part(manifest, "status").get("phase", ""))


def _event(manifest: Manifest, ages: Ages) -> list[Any]:
    first = ages(manifest.get("firstTimestamp") or manifest.get("eventTime"))
    last = ages(manifest["lastTimestamp"]) if manifest.get("lastTimestamp") else first
    count = manifest.get("count") or 1
    if manifest.get("series"):
        last = ages(manifest["series"].get("lastObservedTime"))
        count = manifest["series"].get("count", 0)
    about = part(manifest, "involvedObject")
    source = part(manifest, "source")
    told = [
        source.get("component") or manifest.get("reportingComponent", ""),
        source.get("host") or manifest.get("reportingInstance", ""),
    ]
    return [
        last,
        manifest.get("type", ""),
        manifest.get("reason", ""),
        "/".join(p for p in (about.get("kind", "").lower(), about.get("name", "")) if p),
        about.get("fieldPath", ""),
        ", ".join(word for word in told if word),
        manifest.get("message", "").strip(),
        first,
        int(count),
        manifest["metadata"]["name"],
    ]


def _role_binding(manifest: Manifest, ages: Ages) -> list[Any]:
    role = manifest["roleRef"]
    subjects = manifest.get("subjects") or ()
    users, groups = ([s["name"] for s in subjects if s["kind"] == k] for k in ("User", "Group"))
    accounts = [
        f"{s.get('namespace', '')}/{s['name']}" for s in subjects if s["kind"] == "ServiceAccount"
    ]
    cells = name_and_age(manifest, ages, f"{role['kind']}/{role['name']}")
    return [*cells, *(", ".join(names) for names in (users, groups, accounts))]


def _autoscaler(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = manifest["spec"]
    target, least = spec["scaleTargetRef"], spec.get("minReplicas")
    return name_and_age(
        manifest,
        ages,
        f"{target['kind']}/{target['name']}",
        format_metrics(manifest),
        UNSET if least is None else str(least),
        int(spec.get("maxReplicas", 0)),
        *counts(manifest, "currentReplicas"),
    )


def _network_policy(manifest: Manifest, ages: Ages) -> list[Any]:
    selector = part(manifest, "spec").get("podSelector") or {}
    return name_and_age(manifest, ages, format_selector(selector))


def _storage_class(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(
        manifest,
        ages,
        manifest.get("provisioner", ""),
        manifest.get("reclaimPolicy", "Delete"),
        manifest.get("volumeBindingMode", "Immediate"),
        bool(manifest.get("allowVolumeExpansion")),
    )


def mark_default_class(rows: Sequence[dict[str, Any]], manifests: Sequence[Manifest]) -> None:
    """Mark in the rows of a list the StorageClass that is in effect the default: the newest one."""
    marked = [m["metadata"] for m in manifests if _is_default(m, _DEFAULT_CLASS)]
    if not marked:
        return
    newest = max(metadata.get("creationTimestamp", "") for metadata in marked)
    latest = [m["name"] for m in marked if m.get("creationTimestamp", "") == newest]
    for row in rows:
        if row["cells"][0] == min(latest):
            row["cells"][0] = f"{row['cells'][0]} (default)"


def _lease(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, part(manifest, "spec").get("holderIdentity", ""))


def _controller_revision(manifest: Manifest, ages: Ages) -> list[Any]:
    owners = manifest["metadata"].get("ownerReferences") or ()
    owner = next((o for o in owners if o.get("controller")), None)
    told = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        kind = owner["kind"].lower()
        told = f"{kind}.{group}/{owner['name']}" if group else f"{kind}/{owner['name']}"
    return name_and_age(manifest, ages, told, int(manifest.get("revision", 0)))


def _quota(manifest: Manifest, ages: Ages) -> list[Any]:
    status = part(manifest, "status")
    hard, used = part(status, "hard"), part(status, "used")
    told: dict[bool, list[str]] = {False: [], True: []}
    for name in sorted(hard):
        told[name.startswith("limits.")].append(f"{name}: {used.get(name, 0)}/{hard[name]}")
    return name_and_age(manifest, ages, ", ".join(told[False]), ", ".join(told[True]))


def _priority_class(manifest: Manifest, ages: Ages) -> list[Any]:
    cells = (int(manifest.get("value", 0)), bool(manifest.get("globalDefault")))
    return [*name_and_age(manifest, ages, *cells), manifest.get("preemptionPolicy", "")]


def _policy(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    kind = spec.get("paramKind")
    told = f"{kind['apiVersion']}/{kind['kind']}" if kind else UNSET
    rules = spec.get("validations") or spec.get("mutations") or ()
    return name_and_age(manifest, ages, len(rules), told)


def _policy_binding(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    reference, told = spec.get("paramRef"), UNSET
    if reference and reference.get("name"):
        told = f"{reference.get('namespace') or '*'}/{reference['name']}"
    return name_and_age(manifest, ages, spec.get("policyName", ""), told)


def _webhooks(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, len(manifest.get("webhooks") or ()))


def _flow_schema(manifest: Manifest, ages: Ages) -> list[Any]:
    spec, conditions = part(manifest, "spec"), part(manifest, "status").get("conditions") or ()
    dangling = next((c.get("status") for c in conditions if c["type"] == "Dangling"), "?")
    cells = name_and_age(
        manifest,
        ages,
        part(spec, "priorityLevelConfiguration").get("name", ""),
        int(spec.get("matchingPrecedence", 0)),
        part(spec, "distinguisherMethod").get("type", NONE),
    )
    return [*cells, dangling]


def _priority_level(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    limited = part(spec, "limited")
    queuing = part(limited, "limitResponse", "queuing")
    shares = limited.get("nominalConcurrencyShares", NONE)
    queues = [queuing.get(key, NONE) for key in ("queues", "handSize", "queueLengthLimit")]
    return name_and_age(manifest, ages, spec.get("type", ""), shares, *queues)


def _runtime_class(manifest: Manifest, ages: Ages) -> list[Any]:
    return name_and_age(manifest, ages, manifest.get("handler", ""))


ROWS: dict[str, Row] = {
    **WORKLOAD_ROWS,
    **OTHER_ROWS,
    "/ConfigMap": _config_map,
    "/Endpoints": _endpoints,
    "/Event": _event,
    "/Namespace": _namespace,
    "/Node": _node,
    "/PersistentVolume": _volume,
    "/PersistentVolumeClaim": _volume_claim,
    "/ResourceQuota": _quota,
    "/Secret": _secret,
    "/Service": _service,
    "/ServiceAccount": name_and_age,
    "admissionregistration.k8s.io/MutatingAdmissionPolicy": _policy,
    "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding": _policy_binding,
    "admissionregistration.k8s.io/MutatingWebhookConfiguration": _webhooks,
    "admissionregistration.k8s.io/ValidatingAdmissionPolicy": _policy,
    "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": _policy_binding,
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration": _webhooks,
    "apps/ControllerRevision": _controller_revision,
    "autoscaling/HorizontalPodAutoscaler": _autoscaler,
    "coordination.k8s.io/Lease": _lease,
    "discovery.k8s.io/EndpointSlice": _endpoint_slice,
    "flowcontrol.apiserver.k8s.io/FlowSchema": _flow_schema,
    "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration": _priority_level,
    "networking.k8s.io/Ingress": _ingress,
    "networking.k8s.io/IngressClass": _ingress_class,
    "networking.k8s.io/NetworkPolicy": _network_policy,
    "node.k8s.io/RuntimeClass": _runtime_class,
    "rbac.authorization.k8s.io/ClusterRoleBinding": _role_binding,
    "rbac.authorization.k8s.io/RoleBinding": _role_binding,
    "scheduling.k8s.io/PriorityClass": _priority_class,
    "storage.k8s.io/StorageClass": _storage_class,
}
"""By `group/Kind`; kinds that are not here have a name and the time of their creation."""
