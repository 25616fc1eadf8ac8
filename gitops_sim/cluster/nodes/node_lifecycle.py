"""The node lifecycle controller: notices machines that are silent, and taints their nodes.

A node gets its NoSchedule taint at once. The NoExecute taint, by which pods are evicted, is for one
node of a zone in ten seconds; for none, or far fewer, while most of a zone is silent, and for none
while all zones are: then the controller rather doubts its own network.

Source: k8s.io/kubernetes, pkg/controller/nodelifecycle/node_lifecycle_controller.go.
Differs: heartbeats are not stored; a machine that runs is known to beat.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from gitops_sim.apimachinery import conditions
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.cluster.controlling import Context, step
from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.cluster.ownership import node_of
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Condition, Manifest, Result

__all__ = ["NODE_LIFECYCLE_WATCHES", "NodeLifecycle"]

GRACE_SECONDS = 50.0
"""From the last heartbeat to Unknown. Source: --node-monitor-grace-period."""
STARTUP_SECONDS = 60.0
"""From the birth of a node that never told its state. Source: --node-startup-grace-period."""

EVICTION_SECONDS, SLOW_EVICTION_SECONDS = 10.0, 100.0
"""From one node of a zone to the next. Source: --node-eviction-rate, --secondary-…."""
_MONITOR_SECONDS = 5.0
"""From look to look. Source: --node-monitor-period."""
_LARGE, _FEW, _MOST = 50, 2, 0.55
"""Nodes of a large zone; silent nodes that are no outage; their share that is one."""

_NOT_READY = "node.kubernetes.io/not-ready"
_UNREACHABLE = "node.kubernetes.io/unreachable"
_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_OURS = (_NOT_READY, _UNREACHABLE, _UNSCHEDULABLE)
_TOLD_BY_KUBELET = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


def _node_and_silent_ones(node: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for a node; one that falls silent may be the last, which concerns the others."""
    yield Request("", node["metadata"]["name"])
    if _ready(node) != "True":
        for other in caches["v1/Node"].list():
            if _ready(other) != "True":
                yield Request("", other["metadata"]["name"])


NODE_LIFECYCLE_WATCHES = (
    Watched("v1/Node", requests=_node_and_silent_ones),
    Watched("v1/Pod", requests=lambda manifest, caches: ()),
)


class NodeLifecycle:
    """The reconciler; a request is a node."""

    def __init__(self, context: Context, machines: Machines) -> None:
        self._client, self._clock, self._events = context.client, context.clock, context.events
        self._nodes = context.caches["v1/Node"]
        self._pods = context.caches["v1/Pod"]
        self._pods.add_index("node", node_of)
        self._machines = machines
        self._registered: set[str] = set()
        self._evicted: dict[str, float] = {}

    def __call__(self, request: Request) -> Generator[Any, Any, Result | None]:
        """Judge one node by its machine's silence, then taint it by its conditions."""
        node = self._nodes.get(request.name)
        if node is None:
            self._registered.discard(request.name)
            return None
        if request.name not in self._registered:
            self._registered.add(request.name)
            text = f"Node {request.name} event: Registered Node {request.name} in Controller"
            self._events.event(node, "Normal", "RegisteredNode", text)
        due = self._unknown_at(node)
        if due is not None and self._clock.now() < due:
            return Result(due - self._clock.now())
        if due is not None:
            yield from self._mark_unknown(node)
        node = self._nodes.get(request.name) or node
        wait = self._until_eviction(node) if _ready(node) != "True" else 0.0
        yield from self._taint(node, evicts=not wait)
        if _ready(node) != "True":
            yield from self._mark_pods(request.name)
        return Result(wait) if wait else None

    def _unknown_at(self, node: Manifest) -> float | None:
        """Return when nobody knows how a node is doing any more; None: it tells."""
        machine = self._machines.get(node["metadata"]["name"])
        if machine is not None and machine.down_since is not None:
            return machine.down_since + GRACE_SECONDS
        if conditions.get(node, "Ready") is None:
            born = self._clock.parse_time(node["metadata"]["creationTimestamp"])
            return born + STARTUP_SECONDS
        return None

    def _mark_unknown(self, node: Manifest) -> Generator[Any, Any, None]:
        known = conditions.get(node, "Ready")
        if known is not None and known.status == "Unknown":
            return
        why = ("NodeStatusUnknown", "Kubelet stopped posting node status.")
        if known is None:
            why = ("NodeStatusNeverUpdated", "Kubelet never posted node status.")
        changed = fresh_copy(node)
        for type_ in _TOLD_BY_KUBELET:
            unknown = Condition(type_, "Unknown", *why, self._clock.timestamp())
            conditions.set(changed, unknown)
        yield step("update", node)
        self._client.update(changed, subresource="status")
        name = node["metadata"]["name"]
        text = f"Node {name} status is now: NodeNotReady"
        self._events.event(node, "Normal", "NodeNotReady", text)

    def _until_eviction(self, node: Manifest) -> float:
        """Return in how many seconds to look again whether pods go from a silent node; 0: now."""
        nodes = self._nodes.list()
        if all(self._is_silent(other) for other in nodes):
            return _MONITOR_SECONDS
        if any(t["key"] in _OURS and t["effect"] == "NoExecute" for t in _taints_of(node)):
            return 0.0
        zone, now = _zone(node), self._clock.now()
        pace = self._pace([other for other in nodes if _zone(other) == zone])
        if not pace:
            return _MONITOR_SECONDS
        due = self._evicted.get(zone, now - pace) + pace
        if due > now:
            return min(due - now, _MONITOR_SECONDS)
        self._evicted[zone] = now
        return 0.0

    def _pace(self, zone: Sequence[Manifest]) -> float:
        """Return the seconds from one node of a zone to the next; 0: no pods are evicted."""
        silent = sum(self._is_silent(node) for node in zone)
        if _FEW < silent < len(zone) and silent >= _MOST * len(zone):
            return SLOW_EVICTION_SECONDS if len(zone) > _LARGE else 0.0
        return EVICTION_SECONDS

    def _is_silent(self, node: Manifest) -> bool:
        due = self._unknown_at(node)
        return _ready(node) != "True" or (due is not None and due <= self._clock.now())

    def _taint(self, node: Manifest, *, evicts: bool) -> Generator[Any, Any, None]:
        present = _taints_of(node)
        wanted = _wanted_taints(node, self._clock.timestamp(), evicts=evicts)
        if _essence(t for t in present if t["key"] in _OURS) == _essence(wanted):
            return
        known = {(t["key"], t["effect"]): t for t in present}
        kept = [t for t in present if t["key"] not in _OURS]
        ours = [known.get((t["key"], t["effect"]), t) for t in wanted]
        patch = {
            "metadata": {"resourceVersion": node["metadata"]["resourceVersion"]},
            "spec": {"taints": [*kept, *ours] or None},
        }
        yield step("patch", node)
        self._client.patch("v1/Node", node["metadata"]["name"], patch)

    def _mark_pods(self, node: str) -> Generator[Any, Any, None]:
        """Tell of the pods on a silent node that they are not ready: endpoints drop them."""
        for pod in self._pods.by_index("node", node):
            if not conditions.is_true(pod, "Ready"):
                continue
            changed = fresh_copy(pod)
            entry = next(c for c in changed["status"]["conditions"] if c["type"] == "Ready")
            entry |= {"status": "False", "lastTransitionTime": self._clock.timestamp()}
            yield step("update", pod)
            try:
                self._client.update(changed, subresource="status")
            except NotFoundError:
                continue
            self._events.event(pod, "Warning", "NodeNotReady", "Node is not ready")


def _ready(node: Manifest) -> str:
    found = conditions.get(node, "Ready")
    return "Unknown" if found is None else found.status


def _taints_of(node: Manifest) -> list[dict[str, str]]:
    taints: list[dict[str, str]] = (node.get("spec") or {}).get("taints") or []
    return taints


def _zone(node: Manifest) -> str:
    labels = node["metadata"].get("labels") or {}
    return "/".join(labels.get(f"topology.kubernetes.io/{word}", "") for word in ("region", "zone"))


def _wanted_taints(node: Manifest, now: str, *, evicts: bool) -> list[dict[str, str]]:
    taints: list[dict[str, str]] = []
    ready = _ready(node)
    if ready != "True":
        key = _UNREACHABLE if ready == "Unknown" else _NOT_READY
        taints.append({"effect": "NoSchedule", "key": key, "timeAdded": now})
        if evicts:
            taints.append({"effect": "NoExecute", "key": key, "timeAdded": now})
    if (node.get("spec") or {}).get("unschedulable"):
        taints.append({"effect": "NoSchedule", "key": _UNSCHEDULABLE, "timeAdded": now})
    return taints


def _essence(taints: Any) -> Sequence[tuple[str, str]]:
    found: list[Mapping[str, str]] = list(taints)
    return sorted((taint["key"], taint["effect"]) for taint in found)
