"""What the scheduler knows of nodes: which pods are on them, and what those ask for.

Source: k8s.io/kubernetes, pkg/scheduler/framework/types.go (NodeInfo),
k8s.io/component-helpers, resource/helpers.go (PodRequests).
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.cluster.nodes.pod_terms import PodTerms
from gitops_sim.runtime import Informer
from gitops_sim.runtime.informer import CacheChange
from gitops_sim.types import Manifest

__all__ = [
    "NodeInfo",
    "NodeInfos",
    "Placed",
    "Supposed",
    "allocatable",
    "pod_requests",
    "scored_requests",
    "thousandths",
]

_OVER = ("Succeeded", "Failed")
_UNSAID = {"cpu": Fraction(1, 10), "memory": Fraction(200 << 20)}
"""What a container without requests counts for in scores. Source: util/pod_resources.go."""


@dataclass(slots=True)
class NodeInfo:
    """The pods on one node, by uid, and the sum of their requests by resource.

    `scored` is the same in thousandths, with something for containers that ask for nothing;
    `owners` counts the pods by the uids of their owners.
    """

    pods: dict[str, Manifest] = field(default_factory=dict)
    requested: dict[str, Fraction] = field(default_factory=dict)
    scored: dict[str, int] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)


class Placed(Protocol):
    """Which pods are on which nodes: what is so, or what is supposed."""

    @property
    def related(self) -> Mapping[str, Mapping[str, PodTerms]]:
        """By node and uid, the terms of the pods that say something about other pods."""

    def __getitem__(self, node: str) -> NodeInfo:
        """Return what is on a node."""


class NodeInfos:
    """Kept up to date from a cache of pods; finished pods do not count.

    `related` has the placed pods with affinity or anti-affinity, by node and uid.
    """

    def __init__(self, pods: Informer) -> None:
        self.related: dict[str, dict[str, PodTerms]] = {}
        self._infos: dict[str, NodeInfo] = {}
        pods.on_change(self._follow)

    def __getitem__(self, node: str) -> NodeInfo:
        """Return what is on a node; empty for one that nothing is on."""
        found = self._infos.get(node)
        if found is None:
            found = self._infos[node] = NodeInfo()
        return found

    def _follow(self, change: CacheChange) -> None:
        before, after = change
        if before is not None and after is not None and _place(before) == _place(after):
            if _place(after):
                self[_place(after)].pods[after["metadata"]["uid"]] = after
            return
        if before is not None and _place(before):
            self._count(before, -1)
        if after is not None and _place(after):
            self._count(after, 1)

    def _count(self, pod: Manifest, sign: int) -> None:
        info = self[_place(pod)]
        uid = pod["metadata"]["uid"]
        if sign > 0:
            info.pods[uid] = pod
            terms = PodTerms.of(pod)
            if any(terms):
                self.related.setdefault(_place(pod), {})[uid] = terms
        else:
            info.pods.pop(uid, None)
            _drop(self.related, _place(pod), uid)
        for owner in pod["metadata"].get("ownerReferences") or ():
            info.owners[owner["uid"]] = info.owners.get(owner["uid"], 0) + sign
        for name, amount in pod_requests(pod).items():
            info.requested[name] = info.requested.get(name, Fraction(0)) + sign * amount
        for name, thousandths in scored_requests(pod).items():
            info.scored[name] = info.scored.get(name, 0) + sign * thousandths


class Supposed:
    """What would be if some pods of one node went, told by uid, or others came to it."""

    def __init__(
        self,
        placed: Placed,
        node: str,
        *,
        gone: Container[str] = (),
        come: Iterable[Manifest] = (),
    ) -> None:
        self._placed, self._node = placed, node
        self._info = NodeInfo()
        here: dict[str, PodTerms] = {}
        stay = [pod for uid, pod in placed[node].pods.items() if uid not in gone]
        for pod in (*stay, *come):
            uid = pod["metadata"]["uid"]
            self._info.pods[uid] = pod
            _add(self._info.requested, pod_requests(pod))
            terms = PodTerms.of(pod)
            if any(terms):
                here[uid] = terms
        self.related: Mapping[str, Mapping[str, PodTerms]] = {**placed.related, node: here}

    def __getitem__(self, node: str) -> NodeInfo:
        """Return what would be on a node."""
        return self._info if node == self._node else self._placed[node]


def _drop(related: dict[str, dict[str, PodTerms]], node: str, uid: str) -> None:
    here = related.get(node)
    if here is not None and here.pop(uid, None) is not None and not here:
        del related[node]


def _place(pod: Manifest) -> str:
    """Return the node that a pod uses resources of; empty when it uses none."""
    if (pod.get("status") or {}).get("phase") in _OVER:
        return ""
    return str(pod["spec"].get("nodeName") or "")


def pod_requests(pod: Manifest, *, scored: bool = False) -> dict[str, Fraction]:
    """Return what a pod asks for: the sum of its containers, or its largest init container.

    Args:
        pod: A Pod.
        scored: Count something for containers that ask for no cpu or memory.
    """
    spec = pod["spec"]
    sums: dict[str, Fraction] = {}
    for container in spec["containers"]:
        _add(sums, _container_requests(container, scored=scored))
    largest: dict[str, Fraction] = {}
    sidecars: dict[str, Fraction] = {}
    for container in spec.get("initContainers") or ():
        amounts = _container_requests(container, scored=scored)
        if container.get("restartPolicy") == "Always":
            _add(sidecars, amounts)
            amounts = sidecars
        else:
            amounts = dict(amounts)
            _add(amounts, sidecars)
        for name, amount in amounts.items():
            largest[name] = max(largest.get(name, Fraction(0)), amount)
    _add(sums, sidecars)
    for name, amount in largest.items():
        sums[name] = max(sums.get(name, Fraction(0)), amount)
    _add(sums, {name: _parse(value) for name, value in (spec.get("overhead") or {}).items()})
    return sums


def scored_requests(pod: Manifest) -> dict[str, int]:
    """Return what a pod counts for in scores, in thousandths: whole numbers are quicker."""
    requests = pod_requests(pod, scored=True)
    return {name: math.ceil(amount * 1000) for name, amount in requests.items()}


@lru_cache(maxsize=4096)
def thousandths(quantity: str) -> int:
    """Return a quantity in thousandths, rounded down."""
    return math.floor(parse(quantity) * 1000)


def allocatable(node: Manifest) -> dict[str, Fraction]:
    """Return what a node has for pods."""
    status = node.get("status") or {}
    return {name: _parse(value) for name, value in (status.get("allocatable") or {}).items()}


def _container_requests(container: Mapping[str, Any], *, scored: bool) -> dict[str, Fraction]:
    requests = (container.get("resources") or {}).get("requests") or {}
    amounts = {name: _parse(value) for name, value in requests.items()}
    return _UNSAID | amounts if scored else amounts


def _add(sums: dict[str, Fraction], amounts: Mapping[str, Fraction]) -> None:
    for name, amount in amounts.items():
        sums[name] = sums.get(name, Fraction(0)) + amount


@lru_cache(maxsize=4096)
def _parse(quantity: str | float) -> Fraction:
    return parse(quantity)
