"""Why a pod does not fit a node: one function per rule, in the scheduler's order and words.

Source: k8s.io/kubernetes, pkg/scheduler/framework/plugins (nodeunschedulable, nodename,
tainttoleration, nodeaffinity, nodeports, noderesources).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from gitops_sim.cluster.nodes.node_infos import NodeInfo, allocatable
from gitops_sim.types import Manifest

__all__ = [
    "Misfit",
    "matches_node",
    "matches_node_terms",
    "misfits",
    "tolerates",
    "untolerated",
]


class Misfit(NamedTuple):
    """A reason; `helps_preemption` when the pod could go there if others went away."""

    reason: str
    helps_preemption: bool


def misfits(
    pod: Manifest, wants: Mapping[str, Fraction], node: Manifest, info: NodeInfo
) -> Iterator[Misfit]:
    """Return the reasons of the first rule that a node breaks for a pod, nothing if it fits.

    Rules about pods on other nodes are in `pod_affinity` and `topology_spread`.

    Args:
        pod: Is to be placed.
        wants: What it asks for (`pod_requests`).
        node: Where.
        info: What is there.
    """
    for rule in (_unschedulable, _name, _taints, _affinity, _ports):
        found = list(rule(pod, node, info))
        if found:
            yield from found
            return
    yield from _resources(wants, node, info)


def untolerated(pod: Manifest, node: Manifest, effects: Sequence[str]) -> Mapping[str, str] | None:
    """Return the first taint with one of these effects that a pod does not tolerate."""
    tolerations = pod["spec"].get("tolerations") or ()
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint["effect"] in effects and not tolerates(tolerations, taint):
            found: Mapping[str, str] = taint
            return found
    return None


def tolerates(tolerations: Iterable[Mapping[str, Any]], taint: Mapping[str, str]) -> bool:
    """True when one of the tolerations tolerates a taint."""
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def matches_node_terms(node: Manifest, terms: Iterable[Mapping[str, Any]]) -> bool:
    """True when a node meets one of the nodeSelectorTerms; empty terms match nothing."""
    return any(_matches_term(node, term) for term in terms)


def matches_node(pod: Manifest, node: Manifest) -> bool:
    """True when a node meets a pod's nodeSelector and required node affinity."""
    labels = node["metadata"].get("labels") or {}
    selector = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or matches_node_terms(node, required.get("nodeSelectorTerms") or ())


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def _unschedulable(pod: Manifest, node: Manifest, _: NodeInfo) -> Iterator[Misfit]:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if node["spec"].get("unschedulable") and not tolerates(
        pod["spec"].get("tolerations") or (), taint
    ):
        yield Misfit("node(s) were unschedulable", helps_preemption=False)


def _name(pod: Manifest, node: Manifest, _: NodeInfo) -> Iterator[Misfit]:
    wanted = pod["spec"].get("nodeName")
    if wanted and wanted != node["metadata"]["name"]:
        yield Misfit("node(s) didn't match the requested node name", helps_preemption=False)


def _taints(pod: Manifest, node: Manifest, _: NodeInfo) -> Iterator[Misfit]:
    taint = untolerated(pod, node, ("NoSchedule", "NoExecute"))
    if taint is not None:
        told = f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
        yield Misfit(told, helps_preemption=False)


def _affinity(pod: Manifest, node: Manifest, _: NodeInfo) -> Iterator[Misfit]:
    if not matches_node(pod, node):
        text = "node(s) didn't match Pod's node affinity/selector"
        yield Misfit(text, helps_preemption=False)


def _matches_term(node: Manifest, term: Mapping[str, Any]) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    labels = node["metadata"].get("labels") or {}
    named = {"metadata.name": node["metadata"]["name"]}
    return all(_matches(entry, labels) for entry in expressions) and all(
        _matches(entry, named) for entry in fields
    )


def _matches(entry: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(entry["key"]), list(entry.get("values") or ())
    match entry["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            if value is None or not value.lstrip("-").isdigit():
                return False
            limit = int(values[0])
            return int(value) > limit if operator == "Gt" else int(value) < limit
    return False


def _ports(pod: Manifest, node: Manifest, info: NodeInfo) -> Iterator[Misfit]:
    wanted = _host_ports(pod)
    if wanted and any(wanted & _host_ports(other) for other in info.pods.values()):
        text = "node(s) didn't have free ports for the requested pod ports"
        yield Misfit(text, helps_preemption=True)


def _host_ports(pod: Manifest) -> set[tuple[str, int]]:
    return {
        (port.get("protocol", "TCP"), port["hostPort"])
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("hostPort")
    }


def _resources(wants: Mapping[str, Fraction], node: Manifest, info: NodeInfo) -> Iterator[Misfit]:
    has = allocatable(node)
    if len(info.pods) + 1 > has.get("pods", Fraction(0)):
        yield Misfit("Too many pods", helps_preemption=True)
    for name, amount in sorted(wants.items()):
        if not amount:
            continue
        free = has.get(name, Fraction(0)) - info.requested.get(name, Fraction(0))
        if amount > free:
            could = amount <= has.get(name, Fraction(0))
            yield Misfit(f"Insufficient {name}", helps_preemption=could)
