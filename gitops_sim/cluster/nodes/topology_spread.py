"""Topology spread: pods that a constraint selects lie evenly over zones, nodes or other domains.

A constraint with `DoNotSchedule` keeps a pod off the nodes whose domain would be too far ahead of
the emptiest one; with `ScheduleAnyway` it makes emptier domains the better ones. A pod of a
ReplicaSet or StatefulSet that has no constraints is spread over nodes and zones anyway.

Source: k8s.io/kubernetes, pkg/scheduler/framework/plugins/podtopologyspread.
Differs: a pod without constraints is spread among the pods of its controller only, not also among
those of its Services.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.apimachinery.labels import Selector, from_label_selector
from gitops_sim.cluster.nodes.filters import Misfit, matches_node, untolerated
from gitops_sim.cluster.nodes.node_infos import Placed
from gitops_sim.types import Manifest

__all__ = ["Spread", "spread_scores"]

_HOST, _ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
_UNSPOKEN = ((_HOST, 3), (_ZONE, 5))
"""Key and maxSkew of the constraints of a pod that has none. Source: plugin.go."""
_SPREAD_OWNERS = ("ReplicaSet", "ReplicationController", "StatefulSet")
_MISMATCH = "node(s) didn't match pod topology spread constraints"
_BEST = 100


@dataclass(frozen=True, slots=True)
class _Constraint:
    key: str
    max_skew: int
    min_domains: int
    honors_affinity: bool
    honors_taints: bool
    selector: Selector

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> _Constraint:
        return cls(
            spec["topologyKey"],
            spec["maxSkew"],
            spec.get("minDomains") or 1,
            spec.get("nodeAffinityPolicy", "Honor") == "Honor",
            spec.get("nodeTaintsPolicy", "Ignore") == "Honor",
            from_label_selector(spec.get("labelSelector")),
        )

    def counts_on(self, pod: Manifest, node: Manifest) -> bool:
        """True when a node counts for the spread of a pod."""
        if self.honors_affinity and not matches_node(pod, node):
            return False
        effects = ("NoSchedule", "NoExecute")
        return not (self.honors_taints and untolerated(pod, node, effects) is not None)

    def selected(self, pod: Manifest, others: Iterable[Manifest]) -> int:
        """Return how many pods of the pod's namespace count, those that go left out."""
        namespace = pod["metadata"]["namespace"]
        return sum(
            self.selector.matches(metadata.get("labels"))
            for metadata in (other["metadata"] for other in others)
            if metadata["namespace"] == namespace and "deletionTimestamp" not in metadata
        )


class Spread:
    """The constraints of one pod that keep it off nodes, with the pods that are in each domain.

    Args:
        pod: Is to be placed.
        nodes: All nodes.
        placed: What is on them.
    """

    def __init__(self, pod: Manifest, nodes: Sequence[Manifest], placed: Placed) -> None:
        self._labels = pod["metadata"].get("labels")
        constraints = _constraints(pod, "DoNotSchedule")
        self._counts = [
            (constraint, _count(constraint, constraints, pod, nodes, placed))
            for constraint in constraints
        ]

    def misfit(self, node: Manifest) -> Misfit | None:
        """Return why the pod may not go to a node; None when the spread allows it."""
        labels = _labels_of(node)
        for constraint, counts in self._counts:
            if constraint.key not in labels:
                text = f"{_MISMATCH} (missing required label)"
                return Misfit(text, helps_preemption=False)
            least = min(counts.values(), default=0)
            if len(counts) < constraint.min_domains:
                least = 0
            own = int(constraint.selector.matches(self._labels))
            if counts.get(labels[constraint.key], 0) + own - least > constraint.max_skew:
                return Misfit(_MISMATCH, helps_preemption=True)
        return None


def spread_scores(
    pod: Manifest, fitting: Sequence[Manifest], nodes: Sequence[Manifest], placed: Placed
) -> Mapping[str, int] | None:
    """Return 0 to 100 for each node that a pod fits, by name; None when spread does not weigh."""
    if pod["spec"].get("topologySpreadConstraints"):
        constraints = _constraints(pod, "ScheduleAnyway")
        return _wished_scores(constraints, pod, fitting, nodes, placed) if constraints else None
    owner = next(
        (
            reference["uid"]
            for reference in pod["metadata"].get("ownerReferences") or ()
            if reference.get("controller") and reference["kind"] in _SPREAD_OWNERS
        ),
        None,
    )
    return None if owner is None else _unspoken_scores(owner, fitting, nodes, placed)


def _constraints(pod: Manifest, action: str) -> list[_Constraint]:
    return [
        _Constraint.read(spec)
        for spec in pod["spec"].get("topologySpreadConstraints") or ()
        if spec["whenUnsatisfiable"] == action
    ]


def _count(
    constraint: _Constraint,
    constraints: Iterable[_Constraint],
    pod: Manifest,
    nodes: Iterable[Manifest],
    placed: Placed,
) -> dict[str, int]:
    """Count the pods that a constraint selects in each domain, of nodes that have all keys."""
    keys = [other.key for other in constraints]
    counts: dict[str, int] = {}
    for node in nodes:
        labels = _labels_of(node)
        if any(key not in labels for key in keys) or not constraint.counts_on(pod, node):
            continue
        others = placed[node["metadata"]["name"]].pods.values()
        domain = labels[constraint.key]
        counts[domain] = counts.get(domain, 0) + constraint.selected(pod, others)
    return counts


def _wished_scores(
    constraints: Sequence[_Constraint],
    pod: Manifest,
    fitting: Sequence[Manifest],
    nodes: Sequence[Manifest],
    placed: Placed,
) -> Mapping[str, int]:
    """Nodes that lack a key of one of the constraints come last."""
    whole = [n for n in fitting if all(c.key in _labels_of(n) for c in constraints)]
    raw = dict.fromkeys((node["metadata"]["name"] for node in whole), 0.0)
    for constraint in constraints:
        key = constraint.key
        counts = {} if key == _HOST else _count(constraint, constraints, pod, nodes, placed)
        weight = _weight(len({_labels_of(node)[key] for node in whole}))
        for node in whole:
            name = node["metadata"]["name"]
            if key == _HOST:
                found = constraint.selected(pod, placed[name].pods.values())
            else:
                found = counts.get(_labels_of(node)[key], 0)
            raw[name] += found * weight + constraint.max_skew - 1
    return {node["metadata"]["name"]: 0 for node in fitting} | _normalized(raw)


def _unspoken_scores(
    owner: str, fitting: Sequence[Manifest], nodes: Sequence[Manifest], placed: Placed
) -> Mapping[str, int]:
    found: dict[str, int] = {}
    zones: dict[str, int] = {}
    for node in nodes:
        name = node["metadata"]["name"]
        found[name] = placed[name].owners.get(owner, 0)
        zone = _labels_of(node).get(_ZONE)
        if zone is not None:
            zones[zone] = zones.get(zone, 0) + found[name]
    raw = dict.fromkeys((node["metadata"]["name"] for node in fitting), 0.0)
    for key, max_skew in _UNSPOKEN:
        weight = _weight(len({_labels_of(n)[key] for n in fitting if key in _labels_of(n)}))
        for node in fitting:
            labels, name = _labels_of(node), node["metadata"]["name"]
            if key in labels:
                count = found[name] if key == _HOST else zones[labels[key]]
                raw[name] += count * weight + max_skew - 1
    return _normalized(raw)


def _weight(domains: int) -> float:
    """Of a domain: the more there are, the more one pod weighs."""
    return math.log(domains + 2)


def _normalized(raw: Mapping[str, float]) -> dict[str, int]:
    """Turn counts, of which few are good, into 0 to 100, of which many are."""
    counts = {name: round(count) for name, count in raw.items()}
    most, least = max(counts.values(), default=0), min(counts.values(), default=0)
    if not most:
        return dict.fromkeys(counts, _BEST)
    return {name: _BEST * (most + least - count) // most for name, count in counts.items()}


def _labels_of(node: Manifest) -> Mapping[str, str]:
    labels: Mapping[str, str] = node["metadata"].get("labels") or {}
    return labels
