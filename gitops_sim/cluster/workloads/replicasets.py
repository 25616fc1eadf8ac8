"""ReplicaSets and ReplicationControllers: as many pods as `spec.replicas` says.

A reconcile claims the pods that the selector matches, counts the active ones, creates what lacks
or deletes what is too much (the least valuable first), and writes into the status what it found
before that; the pods' own changes bring it back.

Source: k8s.io/kubernetes, pkg/controller/replicaset/replica_set.go and replica_set_utils.go.
Differs: creates one pod after the other, not in batches that double; at most 500 in a reconcile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.apimachinery.labels import from_set
from gitops_sim.cluster.controlling import Context, ControllerSpec, Reconciling, step
from gitops_sim.cluster.ownership import (
    child_requests,
    claim,
    controlled,
    index_orphans,
    is_being_deleted,
)
from gitops_sim.cluster.workloads.pods import (
    create_pod,
    delete_pod,
    deletion_order,
    is_active,
    is_finished,
    is_namespace_terminating,
    is_ready,
    pod_from_template,
    seconds_until_available,
    template_name_prefix,
)
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.runtime import ReconcileFunction, Request, Watched, controller_of
from gitops_sim.types import Manifest, Result

__all__ = ["REPLICASETS", "REPLICATION_CONTROLLERS"]

_PODS = "v1/Pod"
_BURST = 500


def _spec(name: str, kind: str, component: str) -> ControllerSpec:
    def make_reconcile(context: Context) -> ReconcileFunction:
        index_orphans(context.caches[_PODS])
        return lambda request: _reconcile(context, kind, request)

    watched = (Watched(kind), Watched(_PODS, requests=child_requests(kind)))
    return ControllerSpec(name, watched, make_reconcile, component=component)


def _reconcile(context: Context, kind: str, request: Request) -> Reconciling:
    owner = context.caches[kind].get(request.name, request.namespace)
    if owner is None:
        return None
    pods = yield from claim(context, owner, _PODS, adopts=is_active)
    active = [pod for pod in pods if is_active(pod)]
    failure: ApiError | None = None
    if not is_being_deleted(owner):
        try:
            yield from _manage(context, kind, owner, active)
        except ApiError as error:
            failure = None if is_namespace_terminating(error) else error
    yield from _write_status(context, owner, pods, failure)
    if failure is not None:
        raise failure
    return _next_look(context, owner, active)


def _manage(context: Context, kind: str, owner: Manifest, active: list[Manifest]) -> Any:
    """Create the pods that lack, or delete those too many."""
    too_many = len(active) - owner["spec"]["replicas"]
    if too_many > 0:
        related = _related_pods(context, kind, owner, active)
        for pod in deletion_order(active, related, context.clock)[: min(too_many, _BURST)]:
            yield from delete_pod(context, owner, pod)
    for _ in range(min(-too_many, _BURST)):
        prefix = template_name_prefix(owner["metadata"]["name"])
        pod = pod_from_template(owner["spec"]["template"], owner, generateName=prefix)
        yield from create_pod(context, owner, pod)


def _related_pods(
    context: Context, kind: str, owner: Manifest, active: Sequence[Manifest]
) -> Sequence[Manifest]:
    """Return the pods of all ReplicaSets of the same Deployment: spread counts over all."""
    above = controller_of(owner)
    if above is None:
        return active
    pods = context.caches[_PODS]
    return [
        pod
        for sibling in context.caches[kind].by_owner(above["uid"])
        for pod in controlled(pods, sibling)
    ]


def _write_status(
    context: Context, owner: Manifest, pods: Sequence[Manifest], failure: ApiError | None
) -> Any:
    status = _status(context, owner, pods, failure)
    if status == owner.get("status"):
        return
    yield step("update status of", owner)
    try:
        context.client.update(owner | {"status": status}, subresource="status")
    except NotFoundError:
        return


def _status(
    context: Context, owner: Manifest, pods: Sequence[Manifest], failure: ApiError | None
) -> Manifest:
    spec, old = owner["spec"], owner.get("status") or {}
    active = [pod for pod in pods if is_active(pod)]
    labels = from_set((spec["template"].get("metadata") or {}).get("labels"))
    min_ready = spec.get("minReadySeconds", 0)
    counts = {
        "fullyLabeledReplicas": sum(labels.matches(p["metadata"].get("labels")) for p in active),
        "readyReplicas": sum(is_ready(pod) for pod in active),
        "availableReplicas": sum(
            seconds_until_available(pod, min_ready, context.clock) == 0.0 for pod in active
        ),
    }
    status: Manifest = {"replicas": len(active)}
    status |= {name: count for name, count in counts.items() if count}
    if owner["kind"] == "ReplicaSet":
        status["terminatingReplicas"] = sum(
            is_being_deleted(pod) and not is_finished(pod) for pod in pods
        )
    status["observedGeneration"] = owner["metadata"]["generation"]
    conditions = _conditions(context, old, len(active) - spec["replicas"], failure)
    if conditions:
        status["conditions"] = conditions
    return status


def _conditions(
    context: Context, old: Manifest, too_many: int, failure: ApiError | None
) -> list[Any]:
    """Return the conditions: ReplicaFailure while pods cannot be created or deleted."""
    conditions = list(old.get("conditions") or ())
    failing = any(condition["type"] == "ReplicaFailure" for condition in conditions)
    if failure is None:
        return [condition for condition in conditions if condition["type"] != "ReplicaFailure"]
    if not failing:
        conditions.append(
            {
                "type": "ReplicaFailure",
                "status": "True",
                "lastTransitionTime": context.clock.timestamp(),
                "reason": "FailedCreate" if too_many < 0 else "FailedDelete",
                "message": str(failure),
            }
        )
    return conditions


def _next_look(context: Context, owner: Manifest, active: Sequence[Manifest]) -> Result | None:
    """Come back when the next ready pod has been ready for minReadySeconds."""
    min_ready = owner["spec"].get("minReadySeconds", 0)
    waits = (seconds_until_available(pod, min_ready, context.clock) for pod in active)
    soonest = min((wait for wait in waits if wait), default=None)
    return Result(soonest) if soonest else None


REPLICASETS = _spec("replicaset-controller", "apps/v1/ReplicaSet", "replicaset-controller")
REPLICATION_CONTROLLERS = _spec(
    "replicationcontroller-controller", "v1/ReplicationController", "replication-controller"
)
