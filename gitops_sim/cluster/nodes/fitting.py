"""Whether one pod fits nodes, by all rules: those of the node alone and those about other pods.

Source: k8s.io/kubernetes, pkg/scheduler/framework/runtime (RunFilterPluginsWithNominatedPods).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitops_sim.cluster.nodes.filters import Misfit, misfits
from gitops_sim.cluster.nodes.node_infos import Placed, Supposed, pod_requests
from gitops_sim.cluster.nodes.pod_affinity import Neighbourhood
from gitops_sim.cluster.nodes.pod_terms import Namespaces
from gitops_sim.cluster.nodes.topology_spread import Spread
from gitops_sim.cluster.nodes.volume_binding import Volumes
from gitops_sim.types import Manifest

__all__ = ["Fitting", "Scene", "priority_of"]


def priority_of(pod: Manifest) -> int:
    """Return the priority of a pod."""
    return int(pod["spec"].get("priority") or 0)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a pod is placed into.

    Attributes:
        nodes: All nodes.
        placed: What is on them.
        namespaces: The labels of a namespace.
        nominated: By node, the pods for which others were made to go from there.
        volumes: Claims and volumes.
    """

    nodes: Sequence[Manifest]
    placed: Placed
    namespaces: Namespaces
    nominated: Mapping[str, Sequence[Manifest]]
    volumes: Volumes


class Fitting:
    """Judges nodes for one pod."""

    def __init__(self, pod: Manifest, scene: Scene) -> None:
        self.pod, self.nodes, self.placed = pod, scene.nodes, scene.placed
        self.namespaces = scene.namespaces
        self._volumes = scene.volumes if pod["spec"].get("volumes") else None
        self._wants = pod_requests(pod)
        self._nominated = {
            node: expected
            for node, pods in scene.nominated.items()
            if (expected := [other for other in pods if _comes_before(other, pod)])
        }
        self._others = _Others(pod, scene.nodes, scene.placed, scene.namespaces)

    def all_misfits(self) -> Mapping[str, Sequence[Misfit]]:
        """Return for each node, by name, why the pod does not fit it; nothing when it does."""
        return {node["metadata"]["name"]: self.misfits(node) for node in self.nodes}

    def misfits(self, node: Manifest) -> Sequence[Misfit]:
        """Return why the pod does not fit a node, neither with those that are expected there."""
        return self._misfits(node, self.placed, self._others)

    def misfits_without(self, node: Manifest, gone: frozenset[str]) -> Sequence[Misfit]:
        """Return why the pod would not fit a node even if some pods, told by uid, went."""
        supposed = Supposed(self.placed, node["metadata"]["name"], gone=gone)
        others = _Others(self.pod, self.nodes, supposed, self.namespaces)
        return self._misfits(node, supposed, others)

    def _misfits(self, node: Manifest, placed: Placed, others: _Others) -> Sequence[Misfit]:
        name = node["metadata"]["name"]
        if name in self._nominated:
            fuller = Supposed(placed, name, come=self._nominated[name])
            beside = _Others(self.pod, self.nodes, fuller, self.namespaces)
            found = self._judge(node, fuller, beside)
            if found:
                return found
        return self._judge(node, placed, others)

    def _judge(self, node: Manifest, placed: Placed, others: _Others) -> Sequence[Misfit]:
        info = placed[node["metadata"]["name"]]
        found = list(misfits(self.pod, self._wants, node, info))
        if not found and self._volumes is not None:
            misfit = self._volumes.misfit(self.pod, node)
            found = [] if misfit is None else [misfit]
        return found or others.misfits(node)


class _Others:
    """The rules about other pods, in the order of the scheduler's plugins."""

    def __init__(
        self, pod: Manifest, nodes: Sequence[Manifest], placed: Placed, namespaces: Namespaces
    ) -> None:
        self._spread = Spread(pod, nodes, placed)
        self._neighbourhood = Neighbourhood(pod, nodes, placed, namespaces)

    def misfits(self, node: Manifest) -> Sequence[Misfit]:
        found = self._spread.misfit(node) or self._neighbourhood.misfit(node)
        return () if found is None else (found,)


def _comes_before(other: Manifest, pod: Manifest) -> bool:
    is_other = other["metadata"]["uid"] != pod["metadata"]["uid"]
    return is_other and priority_of(other) >= priority_of(pod)
