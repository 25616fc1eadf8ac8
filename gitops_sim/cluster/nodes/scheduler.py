"""The scheduler: puts pods on nodes.

A pod without a node is looked at when it comes, and again, at most once a second, when nodes,
claims or other pods changed. It goes to the best of the nodes that it fits; when it fits none, its
condition and an event say why, and pods of lower priority may have to go: then it is nominated for
their node, and nobody of lower priority takes their place.

Source: k8s.io/kubernetes, pkg/scheduler (schedule_one.go) and its default plugins.
Differs: an unschedulable pod is not tried again after 5 minutes without any change; that it still
fits nowhere is told again only when the reasons are others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from gitops_sim.apimachinery import conditions
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.cluster.nodes.fitting import Fitting, Scene, priority_of
from gitops_sim.cluster.nodes.node_infos import NodeInfos
from gitops_sim.cluster.nodes.pod_terms import PodTerms
from gitops_sim.cluster.nodes.preemption import (
    DISRUPTION_REASON,
    Plan,
    explain,
    look_for_victims,
)
from gitops_sim.cluster.nodes.scheduler_events import SchedulerEvents
from gitops_sim.cluster.nodes.scoring import best_node
from gitops_sim.cluster.nodes.volume_binding import SELECTED_NODE, Bindings, Volumes
from gitops_sim.cluster.volume_matching import BY_CONTROLLER, claim_reference
from gitops_sim.errors import ConflictError, NotFoundError
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest, ResourceKey, Result, Step

__all__ = ["NAME", "SCHEDULER_WATCHES", "Scheduler"]

NAME = "default-scheduler"

_WRITE_SECONDS = 0.004
_OVER = ("Succeeded", "Failed")
_REASON = "Unschedulable"
_ALL_WAITING = Request("", "")
"""Asks to look at all pods that wait for a node."""
_AGAIN_SECONDS = 1.0


def _pod_requests(pod: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for a pod that waits; one that goes may make room, one that comes may be waited for."""
    metadata = pod["metadata"]
    if _waits(pod):
        return (Request(metadata["namespace"], metadata["name"]),)
    if not pod["spec"].get("nodeName"):
        return ()
    live = caches["v1/Pod"].get(metadata["name"], metadata["namespace"])
    is_gone = live is None or (live.get("status") or {}).get("phase") in _OVER
    waiting = caches["v1/Pod"].by_index("waiting", "yes" if is_gone else "for others")
    return (_ALL_WAITING,) if waiting else ()


def _is_about_places(before: Manifest | None, after: Manifest | None) -> bool:
    """What a kubelet tells of a pod changes nothing for others, until it is over."""
    if before is None or after is None:
        return True
    if before["spec"] != after["spec"] or _is_over(before) != _is_over(after):
        return True
    old, new = before["metadata"], after["metadata"]
    return any(old.get(name) != new.get(name) for name in ("labels", "deletionTimestamp"))


def _everything_waiting(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    return (_ALL_WAITING,)


def _is_about_fit(before: Manifest | None, after: Manifest | None) -> bool:
    """Heartbeats of a node change nothing for pods."""
    if before is None or after is None:
        return True
    return any(
        before.get(part, {}).get(field) != after.get(part, {}).get(field)
        for part, field in (("metadata", "labels"), ("spec", "taints"), ("status", "allocatable"))
    ) or before["spec"].get("unschedulable") != after["spec"].get("unschedulable")


SCHEDULER_WATCHES = (
    Watched("v1/Pod", requests=_pod_requests, predicate=_is_about_places),
    Watched("v1/Node", requests=_everything_waiting, predicate=_is_about_fit),
    Watched("v1/PersistentVolumeClaim", requests=_everything_waiting),
    Watched("v1/PersistentVolume", requests=_everything_waiting),
    Watched("storage.k8s.io/v1/StorageClass", requests=_everything_waiting),
    Watched("v1/Namespace", requests=lambda manifest, caches: ()),
    Watched("policy/v1/PodDisruptionBudget", requests=lambda manifest, caches: ()),
)


class Scheduler:
    """The reconciler of the scheduler; a request is a pod."""

    def __init__(self, client: Cluster, caches: Caches, clock: Clock) -> None:
        self._client = client
        self._pods, self._nodes = caches["v1/Pod"], caches["v1/Node"]
        self._namespaces = caches["v1/Namespace"]
        self._volumes = Volumes(caches)
        self._budgets = caches["policy/v1/PodDisruptionBudget"]
        self._pods.add_index("waiting", _waiting_for)
        self._infos = NodeInfos(self._pods)
        self._clock = clock
        self._events = SchedulerEvents(client, clock, NAME)
        self._looked_at = -_AGAIN_SECONDS

    def __call__(self, request: Request) -> Generator[Any, Any, Result | None]:
        """Place one pod, or all that wait."""
        if request != _ALL_WAITING:
            pod = self._pods.get(request.name, request.namespace)
            if pod is not None and _waits(pod):
                yield from self._place(pod)
            return None
        waiting = self._pods.by_index("waiting", "yes")
        if not waiting:
            return None
        too_soon = self._looked_at + _AGAIN_SECONDS - self._clock.now()
        if too_soon > 0:
            return Result(too_soon)
        self._looked_at = self._clock.now()
        for pod in sorted(waiting, key=_queue_order):
            metadata = pod["metadata"]
            live = self._pods.get(metadata["name"], metadata["namespace"])
            if live is not None and _waits(live):
                yield from self._place(live)
        return None

    def _place(self, pod: Manifest) -> Generator[Any, Any, None]:
        nodes = self._nodes.list()
        problem = self._problem(pod, nodes)
        if problem:
            yield from self._refuse(pod, problem)
            return
        fitting = self._fitting(pod, nodes)
        reasons = fitting.all_misfits()
        candidates = [node for node in nodes if not reasons[node["metadata"]["name"]]]
        expected = [node for node in candidates if node["metadata"]["name"] == _nominated(pod)]
        candidates = expected or candidates
        if candidates:
            node = best_node(fitting, candidates)
            bindings = self._volumes.unbound(pod, node)
            if bindings is None:
                yield from self._bind(pod, node["metadata"]["name"])
            else:
                yield from self._bind_volumes(bindings, node["metadata"]["name"])
            return
        text = explain(len(nodes), Counter(m.reason for found in reasons.values() for m in found))
        plan, why = look_for_victims(fitting, reasons, self._budgets.list())
        nominated = "" if plan is None else plan.node
        yield from self._refuse(pod, f"{text} preemption: {why}", nominated=nominated)
        if plan is not None:
            yield from self._make_room(pod, plan)

    def _problem(self, pod: Manifest, nodes: Sequence[Manifest]) -> str:
        """Return the words for why the pod can go nowhere at all; empty when nodes decide."""
        if not nodes:
            return "no nodes available to schedule pods"
        problem = self._volumes.problem(pod)
        if not problem:
            return ""
        return f"0/{len(nodes)} nodes are available: {problem}. not found"

    def _fitting(self, pod: Manifest, nodes: Sequence[Manifest]) -> Fitting:
        nominated: dict[str, list[Manifest]] = {}
        for other in self._pods.by_index("waiting", "victims"):
            nominated.setdefault(other["status"]["nominatedNodeName"], []).append(other)
        return Fitting(pod, Scene(nodes, self._infos, self._labels_of, nominated, self._volumes))

    def _labels_of(self, namespace: str) -> Mapping[str, str]:
        found = self._namespaces.get(namespace)
        return {} if found is None else found["metadata"].get("labels") or {}

    def _bind_volumes(self, bindings: Bindings, node: str) -> Generator[Any, Any, None]:
        """Have the claims of a pod bound for a node; the pod goes there when they are."""
        for claim, volume in bindings.reserved:
            if volume["spec"].get("claimRef"):
                continue
            metadata = volume["metadata"]
            notes = {**(metadata.get("annotations") or {}), BY_CONTROLLER: "yes"}
            yield Step("reserve volume", _WRITE_SECONDS, str(ResourceKey.of(volume)))
            with suppress(NotFoundError, ConflictError):
                self._client.update(
                    volume
                    | {"metadata": {**metadata, "annotations": notes}}
                    | {"spec": {**volume["spec"], "claimRef": claim_reference(claim)}}
                )
        for claim in bindings.provisioned:
            metadata = claim["metadata"]
            notes = metadata.get("annotations") or {}
            if notes.get(SELECTED_NODE) == node:
                continue
            yield Step("select node", _WRITE_SECONDS, str(ResourceKey.of(claim)))
            with suppress(NotFoundError, ConflictError):
                changed = {**metadata, "annotations": {**notes, SELECTED_NODE: node}}
                self._client.update(claim | {"metadata": changed})

    def _bind(self, pod: Manifest, node: str) -> Generator[Any, Any, None]:
        metadata = pod["metadata"]
        place = {"name": metadata["name"], "namespace": metadata["namespace"]}
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": place | {"uid": metadata["uid"]},
            "target": {"kind": "Node", "name": node},
        }
        yield Step("bind pod", _WRITE_SECONDS, str(ResourceKey.of(pod)))
        try:
            self._client.create(binding)
        except (NotFoundError, ConflictError):
            return  # gone or placed meanwhile: the cache will tell
        text = f"Successfully assigned {place['namespace']}/{place['name']} to {node}"
        self._events.tell(pod, ("Normal", "Scheduled", "Binding"), text)

    def _refuse(
        self, pod: Manifest, message: str, *, nominated: str = ""
    ) -> Generator[Any, Any, None]:
        """Say why a pod goes nowhere now, and which node it is nominated for."""
        told = conditions.get(pod, "PodScheduled")
        if told is None or (told.reason, told.message) != (_REASON, message):
            self._events.tell(pod, ("Warning", "FailedScheduling", "Scheduling"), message)
        elif nominated == _nominated(pod):
            return
        changed = fresh_copy(pod)
        _set_unscheduled(changed, message, self._clock.timestamp())
        changed["status"].pop("nominatedNodeName", None)
        if nominated:
            changed["status"]["nominatedNodeName"] = nominated
        yield Step("update pod status", _WRITE_SECONDS, str(ResourceKey.of(pod)))
        try:
            self._client.update(changed, subresource="status")
        except NotFoundError:
            return

    def _make_room(self, pod: Manifest, plan: Plan) -> Generator[Any, Any, None]:
        """Let the victims of a plan go, and nobody of lower priority come in their place."""
        for other in self._pods.by_index("waiting", "victims"):
            if _nominated(other) == plan.node and priority_of(other) < priority_of(pod):
                yield from self._change_status(other, {"nominatedNodeName": None})
        uid = pod["metadata"]["uid"]
        for victim in plan.victims:
            metadata = victim["metadata"]
            if "deletionTimestamp" in metadata:
                continue
            yield from self._change_status(victim, _as_target(victim, self._clock.timestamp()))
            yield Step("preempt pod", _WRITE_SECONDS, str(ResourceKey.of(victim)))
            try:
                self._client.delete(
                    "v1/Pod", metadata["name"], metadata["namespace"], uid=metadata["uid"]
                )
            except (NotFoundError, ConflictError):
                continue
            text = f"Preempted by pod {uid} on node {plan.node}"
            self._events.tell(victim, ("Normal", "Preempted", "Preempting"), text)

    def _change_status(self, pod: Manifest, status: Mapping[str, Any]) -> Generator[Any, Any, None]:
        metadata = pod["metadata"]
        yield Step("patch pod status", _WRITE_SECONDS, str(ResourceKey.of(pod)))
        patch = {"metadata": {"uid": metadata["uid"]}, "status": status}
        try:
            self._client.patch(
                "v1/Pod", metadata["name"], patch, metadata["namespace"], subresource="status"
            )
        except (NotFoundError, ConflictError):
            return


def _waits(pod: Manifest) -> bool:
    spec = pod["spec"]
    return (
        not spec.get("nodeName")
        and spec.get("schedulerName", NAME) == NAME
        and not spec.get("schedulingGates")
        and "deletionTimestamp" not in pod["metadata"]
        and not _is_over(pod)
    )


def _waiting_for(pod: Manifest) -> Iterable[str]:
    """Index the pods that wait: all, those that look at other pods, those that made some go."""
    if not _waits(pod):
        return
    yield "yes"
    spec = pod["spec"]
    if spec.get("topologySpreadConstraints") or any(PodTerms.of(pod)):
        yield "for others"
    if _nominated(pod):
        yield "victims"


def _nominated(pod: Manifest) -> str:
    return str((pod.get("status") or {}).get("nominatedNodeName") or "")


def _is_over(pod: Manifest) -> bool:
    return (pod.get("status") or {}).get("phase") in _OVER


def _queue_order(pod: Manifest) -> tuple[int, str, str]:
    metadata = pod["metadata"]
    return -priority_of(pod), metadata["creationTimestamp"], metadata["name"]


def _set_unscheduled(pod: Manifest, message: str, now: str) -> None:
    entries = pod.setdefault("status", {}).setdefault("conditions", [])
    since = now
    for entry in [entry for entry in entries if entry["type"] == "PodScheduled"]:
        if entry["status"] == "False":
            since = entry["lastTransitionTime"]
        entries.remove(entry)
    entries.append(
        {
            "type": "PodScheduled",
            "observedGeneration": pod["metadata"].get("generation", 1),
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": since,
            "reason": _REASON,
            "message": message,
        }
    )


def _as_target(victim: Manifest, now: str) -> Mapping[str, Any]:
    """Return the conditions of a pod that goes to make room for another."""
    status = victim.get("status") or {}
    others = [c for c in status.get("conditions") or () if c["type"] != "DisruptionTarget"]
    told = {
        "type": "DisruptionTarget",
        "observedGeneration": victim["metadata"].get("generation", 1),
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "reason": DISRUPTION_REASON,
        "message": f"{NAME}: preempting to accommodate a higher priority pod",
    }
    return {"conditions": [*others, told]}
