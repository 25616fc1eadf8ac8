"""Which pods of lower priority have to go so that a pod fits.

Source: k8s.io/kubernetes, pkg/scheduler/framework/preemption and plugins/defaultpreemption.
Differs: every node that could help is looked at, not a tenth of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from gitops_sim.apimachinery.labels import Selector, from_label_selector
from gitops_sim.cluster.nodes.filters import Misfit
from gitops_sim.cluster.nodes.fitting import Fitting, priority_of
from gitops_sim.types import Manifest

__all__ = ["DISRUPTION_REASON", "Outcome", "Plan", "look_for_victims"]

_NOT_HELPFUL = "Preemption is not helpful for scheduling"
DISRUPTION_REASON = "PreemptionByScheduler"
"""Of the condition DisruptionTarget of a victim."""

_NO_VICTIMS = "No preemption victims found for incoming pod"
_NEVER = "9999"
"""After every time that a pod may have started at."""


class Plan(NamedTuple):
    """Who goes from which node; `violations` counts those whose budget does not allow it."""

    node: str
    victims: Sequence[Manifest]
    violations: int


class Outcome(NamedTuple):
    """The plan, or None; and the words for it, or for why there is none."""

    plan: Plan | None
    text: str


def look_for_victims(
    fitting: Fitting,
    reasons: Mapping[str, Sequence[Misfit]],
    budgets: Iterable[Manifest],
) -> Outcome:
    """Return the cheapest plan, if preemption helps, and what is said about it.

    Args:
        fitting: Judges nodes for the pod.
        reasons: Why the pod does not fit each node.
        budgets: All PodDisruptionBudgets.
    """
    pod = fitting.pod
    if pod["spec"].get("preemptionPolicy") == "Never":
        return Outcome(None, "not eligible due to preemptionPolicy=Never.")
    if _waits_for_victims(fitting):
        return Outcome(None, "not eligible due to a terminating pod on the nominated node.")
    allowances = _Allowances(budgets)
    plans: list[Plan] = []
    why: Counter[str] = Counter()
    for node in fitting.nodes:
        found = reasons[node["metadata"]["name"]]
        if not all(reason.helps_preemption for reason in found):
            why[_NOT_HELPFUL] += 1
            continue
        plan = _plan(fitting, node, allowances)
        if isinstance(plan, Plan):
            plans.append(plan)
        else:
            why.update(plan)
    if plans:
        best = _cheapest(plans)
        text = f"found a potential placement for pod on node {best.node}"
        return Outcome(best, f"{text}, preempting {len(best.victims)} victims")
    return Outcome(None, explain(len(fitting.nodes), why))


def explain(nodes: int, why: Mapping[str, int]) -> str:
    """Return the words of the scheduler for why a pod fits no node: each reason with its count."""
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in why.items()))
    return f"0/{nodes} nodes are available: {listed}."


def _waits_for_victims(fitting: Fitting) -> bool:
    """True while pods that the pod made go from its nominated node are still stopping."""
    node = (fitting.pod.get("status") or {}).get("nominatedNodeName")
    if not node:
        return False
    return any(
        "deletionTimestamp" in other["metadata"]
        and priority_of(other) < priority_of(fitting.pod)
        and _was_preempted(other)
        for other in fitting.placed[node].pods.values()
    )


def _was_preempted(pod: Manifest) -> bool:
    return any(
        condition["type"] == "DisruptionTarget" and condition.get("reason") == DISRUPTION_REASON
        for condition in (pod.get("status") or {}).get("conditions") or ()
    )


def _plan(fitting: Fitting, node: Manifest, allowances: _Allowances) -> Plan | list[str]:
    """Take all lower pods away, then let back who may stay: those with a tight budget first.

    Returns:
        A plan, or why no victims would help.
    """
    name, priority = node["metadata"]["name"], priority_of(fitting.pod)
    lower = [p for p in fitting.placed[name].pods.values() if priority_of(p) < priority]
    if not lower:
        return [_NO_VICTIMS]
    gone = {pod["metadata"]["uid"] for pod in lower}
    left = fitting.misfits_without(node, frozenset(gone))
    if left:
        return [misfit.reason for misfit in left]
    tight, free = allowances.split(sorted(lower, key=_importance))
    victims: list[Manifest] = []
    violations = 0
    for place, candidate in enumerate((*tight, *free)):
        uid = candidate["metadata"]["uid"]
        gone.discard(uid)
        if fitting.misfits_without(node, frozenset(gone)):
            gone.add(uid)
            victims.append(candidate)
            violations += place < len(tight)
    return Plan(name, sorted(victims, key=_importance), violations)


class _Allowances:
    """What PodDisruptionBudgets still allow."""

    def __init__(self, budgets: Iterable[Manifest]) -> None:
        self._budgets: list[tuple[Manifest, Selector]] = [
            (budget, from_label_selector(budget["spec"].get("selector"))) for budget in budgets
        ]

    def split(self, pods: Iterable[Manifest]) -> tuple[list[Manifest], list[Manifest]]:
        """Return the pods that their budgets do not let go, and the others."""
        left = [
            (budget.get("status") or {}).get("disruptionsAllowed", 0) for budget, _ in self._budgets
        ]
        tight: list[Manifest] = []
        free: list[Manifest] = []
        for pod in pods:
            violates = False
            for place, (budget, selector) in enumerate(self._budgets):
                if _counts_for(budget, selector, pod):
                    left[place] -= 1
                    violates = violates or left[place] < 0
            (tight if violates else free).append(pod)
        return tight, free


def _counts_for(budget: Manifest, selector: Selector, pod: Manifest) -> bool:
    metadata = pod["metadata"]
    return (
        bool(metadata.get("labels"))
        and metadata["namespace"] == budget["metadata"]["namespace"]
        and not selector.empty
        and selector.matches(metadata["labels"])
        and metadata["name"] not in ((budget.get("status") or {}).get("disruptedPods") or {})
    )


def _importance(pod: Manifest) -> tuple[int, str, str]:
    """Sort pods: those of high priority first, then those that have been running for longest."""
    started = (pod.get("status") or {}).get("startTime", _NEVER)
    return -priority_of(pod), started, pod["metadata"]["name"]


def _cheapest(plans: Iterable[Plan]) -> Plan:
    """Return the plan that hurts least; of equal ones that of the youngest victims."""
    return min(sorted(plans, key=_started, reverse=True), key=_cost)


def _cost(plan: Plan) -> tuple[int, int, int, int]:
    priorities = [priority_of(victim) for victim in plan.victims]
    total = sum(priority + (1 << 31) for priority in priorities)
    return plan.violations, max(priorities, default=0), total, len(priorities)


def _started(plan: Plan) -> str:
    """Return since when the oldest of the most important victims runs."""
    highest = max((priority_of(victim) for victim in plan.victims), default=0)
    most_important = [victim for victim in plan.victims if priority_of(victim) == highest]
    return min(
        ((v.get("status") or {}).get("startTime", _NEVER) for v in most_important), default=""
    )
