"""Deployments: one ReplicaSet per template, and a roll-out from the old ones to the new.

One reconcile claims the ReplicaSets, finds or makes the one with the present template, and takes
one step: it scales the new one up as far as maxSurge allows, or the old ones down as far as
maxUnavailable allows, those without available pods first. The ReplicaSets' status brings it back
for the next step; when the new one has all, old ones beyond revisionHistoryLimit are deleted.

Source: k8s.io/kubernetes, pkg/controller/deployment (deployment_controller.go, sync.go,
rolling.go, recreate.go).
"""

from __future__ import annotations

from typing import Any

from gitops_sim.cluster.controlling import Context, ControllerSpec, Reconciling, step
from gitops_sim.cluster.ownership import (
    child_requests,
    claim,
    controlled,
    index_orphans,
    is_being_deleted,
    selector_of,
)
from gitops_sim.cluster.workloads.deployment_scaling import Rollout
from gitops_sim.cluster.workloads.deployment_sets import (
    active_sets,
    actual_replicas,
    desired_replicas,
)
from gitops_sim.cluster.workloads.deployment_status import is_complete
from gitops_sim.cluster.workloads.pods import is_finished
from gitops_sim.runtime import Caches, ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest

__all__ = ["DEPLOYMENTS"]

_DEPLOYMENTS, _SETS, _PODS = "apps/v1/Deployment", "apps/v1/ReplicaSet", "v1/Pod"


def _make_reconcile(context: Context) -> ReconcileFunction:
    index_orphans(context.caches[_SETS])
    return lambda request: _reconcile(context, request)


def _reconcile(context: Context, request: Request) -> Reconciling:
    deployment = context.caches[_DEPLOYMENTS].get(request.name, request.namespace)
    if deployment is None:
        return None
    if selector_of(deployment).empty:
        yield from _refuse_selecting_all(context, deployment)
        return None
    sets = yield from claim(context, deployment, _SETS)
    rollout = Rollout(context, deployment, sets)
    if is_being_deleted(deployment):
        yield from rollout.find_sets(create=False)
        return (yield from rollout.write_status())
    yield from rollout.tell_pause()
    if deployment["spec"].get("paused") or _is_scaling(rollout):
        return (yield from rollout.scale())
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return (yield from _recreate(context, rollout))
    return (yield from _rolling_update(rollout))


def _refuse_selecting_all(context: Context, deployment: Manifest) -> Any:
    message = "This deployment is selecting all pods. A non-empty selector is required."
    context.events.event(deployment, "Warning", "SelectingAll", message)
    generation, status = deployment["metadata"]["generation"], deployment.get("status") or {}
    if status.get("observedGeneration", 0) < generation:
        yield step("update status of", deployment)
        context.client.update(
            deployment | {"status": status | {"observedGeneration": generation}},
            subresource="status",
        )


def _is_scaling(rollout: Rollout) -> bool:
    """True when the wanted replicas changed since the ReplicaSets were last scaled."""
    wanted = rollout.deployment["spec"]["replicas"]
    known = (desired_replicas(replica_set) for replica_set in active_sets(rollout.sets))
    return any(desired is not None and desired != wanted for desired in known)


def _rolling_update(rollout: Rollout) -> Reconciling:
    yield from rollout.find_sets(create=True)
    stepped = yield from rollout.grow_new()
    if not stepped:
        stepped = yield from rollout.shrink_old()
    if not stepped and is_complete(rollout.deployment, rollout.deployment.get("status") or {}):
        yield from rollout.clean_up()
    return (yield from rollout.write_rollout_status())


def _recreate(context: Context, rollout: Rollout) -> Reconciling:
    yield from rollout.find_sets(create=False)
    stopped = yield from rollout.stop_old()
    if stopped or _old_pods_run(context, rollout):
        return (yield from rollout.write_rollout_status())
    if rollout.new is None:
        yield from rollout.find_sets(create=True)
    yield from rollout.grow_new()
    if is_complete(rollout.deployment, rollout.deployment.get("status") or {}):
        yield from rollout.clean_up()
    return (yield from rollout.write_rollout_status())


def _old_pods_run(context: Context, rollout: Rollout) -> bool:
    """True while any pod of an old ReplicaSet is there, be it that it is being deleted."""
    if actual_replicas(rollout.old) > 0:
        return True
    pods = context.caches[_PODS]
    return any(
        not is_finished(pod) for replica_set in rollout.old for pod in controlled(pods, replica_set)
    )


def _no_requests(manifest: Manifest, caches: Caches) -> tuple[Request, ...]:
    """A pod's end reaches its Deployment by the status of its ReplicaSet."""
    return ()


DEPLOYMENTS = ControllerSpec(
    "deployment-controller",
    (
        Watched(_DEPLOYMENTS),
        Watched(_SETS, requests=child_requests(_DEPLOYMENTS)),
        Watched(_PODS, requests=_no_requests),
    ),
    _make_reconcile,
)
