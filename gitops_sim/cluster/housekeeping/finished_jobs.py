"""Jobs that asked for it are deleted some time after they finished.

Source: k8s.io/kubernetes, pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.
"""

from __future__ import annotations

from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    seconds_of,
    step,
)
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.errors import ConflictError, NotFoundError
from gitops_sim.runtime import Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["TTL_AFTER_FINISHED"]

_JOBS = "batch/v1/Job"


def _reconcile(context: Context, request: Request) -> Reconciling:
    job = context.caches[_JOBS].get(request.name, request.namespace)
    if job is None or is_being_deleted(job):
        return None
    ttl, finished = job["spec"].get("ttlSecondsAfterFinished"), _finished_at(job)
    if ttl is None or finished is None:
        return None
    left: float = seconds_of(context.clock, finished) + ttl - context.clock.now()
    if left > 0:
        return Result(left)
    yield step("delete", job)
    try:
        context.client.delete(
            _JOBS,
            request.name,
            request.namespace,
            propagation="Foreground",
            uid=job["metadata"]["uid"],
        )
    except (NotFoundError, ConflictError):
        return None
    return None


def _finished_at(job: Manifest) -> str | None:
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return str(condition["lastTransitionTime"])
    return None


TTL_AFTER_FINISHED = ControllerSpec(
    "ttl-after-finished-controller",
    (Watched(_JOBS),),
    lambda context: lambda request: _reconcile(context, request),
)
