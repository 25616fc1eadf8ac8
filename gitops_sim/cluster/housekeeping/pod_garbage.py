"""Pods of nodes that are gone, which no kubelet will ever stop.

Forty seconds after a node went, its pods are marked as failed and deleted at once.

Source: k8s.io/kubernetes, pkg/controller/podgc/gc_controller.go.
Differs: ended pods are kept: a lab never reaches the 12,500 beyond which the oldest are deleted.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    step,
)
from gitops_sim.cluster.ownership import node_of
from gitops_sim.cluster.workloads.pods import is_finished
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Caches, ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["POD_GARBAGE"]

_NODES, _PODS = "v1/Node", "v1/Pod"
_ON_NODE = "node"
_QUARANTINE_SECONDS = 40.0


def _make_reconcile(context: Context) -> ReconcileFunction:
    context.caches[_PODS].add_index(_ON_NODE, node_of)
    missing: dict[str, float] = {}
    return lambda request: _reconcile(context, missing, request)


def _reconcile(context: Context, missing: dict[str, float], request: Request) -> Reconciling:
    """Look at the pods of one node.

    Args:
        context: Of the reconcile.
        missing: Since when nodes were found missing, as far as this life of the controller knows.
        request: The node's name.
    """
    if context.caches[_NODES].get(request.name) is not None:
        missing.pop(request.name, None)
        return None
    pods = context.caches[_PODS].by_index(_ON_NODE, request.name)
    if not pods:
        missing.pop(request.name, None)
        return None
    since = missing.setdefault(request.name, context.clock.now())
    left = since + _QUARANTINE_SECONDS - context.clock.now()
    if left > 0:
        return Result(left)
    for pod in pods:
        yield from _remove(context, pod)
    return None


def _remove(context: Context, pod: Manifest) -> Steps:
    """Mark a pod as failed, unless it has ended, and delete it without grace."""
    metadata = pod["metadata"]
    try:
        if not is_finished(pod):
            yield step("update status of", pod)
            context.client.update(pod | {"status": _failed(context, pod)}, subresource="status")
        yield step("delete", pod)
        context.client.delete(_PODS, metadata["name"], metadata["namespace"], grace_period=0)
    except NotFoundError:
        return


def _failed(context: Context, pod: Manifest) -> Manifest:
    status = pod.get("status") or {}
    others = [c for c in status.get("conditions") or () if c["type"] != "DisruptionTarget"]
    told = {
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": context.clock.timestamp(),
        "reason": "DeletionByPodGC",
        "message": "PodGC: node no longer exists",
    }
    return {**status, "phase": "Failed", "conditions": [*others, told]}


def _node_of_pod(pod: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for a pod's node if that is not there."""
    name = pod["spec"].get("nodeName")
    if name and caches[_NODES].get(name) is None:
        yield Request("", name)


def _comes_or_goes(before: Manifest | None, after: Manifest | None) -> bool:
    return before is None or after is None


POD_GARBAGE = ControllerSpec(
    "pod-garbage-collector-controller",
    (
        Watched(_NODES, predicate=_comes_or_goes),
        Watched(_PODS, requests=_node_of_pod),
    ),
    _make_reconcile,
)
