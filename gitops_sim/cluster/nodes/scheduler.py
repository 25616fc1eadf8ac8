"""The scheduler: puts pods on nodes.

A pod without a node is looked at when it comes, and again, at most once a second, when nodes,
claims or other pods changed. It goes to the best of the nodes that it fits; when it fits none, its
condition and an event say why, and pods of lower priority may have to go.

Source: k8s.io/kubernetes, pkg/scheduler (schedule_one.go) and its default plugins.
Differs: no random choice among equal nodes: the first by name is taken; image locality does not
weigh; an unschedulable pod is not tried again after 5 minutes without any change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from gitops_sim.apimachinery import conditions
from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.cluster.nodes import preemption
from gitops_sim.cluster.nodes.filters import Misfit, matches_node_terms, misfits, untolerated
from gitops_sim.cluster.nodes.node_infos import (
    NodeInfo,
    NodeInfos,
    pod_requests,
    scored_requests,
    thousandths,
)
from gitops_sim.cluster.nodes.pod_placement import Placement
from gitops_sim.cluster.nodes.scheduler_events import SchedulerEvents
from gitops_sim.errors import ConflictError, NotFoundError
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest, ResourceKey, Result, Step

__all__ = ["NAME", "SCHEDULER_WATCHES", "Scheduler"]

NAME = "default-scheduler"

_WRITE_SECONDS = 0.004
_OVER = ("Succeeded", "Failed")
_ALL_WAITING = Request("", "")
"""Asks to look at all pods that wait for a node."""
_AGAIN_SECONDS = 1.0


def _pod_requests(pod: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for a pod that waits; one that leaves its node may make room for all that wait."""
    metadata = pod["metadata"]
    if _waits(pod):
        return (Request(metadata["namespace"], metadata["name"]),)
    if not pod["spec"].get("nodeName"):
        return ()
    live = caches["v1/Pod"].get(metadata["name"], metadata["namespace"])
    is_gone = live is None or (live.get("status") or {}).get("phase") in _OVER
    return (_ALL_WAITING,) if is_gone else ()


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
    Watched("v1/Pod", requests=_pod_requests),
    Watched("v1/Node", requests=_everything_waiting, predicate=_is_about_fit),
    Watched("v1/PersistentVolumeClaim", requests=_everything_waiting),
    Watched("v1/Namespace", requests=lambda manifest, caches: ()),
)


class Scheduler:
    """The reconciler of the scheduler; a request is a pod."""

    def __init__(self, client: Cluster, caches: Caches, clock: Clock) -> None:
        self._client = client
        self._pods, self._nodes = caches["v1/Pod"], caches["v1/Node"]
        self._claims, self._namespaces = (
            caches["v1/PersistentVolumeClaim"],
            caches["v1/Namespace"],
        )
        self._pods.add_index("waiting", lambda pod: ("yes",) if _waits(pod) else ())
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
            text = f"0/{len(nodes)} nodes are available: {problem}."
            yield from self._refuse(pod, text + _preemption_text(len(nodes)) if nodes else problem)
            return
        reasons = self._misfits(pod, nodes)
        fitting = [node for node in nodes if not reasons[node["metadata"]["name"]]]
        if fitting:
            wants = scored_requests(pod)
            best = max(fitting, key=lambda node: self._score(pod, wants, node))
            yield from self._bind(pod, best["metadata"]["name"])
            return
        plan = preemption.choose(pod, nodes, self._infos, reasons)
        if plan is not None:
            yield from self._preempt(pod, plan)
        yield from self._refuse(pod, _explain(reasons, preempts=plan is not None))

    def _problem(self, pod: Manifest, nodes: Sequence[Manifest]) -> str:
        """Return why the pod can go nowhere at all; empty when nodes decide."""
        if not nodes:
            return "no nodes available to schedule pods"
        namespace = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes") or ():
            claim_name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if volume.get("ephemeral"):
                claim_name = f"{pod['metadata']['name']}-{volume['name']}"
            if not claim_name:
                continue
            claim = self._claims.get(claim_name, namespace)
            if claim is None:
                return f'persistentvolumeclaim "{claim_name}" not found'
            if "deletionTimestamp" in claim["metadata"]:
                return f'persistentvolumeclaim "{claim_name}" is being deleted'
            if (claim.get("status") or {}).get("phase") != "Bound":
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _misfits(self, pod: Manifest, nodes: Sequence[Manifest]) -> dict[str, Sequence[Misfit]]:
        labels = {
            namespace["metadata"]["name"]: namespace["metadata"].get("labels") or {}
            for namespace in self._namespaces.list()
        }
        placement = Placement(pod, nodes, self._infos, labels)
        wants = pod_requests(pod)
        found: dict[str, Sequence[Misfit]] = {}
        for node in nodes:
            name = node["metadata"]["name"]
            found[name] = list(misfits(pod, wants, node, self._infos[name])) or list(
                placement.misfits(node)
            )
        return found

    def _score(
        self, pod: Manifest, wants: Mapping[str, int], node: Manifest
    ) -> tuple[int, float, int]:
        """Return what makes a node better: wishes, then free share, then few pods of one owner."""
        info = self._infos[node["metadata"]["name"]]
        soft = untolerated(pod, node, ("PreferNoSchedule",))
        wishes = _preferred(pod, node) - (100 if soft is not None else 0)
        return wishes, _free_share(wants, node, info), -_siblings(pod, info)

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
        self, pod: Manifest, message: str, *, reason: str = "Unschedulable"
    ) -> Generator[Any, Any, None]:
        told = conditions.get(pod, "PodScheduled")
        if told is not None and (told.reason, told.message) == (reason, message):
            return
        changed = fresh_copy(pod)
        _set_unscheduled(changed, reason, message, self._clock.timestamp())
        self._events.tell(pod, ("Warning", "FailedScheduling", "Scheduling"), message)
        yield Step("update pod status", _WRITE_SECONDS, str(ResourceKey.of(pod)))
        try:
            self._client.update(changed, subresource="status")
        except NotFoundError:
            return

    def _preempt(self, pod: Manifest, plan: preemption.Plan) -> Generator[Any, Any, None]:
        uid = pod["metadata"]["uid"]
        for victim in plan.victims:
            metadata = victim["metadata"]
            if "deletionTimestamp" in metadata:
                continue
            yield Step("preempt pod", _WRITE_SECONDS, str(ResourceKey.of(victim)))
            try:
                self._client.delete(
                    "v1/Pod", metadata["name"], metadata["namespace"], uid=metadata["uid"]
                )
            except (NotFoundError, ConflictError):
                continue
            text = f"Preempted by pod {uid} on node {plan.node}"
            self._events.tell(victim, ("Normal", "Preempted", "Preempting"), text)


def _waits(pod: Manifest) -> bool:
    spec = pod["spec"]
    return (
        not spec.get("nodeName")
        and spec.get("schedulerName", NAME) == NAME
        and not spec.get("schedulingGates")
        and "deletionTimestamp" not in pod["metadata"]
        and (pod.get("status") or {}).get("phase") not in _OVER
    )


def _queue_order(pod: Manifest) -> tuple[int, str, str]:
    metadata = pod["metadata"]
    priority = int(pod["spec"].get("priority") or 0)
    return -priority, metadata["creationTimestamp"], metadata["name"]


def _explain(reasons: Mapping[str, Sequence[Misfit]], *, preempts: bool) -> str:
    """Return the message of a pod that fits nowhere, worded as the scheduler does."""
    counts = Counter(misfit.reason for found in reasons.values() for misfit in found)
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
    text = f"0/{len(reasons)} nodes are available: {listed}."
    if preempts:
        return text
    why = Counter(preemption.explain(reasons).values())
    helped = ", ".join(sorted(f"{count} {reason}" for reason, count in why.items()))
    return f"{text} preemption: 0/{len(reasons)} nodes are available: {helped}."


def _preemption_text(nodes: int) -> str:
    return f" preemption: 0/{nodes} nodes are available: {nodes} {preemption.NOT_HELPFUL}."


def _set_unscheduled(pod: Manifest, reason: str, message: str, now: str) -> None:
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
            "reason": reason,
            "message": message,
        }
    )


def _preferred(pod: Manifest, node: Manifest) -> int:
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return sum(t["weight"] for t in terms if matches_node_terms(node, (t["preference"],)))


def _free_share(wants: Mapping[str, int], node: Manifest, info: NodeInfo) -> float:
    """Return the free part of cpu and memory, from 0 to 2, that would be left (LeastAllocated)."""
    has = (node.get("status") or {}).get("allocatable") or {}
    share = 0.0
    for name in ("cpu", "memory"):
        total = thousandths(str(has.get(name, "0")))
        if total:
            used = info.scored.get(name, 0) + wants.get(name, 0)
            share += max(0.0, (total - used) / total)
    return share


def _siblings(pod: Manifest, info: NodeInfo) -> int:
    owners = pod["metadata"].get("ownerReferences") or ()
    return sum(info.owners.get(owner["uid"], 0) for owner in owners)
