"""NetworkPolicies: whether a request reaches a pod.

Pods that no policy selects take everything; a selected pod takes what any of its policies allows.

Source: Kubernetes, documentation of NetworkPolicy; k8s.io/api, networking/v1 types.go.
Differs: ingress is judged, egress is not, since users are no pods; policies work at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from gitops_sim.apimachinery.labels import from_label_selector
from gitops_sim.types import Manifest

__all__ = ["INGRESS_CONTROLLER", "OUTSIDE", "Sender", "allows"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a request, as a policy sees it.

    Attributes:
        namespace: Where the sending pod is; empty: outside of the cluster.
        labels: Of the sending pod.
        address: From which requests come.
    """

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = "10.244.0.2"


OUTSIDE = Sender("", {}, "203.0.113.7")
"""Who comes in by a node port or a load balancer."""

INGRESS_CONTROLLER = Sender(
    "ingress-nginx",
    {
        "app.kubernetes.io/component": "controller",
        "app.kubernetes.io/instance": "ingress-nginx",
        "app.kubernetes.io/name": "ingress-nginx",
    },
)
"""Who passes on what comes in by an Ingress, as ingress-nginx is installed."""


def allows(
    policies: Iterable[Manifest],
    target: tuple[Manifest, int],
    sender: Sender,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    """Say whether a request passes.

    Args:
        policies: NetworkPolicies of the pod's namespace.
        target: The pod and its port.
        sender: Who sends.
        namespaces: Labels of namespaces by name; one that is not there has its name as label.
    """
    pod, port = target
    labels = pod["metadata"].get("labels") or {}
    judging = [
        policy["spec"]
        for policy in policies
        if "Ingress" in (policy["spec"].get("policyTypes") or ["Ingress"])
        and from_label_selector(policy["spec"].get("podSelector") or {}).matches(labels)
    ]
    if not judging:
        return True
    rules = [rule for spec in judging for rule in spec.get("ingress") or ()]
    return any(
        _is_from(rule, sender, pod["metadata"]["namespace"], namespaces) and _is_to(rule, pod, port)
        for rule in rules
    )


def _is_from(
    rule: Mapping[str, Any],
    sender: Sender,
    namespace: str,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    peers = rule.get("from")
    if not peers:
        return True
    return any(_is_peer(peer, sender, namespace, namespaces) for peer in peers)


def _is_peer(
    peer: Mapping[str, Any],
    sender: Sender,
    namespace: str,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    block = peer.get("ipBlock")
    if block is not None:
        address = ip_address(sender.address)
        inside = address in ip_network(block["cidr"], strict=False)
        holes = block.get("except") or ()
        return inside and not any(address in ip_network(hole, strict=False) for hole in holes)
    if not sender.namespace:
        return False
    of_namespace, of_pod = peer.get("namespaceSelector"), peer.get("podSelector")
    if of_namespace is None:
        if sender.namespace != namespace:
            return False
    else:
        default = {"kubernetes.io/metadata.name": sender.namespace}
        there = namespaces.get(sender.namespace, default)
        if not from_label_selector(of_namespace).matches(there):
            return False
    return of_pod is None or from_label_selector(of_pod).matches(sender.labels)


def _is_to(rule: Mapping[str, Any], pod: Manifest, port: int) -> bool:
    ports = rule.get("ports")
    if not ports:
        return True
    return any(_is_port(entry, pod, port) for entry in ports)


def _is_port(entry: Mapping[str, Any], pod: Manifest, port: int) -> bool:
    if entry.get("protocol", "TCP") != "TCP":
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return wanted <= port <= int(entry.get("endPort") or wanted)
    return any(
        declared.get("name") == wanted and declared["containerPort"] == port
        for container in pod["spec"]["containers"]
        for declared in container.get("ports") or ()
    )
