"""The TTL controller: tells kubelets how long they may keep Secrets and ConfigMaps that they read.

The more nodes, the longer: it is written on each node as an annotation.

Source: k8s.io/kubernetes, pkg/controller/ttl/ttl_controller.go.
Differs: a change of the cluster's size reaches a node when something of the node changes.
"""

from __future__ import annotations

from gitops_sim.cluster.controlling import Context, ControllerSpec, Reconciling, step
from gitops_sim.runtime import ReconcileFunction, Request, Watched

__all__ = ["NODE_TTL"]

_NODES = "v1/Node"
_ANNOTATION = "node.alpha.kubernetes.io/ttl"
_SECONDS_BY_SIZE = ((100, 0), (500, 15), (1000, 30), (2000, 60))
_MOST_SECONDS = 300


def _make_reconcile(context: Context) -> ReconcileFunction:
    return lambda request: _reconcile(context, request)


def _reconcile(context: Context, request: Request) -> Reconciling:
    node = context.caches[_NODES].get(request.name)
    if node is None:
        return None
    size = len(context.caches[_NODES].list())
    fitting = (seconds for most, seconds in _SECONDS_BY_SIZE if size <= most)
    wanted = str(next(fitting, _MOST_SECONDS))
    if (node["metadata"].get("annotations") or {}).get(_ANNOTATION) == wanted:
        return None
    yield step("patch", node)
    patch = {"metadata": {"annotations": {_ANNOTATION: wanted}}}
    context.client.patch(_NODES, request.name, patch, type="strategic")
    return None


NODE_TTL = ControllerSpec("ttl-controller", (Watched(_NODES),), _make_reconcile)
