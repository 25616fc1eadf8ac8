"""NetworkPolicies: whether a request leaves its sender, and whether it reaches a pod.

Pods that no policy selects send and take everything; a selected pod sends, or takes, what any of
its policies allows. Users of a Service are a pod too, users from outside are not.

Source: Kubernetes, documentation of NetworkPolicy; k8s.io/api, networking/v1 types.go.
Differs: policies work at once; the look-up of a name is no request that a policy could stop.
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
    """One side of a request, most often who sends it, as a policy sees it.

    Attributes:
        namespace: Where the pod is; empty: outside of the cluster.
        labels: Of the pod.
        address: From which its requests come; empty: it has none yet.
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
    """Say whether a request passes, at its sender and at its target.

    Args:
        policies: NetworkPolicies of all namespaces.
        target: The pod and its port.
        sender: Who sends.
        namespaces: Labels of namespaces by name; one that is not there has its name as label.
    """
    pod, port = target
    metadata = pod["metadata"]
    receiver = Sender(
        metadata["namespace"],
        metadata.get("labels") or {},
        (pod.get("status") or {}).get("podIP") or "",
    )
    found = list(policies)
    coming = _rules(found, receiver, "Ingress")
    if coming is not None and not any(
        _is_among(rule.get("from"), sender, receiver.namespace, namespaces)
        and _is_to(rule, pod, port)
        for rule in coming
    ):
        return False
    going = _rules(found, sender, "Egress") if sender.namespace else None
    return going is None or any(
        _is_among(rule.get("to"), receiver, sender.namespace, namespaces)
        and _is_to(rule, pod, port)
        for rule in going
    )


def _rules(policies: Iterable[Manifest], of: Sender, way: str) -> list[Mapping[str, Any]] | None:
    """Return what policies allow a pod in one direction; None when none says anything."""
    judging = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == of.namespace
        and way in policy["spec"]["policyTypes"]
        and from_label_selector(policy["spec"].get("podSelector") or {}).matches(of.labels)
    ]
    if not judging:
        return None
    return [rule for spec in judging for rule in spec.get(way.lower()) or ()]


def _is_among(
    peers: Iterable[Mapping[str, Any]] | None,
    other: Sender,
    namespace: str,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    """True when a rule's peers, told in a namespace, are everybody or include the other side."""
    if not peers:
        return True
    return any(_is_peer(peer, other, namespace, namespaces) for peer in peers)


def _is_peer(
    peer: Mapping[str, Any],
    other: Sender,
    namespace: str,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    block = peer.get("ipBlock")
    if block is not None:
        if not other.address:
            return False
        address = ip_address(other.address)
        inside = address in ip_network(block["cidr"], strict=False)
        holes = block.get("except") or ()
        return inside and not any(address in ip_network(hole, strict=False) for hole in holes)
    if not other.namespace:
        return False
    of_namespace, of_pod = peer.get("namespaceSelector"), peer.get("podSelector")
    if of_namespace is None:
        if other.namespace != namespace:
            return False
    else:
        default = {"kubernetes.io/metadata.name": other.namespace}
        there = namespaces.get(other.namespace, default)
        if not from_label_selector(of_namespace).matches(there):
            return False
    return of_pod is None or from_label_selector(of_pod).matches(other.labels)


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
