"""Which pods of lower priority have to go so that a pod fits.

Source: k8s.io/kubernetes, pkg/scheduler/framework/preemption and plugins/defaultpreemption.
Differs: PodDisruptionBudgets do not weigh, and rules about pods on other nodes are not looked at
again for each victim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gitops_sim.cluster.nodes.filters import Misfit, misfits
from gitops_sim.cluster.nodes.node_infos import NodeInfos, pod_requests
from gitops_sim.types import Manifest

__all__ = ["NO_VICTIMS", "Plan", "choose", "explain"]

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


class Plan(NamedTuple):
    """Who goes from which node; highest priority first."""

    node: str
    victims: Sequence[Manifest]


def choose(
    pod: Manifest,
    nodes: Sequence[Manifest],
    infos: NodeInfos,
    reasons: Mapping[str, Sequence[Misfit]],
) -> Plan | None:
    """Return the cheapest plan; None when no set of victims helps, or the pod preempts nobody."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return None
    plans = []
    for node in nodes:
        name = node["metadata"]["name"]
        if all(reason.helps_preemption for reason in reasons[name]):
            plan = _plan(pod, node, infos)
            if plan is not None:
                plans.append(plan)
    return min(plans, key=_cost, default=None)


def explain(reasons: Mapping[str, Sequence[Misfit]]) -> dict[str, str]:
    """Return per node why preemption did not help."""
    return {
        name: NO_VICTIMS if all(r.helps_preemption for r in found) else NOT_HELPFUL
        for name, found in reasons.items()
    }


def _plan(pod: Manifest, node: Manifest, infos: NodeInfos) -> Plan | None:
    """Take all lower pods away, then let back who may stay, the highest first."""
    name, priority, wants = node["metadata"]["name"], _priority(pod), pod_requests(pod)
    lower = [p for p in infos[name].pods.values() if _priority(p) < priority]
    lower.sort(key=lambda p: (-_priority(p), (p.get("status") or {}).get("startTime", "")))
    gone = {p["metadata"]["uid"] for p in lower}
    if not lower or any(misfits(pod, wants, node, infos.without(name, gone))):
        return None
    victims = []
    for candidate in lower:
        uid = candidate["metadata"]["uid"]
        gone.discard(uid)
        if any(misfits(pod, wants, node, infos.without(name, gone))):
            gone.add(uid)
            victims.append(candidate)
    return Plan(name, victims)


def _cost(plan: Plan) -> tuple[int, int, int, str]:
    priorities = [_priority(victim) for victim in plan.victims]
    return max(priorities, default=0), sum(priorities), len(priorities), plan.node


def _priority(pod: Manifest) -> int:
    return int(pod["spec"].get("priority") or 0)
