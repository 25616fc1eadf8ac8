"""Jobs: pods that run to their end, as often as `spec.completions` says.

Every pod carries a finalizer until the status has counted it, so that none is counted twice or
lost, whenever the controller dies: an ended pod's uid first goes into
`status.uncountedTerminatedPods`, then the finalizer is taken off, then the count is raised.

Source: k8s.io/kubernetes, pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    seconds_of,
    step,
)
from gitops_sim.cluster.ownership import (
    child_requests,
    claim,
    index_orphans,
    is_being_deleted,
)
from gitops_sim.cluster.workloads.job_failures import Verdict, failure_of, success_of
from gitops_sim.cluster.workloads.job_indexes import (
    first_free_indexes,
    index_of,
    is_indexed,
    retries_each_index,
    surplus_by_index,
)
from gitops_sim.cluster.workloads.job_pods import (
    TRACKING,
    backoff_after,
    backoff_left,
    is_tracked,
    job_pod,
    notes_after,
)
from gitops_sim.cluster.workloads.job_status import Tally, condition, is_finished_job
from gitops_sim.cluster.workloads.pods import (
    create_pod,
    delete_pod,
    deletion_order,
    is_active,
)
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.runtime import ReconcileFunction, Request, Watched, controller_of
from gitops_sim.types import Manifest, Result

__all__ = ["JOBS"]

_JOBS, _PODS = "batch/v1/Job", "v1/Pod"
_TRACKED = "tracked"
_OWN = "kubernetes.io/job-controller"
_REACHED = Verdict("CompletionsReached", "Reached expected number of succeeded pods")
_BATCH_SECONDS = 1.0
"""How long changes of pods are gathered. Source: job_controller.go, SyncJobBatchPeriod."""


def _make_reconcile(context: Context) -> ReconcileFunction:
    pods = context.caches[_PODS]
    index_orphans(pods)
    pods.add_index(_TRACKED, _job_of_tracked)
    return lambda request: _reconcile(context, request)


def _job_of_tracked(pod: Manifest) -> Iterable[str]:
    """Find pods that a Job has yet to count by the Job's name, for when the Job is gone."""
    owner = controller_of(pod)
    if owner is None or owner["kind"] != "Job" or not is_tracked(pod):
        return ()
    return (f"{pod['metadata']['namespace']}/{owner['name']}",)


def _reconcile(context: Context, request: Request) -> Reconciling:
    job = context.caches[_JOBS].get(request.name, request.namespace)
    uid = None if job is None else job["metadata"]["uid"]
    for pod in context.caches[_PODS].by_index(_TRACKED, f"{request.namespace}/{request.name}"):
        owner = controller_of(pod)
        if owner is not None and owner["uid"] != uid:  # its Job is gone
            yield from _untrack(context, pod)
    if job is None or job["spec"].get("managedBy", _OWN) != _OWN:
        return None
    pods = yield from claim(context, job, _PODS)
    if is_finished_job(job):
        for pod in filter(is_tracked, pods):
            yield from _untrack(context, pod)
        return None
    return (yield from _advance(context, job, pods))


def _advance(context: Context, job: Manifest, pods: Sequence[Manifest]) -> Reconciling:
    """Count what ended, keep as many pods running as wanted, and end the Job when it is done."""
    tally = Tally(job, pods, context.clock)
    active = [pod for pod in pods if is_active(pod)]
    failure = failure_of(job, pods, tally.failed, tally.indexes, context.clock)
    success = success_of(job, tally.indexes.done)
    error: ApiError | None = None
    again: float | None = None
    if failure is not None or success is not None or tally.is_complete_without(active):
        if failure is not None:
            tally.fail(failure)
        else:
            tally.succeed(success or _REACHED)
        for pod in active:
            yield from delete_pod(context, job, pod)
        active = []
    elif not is_being_deleted(job):
        work = _Work(context, job, pods, tally)
        try:
            yield from work.adjust()
        except ApiError as found:
            error = found
        active, again = work.active, work.again
    finished = tally.status(active)
    yield from _write_status(context, job, finished)
    for pod in tally.counted:
        yield from _untrack(context, pod)
    if error is not None:
        raise error
    waits = [wait for wait in (again, _deadline_left(context, job, finished)) if wait is not None]
    return Result(min(waits)) if waits else None


class _Work:
    """Bringing the number of running pods of a Job to what is wanted.

    Attributes:
        active: The pods that run, and those that were created here.
        again: When to come back for pods that back-off holds back, in seconds.
    """

    def __init__(
        self, context: Context, job: Manifest, pods: Sequence[Manifest], tally: Tally
    ) -> None:
        self.active = [pod for pod in pods if is_active(pod)]
        self.again: float | None = None
        self._context = context
        self._job = job
        self._pods = pods
        self._tally = tally

    def adjust(self) -> Steps:
        """Delete the pods that are too many, or create those that lack."""
        spec = self._job["spec"]
        if spec.get("suspend"):
            yield from self._delete(self.active)
            return
        wanted = self._wanted()
        surplus: list[Manifest] = []
        if is_indexed(self._job):
            settled = self._tally.indexes.done | self._tally.indexes.failed
            surplus = surplus_by_index(self.active, settled, spec["completions"])
        names = {pod["metadata"]["name"] for pod in surplus}
        others = [pod for pod in self.active if pod["metadata"]["name"] not in names]
        ranked = deletion_order(others, others, self._context.clock)
        surplus += ranked[: max(0, len(self.active) - wanted - len(surplus))]
        if surplus:
            yield from self._delete(surplus)
        waiting = 0
        if spec.get("podReplacementPolicy") == "Failed":
            waiting = sum(is_being_deleted(pod) and not is_active(pod) for pod in self._pods)
        lacking = wanted - waiting - len(self.active)
        if lacking <= 0:
            return
        if retries_each_index(self._job):
            yield from self._retry_indexes(lacking)
            return
        self.again = backoff_left(self._pods, self._context.clock) or None
        if self.again is None:
            indexes = self._free_indexes(lacking) if is_indexed(self._job) else [None] * lacking
            for index in indexes:
                yield from self._create(job_pod(self._job, index))

    def _wanted(self) -> int:
        spec = self._job["spec"]
        parallelism: int = spec.get("parallelism", 1)
        completions: int | None = spec.get("completions")
        if completions is None:  # a work queue: after the first success nobody new is needed
            return len(self.active) if self._tally.succeeded else parallelism
        return max(0, min(parallelism, completions - self._tally.succeeded))

    def _delete(self, pods: Sequence[Manifest]) -> Steps:
        gone = {pod["metadata"]["name"] for pod in pods}
        self.active = [pod for pod in self.active if pod["metadata"]["name"] not in gone]
        for pod in pods:
            yield from _remove(self._context, self._job, pod)

    def _free_indexes(self, count: int) -> list[int]:
        running = {index_of(pod) for pod in self.active}
        settled = self._tally.indexes.done | self._tally.indexes.failed
        taken = settled | {index for index in running if index is not None}
        return first_free_indexes(taken, count, self._job["spec"]["completions"])

    def _retry_indexes(self, count: int) -> Steps:
        """Create the pods of free indexes, but for those whose own back-off holds them back."""
        waits: list[float] = []
        for index in self._free_indexes(count):
            failed = self._tally.held.get(index)
            wait = 0.0 if failed is None else backoff_after(failed, self._context.clock)
            if wait:
                waits.append(wait)
                continue
            notes = notes_after(self._job, failed)
            yield from self._create(job_pod(self._job, index, notes=notes))
        self.again = min(waits, default=None)

    def _create(self, pod: Manifest) -> Steps:
        self.active.append((yield from create_pod(self._context, self._job, pod)))


def _remove(context: Context, job: Manifest, pod: Manifest) -> Steps:
    """Delete a pod that is not wanted any more: it counts as neither failed nor succeeded."""
    yield from _untrack(context, pod)
    yield from delete_pod(context, job, pod)


def _untrack(context: Context, pod: Manifest) -> Steps:
    metadata = pod["metadata"]
    kept = [found for found in metadata.get("finalizers") or () if found != TRACKING]
    if len(kept) == len(metadata.get("finalizers") or ()):
        return
    yield step("release", pod)
    patch = {"metadata": {"uid": metadata["uid"], "finalizers": kept or None}}
    try:
        context.client.patch(_PODS, metadata["name"], patch, metadata["namespace"])
    except NotFoundError:
        return


def _write_status(context: Context, job: Manifest, status: Manifest) -> Steps:
    old = job.get("status") or {}
    if status == old:
        return
    yield step("update status of", job)
    try:
        context.client.update(job | {"status": status}, subresource="status")
    except NotFoundError:
        return
    _tell(context, job, status)


def _tell(context: Context, job: Manifest, status: Manifest) -> None:
    """Tell events of the conditions that this status brings."""
    for type_ in ("Suspended", "Complete", "Failed"):
        before, after = condition(job.get("status") or {}, type_), condition(status, type_)
        if after is None or (before is not None and before["status"] == after["status"]):
            continue
        if type_ == "Complete":
            context.events.event(job, "Normal", "Completed", "Job completed")
        elif type_ == "Failed":
            context.events.event(job, "Warning", after["reason"], after["message"])
        else:
            reason = "Suspended" if after["status"] == "True" else "Resumed"
            context.events.event(job, "Normal", reason, after["message"])


def _deadline_left(context: Context, job: Manifest, status: Manifest) -> float | None:
    deadline, started = job["spec"].get("activeDeadlineSeconds"), status.get("startTime")
    if deadline is None or started is None or job["spec"].get("suspend"):
        return None
    left: float = seconds_of(context.clock, started) + deadline - context.clock.now()
    return max(0.001, left)


JOBS = ControllerSpec(
    "job-controller",
    (Watched(_JOBS), Watched(_PODS, requests=child_requests(_JOBS), delay=_BATCH_SECONDS)),
    _make_reconcile,
)
