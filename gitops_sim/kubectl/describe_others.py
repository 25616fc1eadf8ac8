"""Descriptions of Services, Nodes, Namespaces, ConfigMaps and Secrets.

Source: k8s.io/kubectl pkg/describe/describe.go.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from gitops_sim.apimachinery.quantities import format_like, parse
from gitops_sim.apimachinery.quota_usage import pod_resources
from gitops_sim.apiserver.table_cells import Ages, cut, format_labels
from gitops_sim.errors import ApiError
from gitops_sim.kubectl.describe_text import Page, moment
from gitops_sim.protocols import Reader
from gitops_sim.types import Manifest

__all__ = [
    "describe_config_map",
    "describe_namespace",
    "describe_node",
    "describe_secret",
    "describe_service",
]

_ROLE = "node-role.kubernetes.io/"
_OF_SERVICE = "kubernetes.io/service-name"
_ENDED = ("Succeeded", "Failed")


def describe_config_map(page: Page, live: Manifest) -> None:
    """Write a ConfigMap: its data as they are, the size of what is binary."""
    _names(page, live)
    page.add("")
    _title(page, "Data")
    for key, value in sorted((live.get("data") or {}).items()):
        page.add(f"{key}:")
        page.add("----")
        page.add_lines([line] for line in value.split("\n"))
        page.add("")
    page.add("")
    _title(page, "BinaryData")
    for key, value in sorted((live.get("binaryData") or {}).items()):
        page.add(f"{key}: {len(base64.b64decode(value))} bytes")
    page.add("")


def describe_secret(page: Page, live: Manifest) -> None:
    """Write a Secret: the sizes of its data, never the data."""
    _names(page, live)
    page.add("")
    page.add(f"Type:\t{live.get('type', 'Opaque')}")
    page.add("")
    _title(page, "Data")
    for key, value in sorted((live.get("data") or {}).items()):
        page.add(f"{key}:\t{len(base64.b64decode(value))} bytes")


def describe_service(page: Page, live: Manifest, cluster: Reader) -> None:
    """Write a Service, with the endpoints behind each of its ports."""
    metadata, spec = live["metadata"], live["spec"]
    _names(page, live)
    page.add(f"Selector:\t{format_labels(spec.get('selector'))}")
    page.add(f"Type:\t{spec.get('type', '')}")
    page.add_present("IP Family Policy", spec.get("ipFamilyPolicy"))
    page.add(f"IP Families:\t{','.join(spec.get('ipFamilies') or ()) or '<none>'}")
    page.add(f"IP:\t{spec.get('clusterIP', '')}")
    page.add(f"IPs:\t{','.join(spec.get('clusterIPs') or ()) or '<none>'}")
    page.add_present("External IPs", ",".join(spec.get("externalIPs") or ()))
    page.add_present("Desired LoadBalancer IP", spec.get("loadBalancerIP"))
    page.add_present("External Name", spec.get("externalName"))
    points = ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    page.add_present("LoadBalancer Ingress", ", ".join(map(_balancer, points)))
    labels = f"{_OF_SERVICE}={metadata['name']}"
    slices = cluster.list("discovery.k8s.io/v1/EndpointSlice", metadata["namespace"], labels=labels)
    for port in spec.get("ports") or ():
        name, protocol = port.get("name", ""), port.get("protocol", "TCP")
        shown = name or "<unset>"
        page.add(f"Port:\t{shown}\t{port['port']}/{protocol}")
        page.add(f"TargetPort:\t{port.get('targetPort', port['port'])}/{protocol}")
        page.add_present("AppProtocol", port.get("appProtocol"))
        if port.get("nodePort"):
            page.add(f"NodePort:\t{shown}\t{port['nodePort']}/{protocol}")
        behind = cut(_endpoints(slices, name), unset="" if slices else "<none>")
        page.add(f"Endpoints:\t{behind}")
    page.add(f"Session Affinity:\t{spec.get('sessionAffinity', '')}")
    page.add_present("External Traffic Policy", spec.get("externalTrafficPolicy"))
    page.add_present("Internal Traffic Policy", spec.get("internalTrafficPolicy"))
    page.add_present("HealthCheck NodePort", spec.get("healthCheckNodePort"))
    sources = ",".join(spec.get("loadBalancerSourceRanges") or ())
    page.add_present("LoadBalancer Source Ranges", sources)


def _balancer(point: Mapping[str, Any]) -> str:
    if not point.get("ip"):
        return str(point.get("hostname", ""))
    return f"{point['ip']} ({point['ipMode']})" if point.get("ipMode") else str(point["ip"])


def _endpoints(slices: Iterable[Manifest], name: str) -> list[str]:
    """Return the ready addresses behind a port, as `address:port`."""
    return [
        f"{endpoint['addresses'][0]}:{port['port']}"
        for found in slices
        for port in found.get("ports") or ()
        if port.get("name", "") == name
        for endpoint in found.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready", True)
    ]


def describe_namespace(page: Page, live: Manifest, cluster: Reader) -> None:
    """Write a Namespace, with its quotas and limits."""
    metadata, status = live["metadata"], live.get("status") or {}
    page.add(f"Name:\t{metadata['name']}")
    page.add_labels("Labels", metadata.get("labels"))
    page.add_annotations("Annotations", metadata.get("annotations"))
    page.add(f"Status:\t{status.get('phase', '')}")
    if status.get("conditions"):
        page.add("Conditions:")
        page.add("Type\tStatus\tLastTransitionTime\tReason\tMessage", level=1)
        page.add("----\t------\t------------------\t------\t-------", level=1)
    for entry in status.get("conditions") or ():
        cells = (entry["type"], entry["status"], moment(entry.get("lastTransitionTime")))
        words = (entry.get("reason", ""), entry.get("message", ""))
        page.add("\t".join([*cells, *words]), level=1)
    page.add("")
    quotas = cluster.list("v1/ResourceQuota", metadata["name"])
    page.add("Resource Quotas" if quotas else "No resource quota.")
    for quota in quotas:
        _quota(page, quota)
    page.add("")
    ranges = cluster.list("v1/LimitRange", metadata["name"])
    page.add("Resource Limits" if ranges else "No LimitRange resource.")
    if ranges:
        columns = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit")
        page.add("\t".join([f" {columns[0]}", *columns[1:], "Max Limit/Request Ratio"]))
        rules = [f" {'-' * 4}", *("-" * len(word) for word in columns[1:]), "-" * 23]
        page.add("\t".join(rules))
    for found in ranges:
        page.add_lines(_limits(found))


def _quota(page: Page, quota: Manifest) -> None:
    status = quota.get("status") or {}
    page.add(f"Name:\t{quota['metadata']['name']}", level=1)
    page.add_present("Scopes", ", ".join(sorted(quota["spec"].get("scopes") or ())), level=1)
    page.add("Resource\tUsed\tHard", level=1)
    page.add("--------\t---\t---", level=1)
    for name, hard in sorted((status.get("hard") or {}).items()):
        page.add(f"{name}\t{(status.get('used') or {}).get(name, '0')}\t{hard}", level=1)


def _limits(found: Manifest) -> list[list[str]]:
    parts = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
    lines = []
    for item in (found.get("spec") or {}).get("limits") or ():
        for name in sorted({name for part in parts for name in item.get(part) or ()}):
            cells = [str((item.get(part) or {}).get(name, "-")) for part in parts]
            lines.append([f" {item['type']}", name, *cells])
    return lines


def describe_node(page: Page, live: Manifest, cluster: Reader, now: str) -> None:
    """Write a Node, with the pods on it and what they ask for; `now` is RFC 3339."""
    metadata, spec, status = live["metadata"], live.get("spec") or {}, live.get("status") or {}
    labels = metadata.get("labels") or {}
    page.add(f"Name:\t{metadata['name']}")
    roles = sorted(key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE))
    page.add(f"Roles:\t{','.join(roles) or '<none>'}")
    page.add_labels("Labels", labels)
    page.add_annotations("Annotations", metadata.get("annotations"))
    page.add(f"CreationTimestamp:\t{moment(metadata.get('creationTimestamp'))}")
    taints = sorted(spec.get("taints") or (), key=lambda t: (t["effect"], t["key"]))
    page.add_each("Taints:", [_taint(taint) for taint in taints])
    page.add(f"Unschedulable:\t{str(bool(spec.get('unschedulable'))).lower()}")
    _lease(page, metadata["name"], cluster)
    _node_conditions(page, status.get("conditions") or ())
    page.add("Addresses:")
    for address in status.get("addresses") or ():
        page.add(f"{address['type']}:\t{address['address']}", level=1)
    for title in ("Capacity", "Allocatable"):
        if status.get(title.lower()):
            page.add(f"{title}:")
        for name, amount in sorted((status.get(title.lower()) or {}).items()):
            page.add(f"{name}:\t{amount}", level=1)
    page.add("System Info:")
    for title, member in _SYSTEM:
        page.add(f"{title}:\t{(status.get('nodeInfo') or {}).get(member, '')}", level=1)
    page.add_present("PodCIDR", spec.get("podCIDR"))
    page.add_present("PodCIDRs", ",".join(spec.get("podCIDRs") or ()))
    page.add_present("ProviderID", spec.get("providerID"))
    pods = cluster.list("v1/Pod", fields=f"spec.nodeName={metadata['name']}")
    going = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in _ENDED]
    _usage(page, going, status.get("allocatable") or status.get("capacity") or {}, Ages(now))


_SYSTEM = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)


def _taint(taint: Mapping[str, Any]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


def _lease(page: Page, name: str, cluster: Reader) -> None:
    try:
        spec = cluster.get("coordination.k8s.io/v1/Lease", name, "kube-node-lease")["spec"]
    except ApiError as error:
        page.add(f"Lease:\tFailed to get lease: {error}")
        return
    page.add("Lease:")
    page.add(f"HolderIdentity:\t{spec.get('holderIdentity') or '<unset>'}", level=1)
    for title, member in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        page.add(f"{title}:\t{moment(spec[member]) if spec.get(member) else '<unset>'}", level=1)


def _node_conditions(page: Page, conditions: Sequence[Mapping[str, Any]]) -> None:
    if not conditions:
        return
    times = ("lastHeartbeatTime", "lastTransitionTime")
    page.add("Conditions:")
    page.add("Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage", level=1)
    page.add("----\t------\t-----------------\t------------------\t------\t-------", level=1)
    for entry in conditions:
        cells = [entry["type"], entry["status"], *(moment(entry.get(time)) for time in times)]
        cells += [entry.get("reason", "")]
        page.add("".join(f"{cell} \t" for cell in cells) + str(entry.get("message", "")), level=1)


def _usage(
    page: Page, pods: Sequence[Manifest], allocatable: Mapping[str, Any], ages: Ages
) -> None:
    page.add(f"Non-terminated Pods:\t({len(pods)} in total)")
    titles = ("CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
    page.add("\t".join(("Namespace", "Name", "", *titles)), level=1)
    page.add("\t".join("-" * len(word) for word in ("Namespace", "Name", "", *titles)), level=1)
    total: dict[tuple[str, str], Fraction] = {}
    for pod in pods:
        asked = {part: pod_resources(pod, part) for part in ("requests", "limits")}
        for part, amounts in asked.items():
            for name, amount in amounts.items():
                total[part, name] = total.get((part, name), Fraction(0)) + amount
        cells = [
            _share(asked[part].get(name, Fraction(0)), name, allocatable)
            for name in ("cpu", "memory")
            for part in ("requests", "limits")
        ]
        metadata = pod["metadata"]
        cells = [metadata["namespace"], metadata["name"], "", *cells]
        page.add("\t".join([*cells, ages(metadata.get("creationTimestamp"))]), level=1)
    page.add("Allocated resources:")
    page.add("(Total limits may be over 100 percent, i.e., overcommitted.)", level=1)
    page.add("Resource\tRequests\tLimits", level=1)
    page.add("--------\t--------\t------", level=1)
    for name in ("cpu", "memory", "ephemeral-storage"):
        shares = [
            _share(total.get((part, name), Fraction(0)), name, allocatable)
            for part in ("requests", "limits")
        ]
        page.add("\t".join([name, *shares]), level=1)


def _share(amount: Fraction, name: str, allocatable: Mapping[str, Any]) -> str:
    """Return an amount, and how much of the node it is: `100m (5%)`."""
    whole = parse(allocatable[name]) if name in allocatable else Fraction(0)
    percent = int(amount * 100 / whole) if whole else 0
    return f"{format_like(amount, '1m' if name == 'cpu' else '1Ki')} ({percent}%)"


def _names(page: Page, live: Manifest) -> None:
    metadata = live["metadata"]
    page.add(f"Name:\t{metadata['name']}")
    page.add(f"Namespace:\t{metadata['namespace']}")
    page.add_labels("Labels", metadata.get("labels"))
    page.add_annotations("Annotations", metadata.get("annotations"))


def _title(page: Page, text: str) -> None:
    page.add(text)
    page.add("====")
