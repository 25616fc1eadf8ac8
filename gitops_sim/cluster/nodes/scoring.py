"""Which of the nodes that a pod fits is the best: the sum of what each plugin gives, 0 to 100.

Source: k8s.io/kubernetes, pkg/scheduler/framework/plugins (tainttoleration, nodeaffinity,
podtopologyspread, interpodaffinity, noderesources) and apis/config/v1/default_plugins.go.
Differs: among equal nodes the one with the most free cpu and memory is taken, then the first by
name, not a random one; image locality does not weigh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gitops_sim.cluster.nodes.filters import matches_node_terms, tolerates
from gitops_sim.cluster.nodes.fitting import Fitting
from gitops_sim.cluster.nodes.node_infos import (
    NodeInfo,
    pod_requests,
    scored_requests,
    thousandths,
)
from gitops_sim.cluster.nodes.pod_affinity import affinity_scores
from gitops_sim.cluster.nodes.topology_spread import spread_scores
from gitops_sim.types import Manifest

__all__ = ["best_node"]

_BEST = 100
_TAINTS, _AFFINITY, _SPREAD, _NEIGHBOURS = 3, 2, 2, 2
"""What the plugins weigh; resources weigh 1."""


def best_node(fitting: Fitting, nodes: Sequence[Manifest]) -> Manifest:
    """Return the best of the nodes that a pod fits; there must be one."""
    if len(nodes) == 1:
        return nodes[0]
    pod, placed = fitting.pod, fitting.placed
    weighed = [
        (weight, scores)
        for weight, scores in (
            (_TAINTS, _normalized(nodes, lambda node: -_unwelcome(pod, node))),
            (_AFFINITY, _wished_scores(pod, nodes)),
            (_SPREAD, spread_scores(pod, nodes, fitting.nodes, placed)),
            (
                _NEIGHBOURS,
                affinity_scores(pod, nodes, fitting.nodes, placed, fitting.namespaces),
            ),
        )
        if scores is not None
    ]
    wants, asked = scored_requests(pod), pod_requests(pod)
    balances = any(asked.get(name) for name in ("cpu", "memory"))

    def score(node: Manifest) -> tuple[int, float]:
        name = node["metadata"]["name"]
        info = placed[name]
        total, free = _free(wants, node, info)
        if balances:
            total += _balance(wants, node, info)
        return total + sum(weight * scores[name] for weight, scores in weighed), free

    return max(nodes, key=score)


def _normalized(
    nodes: Sequence[Manifest], count: Callable[[Manifest], int]
) -> Mapping[str, int] | None:
    """Bring counts to 0 to 100; counts below zero are bad ones. None when all are zero."""
    counts = {node["metadata"]["name"]: count(node) for node in nodes}
    most = max(abs(found) for found in counts.values())
    if not most:
        return None
    base = _BEST if min(counts.values()) < 0 else 0
    return {
        name: base + _sign(found) * (_BEST * abs(found) // most) for name, found in counts.items()
    }


def _sign(number: int) -> int:
    return -1 if number < 0 else 1


def _unwelcome(pod: Manifest, node: Manifest) -> int:
    """Count the taints that would rather have the pod elsewhere."""
    taints = (node.get("spec") or {}).get("taints") or ()
    tolerations = pod["spec"].get("tolerations") or ()
    return sum(
        taint["effect"] == "PreferNoSchedule" and not tolerates(tolerations, taint)
        for taint in taints
    )


def _wished_scores(pod: Manifest, nodes: Sequence[Manifest]) -> Mapping[str, int] | None:
    """Return what the pod's preferred node affinity gives; None when it has none."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    if not terms:
        return None
    return _normalized(
        nodes,
        lambda node: sum(
            t["weight"] for t in terms if matches_node_terms(node, (t["preference"],))
        ),
    )


def _free(wants: Mapping[str, int], node: Manifest, info: NodeInfo) -> tuple[int, float]:
    """Return what share of cpu and memory would be left (LeastAllocated): scored, and exactly."""
    shares = [1 - used for used in _used(wants, node, info)]
    if not shares:
        return 0, 0.0
    return sum(int(share * _BEST) for share in shares) // len(shares), sum(shares)


def _balance(wants: Mapping[str, int], node: Manifest, info: NodeInfo) -> int:
    """Return how alike the used shares of cpu and memory would be (BalancedAllocation)."""
    shares = _used(wants, node, info)
    return int((1 - (max(shares) - min(shares)) / 2) * _BEST) if shares else 0


def _used(wants: Mapping[str, int], node: Manifest, info: NodeInfo) -> list[float]:
    has = (node.get("status") or {}).get("allocatable") or {}
    shares = []
    for name in ("cpu", "memory"):
        total = thousandths(str(has.get(name, "0")))
        if total:
            used = info.scored.get(name, 0) + wants.get(name, 0)
            shares.append(min(1.0, used / total))
    return shares
