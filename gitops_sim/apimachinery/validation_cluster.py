"""Rules of policy: roles and bindings, ingresses, network policies, priorities, leases.

Source: k8s.io/kubernetes, pkg/apis/{rbac,networking,scheduling,coordination}/validation.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_parts import (
    label_selector,
    named,
    port_number,
    supported,
)
from gitops_sim.types import Manifest

__all__ = [
    "binding_causes",
    "binding_update_causes",
    "cluster_role_causes",
    "lease_causes",
    "network_policy_causes",
    "priority_class_causes",
    "priority_class_update_causes",
    "role_causes",
]

_RBAC = "rbac.authorization.k8s.io"
_HIGHEST_PRIORITY = 1_000_000_000
_SYSTEM = ("system-cluster-critical", "system-node-critical")


def role_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a Role."""
    yield from _rule_causes(manifest, namespaced=True)


def cluster_role_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a ClusterRole."""
    yield from _rule_causes(manifest, namespaced=False)
    aggregation = manifest.get("aggregationRule")
    if aggregation is not None and not aggregation.get("clusterRoleSelectors"):
        text = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        yield causes.required("aggregationRule.clusterRoleSelectors", text)


def _rule_causes(manifest: Manifest, *, namespaced: bool) -> Iterator[Cause]:
    for index, rule in enumerate(manifest.get("rules") or ()):
        path = f"rules[{index}]"
        if not rule.get("verbs"):
            yield causes.required(f"{path}.verbs")
        urls = rule.get("nonResourceURLs")
        if urls:
            place = f"{path}.nonResourceURLs"
            if namespaced:
                text = "namespaced rules cannot apply to non-resource URLs"
                yield causes.invalid(place, urls, text)
            if any(rule.get(part) for part in ("apiGroups", "resources", "resourceNames")):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                yield causes.invalid(place, urls, text)
            continue
        if not rule.get("apiGroups"):
            text = "resource rules must supply at least one api group"
            yield causes.required(f"{path}.apiGroups", text)
        if not rule.get("resources"):
            text = "resource rules must supply at least one resource"
            yield causes.required(f"{path}.resources", text)


def binding_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a RoleBinding or ClusterRoleBinding."""
    namespaced = manifest["kind"] == "RoleBinding"
    role = manifest["roleRef"]
    yield from supported(role.get("apiGroup"), "roleRef.apiGroup", (_RBAC,))
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    yield from supported(role.get("kind", ""), "roleRef.kind", kinds)
    if not role.get("name"):
        yield causes.required("roleRef.name")
    for index, subject in enumerate(manifest.get("subjects") or ()):
        yield from _subject_causes(subject, f"subjects[{index}]", namespaced=namespaced)


def _subject_causes(subject: dict[str, Any], path: str, *, namespaced: bool) -> Iterator[Cause]:
    name, kind = subject.get("name", ""), subject.get("kind", "")
    if not name:
        yield causes.required(f"{path}.name")
    if kind == "ServiceAccount":
        if name:
            yield from named(name, f"{path}.name", names.validate_subdomain)
        yield from supported(subject.get("apiGroup") or "", f"{path}.apiGroup", ("",))
        if not namespaced and not subject.get("namespace"):
            yield causes.required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        yield from supported(subject.get("apiGroup", ""), f"{path}.apiGroup", (_RBAC,))
    else:
        kinds = ("ServiceAccount", "User", "Group")
        yield causes.not_supported(f"{path}.kind", kind, kinds)


def binding_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield a change of the role, shown as Go's struct."""
    role = manifest["roleRef"]
    if role != before["roleRef"]:
        shown = {
            "APIGroup": role.get("apiGroup", ""),
            "Kind": role.get("kind", ""),
            "Name": role.get("name", ""),
        }
        yield causes.invalid("roleRef", shown, "field is immutable")


def network_policy_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a NetworkPolicy."""
    spec = manifest["spec"]
    yield from label_selector(spec.get("podSelector"), "spec.podSelector")
    for kind, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(kind) or ()):
            path = f"spec.{kind}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                yield from _policy_port_causes(port, f"{path}.ports[{number}]")
            for number, peer in enumerate(rule.get(peers) or ()):
                yield from _peer_causes(peer, f"{path}.{peers}[{number}]")
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        text = "may not specify more than two policyTypes"
        yield causes.invalid("spec.policyTypes", types, text)
        return
    for index, kind in enumerate(types):
        yield from supported(kind, f"spec.policyTypes[{index}]", ("Ingress", "Egress"))


def _policy_port_causes(port: dict[str, Any], path: str) -> Iterator[Cause]:
    yield from supported(port.get("protocol"), f"{path}.protocol", ("TCP", "UDP", "SCTP"))
    number, end = port.get("port"), port.get("endPort")
    if isinstance(number, int):
        yield from port_number(number, f"{path}.port")
        if end is not None:
            if end < number:
                text = "must be greater than or equal to `port`"
                yield causes.invalid(f"{path}.endPort", end, text)
            yield from port_number(end, f"{path}.endPort")
    elif end is not None:
        why = "non-numeric" if number is not None else "not specified"
        yield causes.invalid(f"{path}.endPort", end, f"may not be specified when `port` is {why}")
    if isinstance(number, str):
        yield from named(number, f"{path}.port", names.validate_port_name)


def _peer_causes(peer: dict[str, Any], path: str) -> Iterator[Cause]:
    for member in ("podSelector", "namespaceSelector"):
        yield from label_selector(peer.get(member), f"{path}.{member}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _block_causes(block, f"{path}.ipBlock")
    if not peer:
        yield causes.required(path, "must specify a peer")
    elif block is not None and len(peer) > 1:
        yield causes.forbidden(path, "may not specify both ipBlock and another peer")


def _block_causes(block: dict[str, Any], path: str) -> Iterator[Cause]:
    if not block.get("cidr"):
        yield causes.required(f"{path}.cidr")
        return
    network = _network(block["cidr"])
    if network is None:
        yield _bad_network(f"{path}.cidr", block["cidr"])
        return
    for index, text in enumerate(block.get("except") or ()):
        place, inner = f"{path}.except[{index}]", _network(text)
        if inner is None:
            yield _bad_network(place, text)
        elif inner.version != network.version or not (
            inner.network_address in network and inner.prefixlen > network.prefixlen
        ):
            yield causes.invalid(place, text, "must be a strict subset of `cidr`")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _bad_network(path: str, text: str) -> Cause:
    return causes.invalid(
        path, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    )


def priority_class_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a PriorityClass."""
    name = manifest["metadata"].get("name", "")
    if name.startswith("system-"):
        if name not in _SYSTEM:
            text = "priority class names with 'system-' prefix are reserved for system use only"
            error = f"error: {name} is not a known system priority class"
            yield causes.forbidden("metadata.name", f"{text}. {error}")
    elif manifest.get("value", 0) > _HIGHEST_PRIORITY:
        text = f"maximum allowed value of a user defined priority is {_HIGHEST_PRIORITY}"
        yield causes.forbidden("value", text)
    words = ("PreemptLowerPriority", "Never")
    yield from supported(manifest.get("preemptionPolicy"), "preemptionPolicy", words)


def priority_class_update_causes(manifest: Manifest, before: Manifest) -> Iterator[Cause]:
    """Yield what an update of a PriorityClass may not change."""
    if manifest.get("value") != before.get("value"):
        yield causes.forbidden("value", "may not be changed in an update.")
    policy = manifest.get("preemptionPolicy")
    if policy != before.get("preemptionPolicy"):
        yield causes.invalid("preemptionPolicy", policy, "field is immutable")


def lease_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a Lease."""
    spec = manifest.get("spec") or {}
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        yield causes.invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    if transitions is not None and transitions < 0:
        text = "must be greater than or equal to 0"
        yield causes.invalid("spec.leaseTransitions", transitions, text)
