"""The taint eviction controller: deletes pods that do not tolerate a NoExecute taint, in time.

Source: k8s.io/kubernetes, pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from gitops_sim.cluster.controlling import Context, seconds_of, step
from gitops_sim.cluster.nodes.filters import tolerates
from gitops_sim.cluster.ownership import node_of
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["TAINT_EVICTION_WATCHES", "TaintEviction"]


def _pods_on(node: Manifest, caches: Caches) -> Iterable[Request]:
    return [
        Request(pod["metadata"]["namespace"], pod["metadata"]["name"])
        for pod in caches["v1/Pod"].by_index("node", node["metadata"]["name"])
    ]


def _is_about_taints(before: Manifest | None, after: Manifest | None) -> bool:
    if before is None or after is None:
        return True
    return bool(before["spec"].get("taints") != after["spec"].get("taints"))


def _is_about_place(before: Manifest | None, after: Manifest | None) -> bool:
    if before is None or after is None:
        return after is not None
    return any(before["spec"].get(f) != after["spec"].get(f) for f in ("nodeName", "tolerations"))


TAINT_EVICTION_WATCHES = (
    Watched("v1/Pod", predicate=_is_about_place),
    Watched("v1/Node", requests=_pods_on, predicate=_is_about_taints),
)


class TaintEviction:
    """The reconciler; a request is a pod."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock, self._events = context.client, context.clock, context.events
        self._nodes = context.caches["v1/Node"]
        self._pods = context.caches["v1/Pod"]
        self._pods.add_index("node", node_of)
        self._awaited: set[str] = set()

    def __call__(self, request: Request) -> Generator[Any, Any, Result | None]:
        """Delete one pod when its time on its node is over."""
        pod = self._pods.get(request.name, request.namespace)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return None
        uid = pod["metadata"]["uid"]
        node = self._nodes.get(pod["spec"].get("nodeName") or "")
        if node is None:
            return None
        due = self._due(pod, node)
        if math.isinf(due):
            if uid in self._awaited:
                self._awaited.discard(uid)
                text = f"Cancelling deletion of Pod {request.namespace}/{request.name}"
                self._events.event(pod, "Normal", "TaintManagerEviction", text)
            return None
        if due > self._clock.now():
            self._awaited.add(uid)
            return Result(due - self._clock.now())
        self._awaited.discard(uid)
        yield from self._evict(pod)
        return None

    def _due(self, pod: Manifest, node: Manifest) -> float:
        """Return when the pod has to go: the earliest over all taints; infinity: never."""
        due = math.inf
        for taint in (node.get("spec") or {}).get("taints") or ():
            if taint["effect"] == "NoExecute":
                added = seconds_of(self._clock, taint["timeAdded"]) if "timeAdded" in taint else 0
                due = min(due, added + _tolerated_seconds(pod, taint))
        return due

    def _evict(self, pod: Manifest) -> Generator[Any, Any, None]:
        metadata = pod["metadata"]
        place = (metadata["name"], metadata["namespace"])
        condition = {
            "type": "DisruptionTarget",
            "observedGeneration": metadata.get("generation", 1),
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": self._clock.timestamp(),
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
        }
        patch = {"metadata": {"uid": metadata["uid"]}, "status": {"conditions": [condition]}}
        text = f"Marking for deletion Pod {place[1]}/{place[0]}"
        self._events.event(pod, "Normal", "TaintManagerEviction", text)
        try:
            yield step("patch", pod)
            self._client.patch(
                "v1/Pod", place[0], patch, place[1], type="strategic", subresource="status"
            )
            yield step("delete", pod)
            self._client.delete("v1/Pod", *place, uid=metadata["uid"])
        except NotFoundError:
            return  # gone already


def _tolerated_seconds(pod: Manifest, taint: Mapping[str, str]) -> float:
    """Return how long the pod tolerates a taint: 0, some seconds, or for ever."""
    found = [t for t in pod["spec"].get("tolerations") or () if tolerates((t,), taint)]
    if not found:
        return 0.0
    limits = [float(t["tolerationSeconds"]) for t in found if "tolerationSeconds" in t]
    return min(limits, default=math.inf)
