"""The pods of a Job: how they are made, which failed, when to try again.

Source: k8s.io/kubernetes, pkg/controller/job (job_controller.go, backoff_utils.go,
tracking_utils.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_sim.cluster.controlling import seconds_of
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.workloads.job_failures import counts_as_failure
from gitops_sim.cluster.workloads.job_indexes import FAILURES, IGNORED, INDEX, attempts_before
from gitops_sim.cluster.workloads.pods import (
    phase_of,
    pod_from_template,
    template_name_prefix,
)
from gitops_sim.protocols import Clock
from gitops_sim.types import Manifest

__all__ = [
    "TRACKING",
    "backoff_after",
    "backoff_left",
    "has_failed",
    "is_tracked",
    "job_pod",
    "notes_after",
]

TRACKING = "batch.kubernetes.io/job-tracking"
"""The finalizer that keeps a pod until the Job's status has counted it."""

_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 10.0, 600.0


def is_tracked(pod: Manifest) -> bool:
    """True when the Job has not counted the pod yet."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def has_failed(job: Manifest, pod: Manifest) -> bool:
    """True when a pod counts as failed.

    One that is deleted before it succeeds does too, unless podReplacementPolicy is Failed.
    """
    if phase_of(pod) == "Failed":
        return True
    if job["spec"].get("podReplacementPolicy") == "Failed":
        return False
    return is_being_deleted(pod) and phase_of(pod) != "Succeeded"


def job_pod(
    job: Manifest, index: int | None, *, notes: Mapping[str, str] | None = None
) -> Manifest:
    """Return a pod of a Job; with an index, one that knows it, and has these annotations."""
    name, template = job["metadata"]["name"], job["spec"]["template"]
    if index is None:
        prefix = template_name_prefix(name)
        return pod_from_template(template, job, generateName=prefix, finalizers=[TRACKING])
    marked = {INDEX: str(index)}
    pod = pod_from_template(
        template,
        job,
        generateName=template_name_prefix(f"{name}-{index}"),
        finalizers=[TRACKING],
        labels=marked,
        annotations=marked | dict(notes or {}),
    )
    spec = {**pod["spec"], "hostname": f"{name}-{index}"}
    for member in ("initContainers", "containers"):
        if spec.get(member):
            spec[member] = [_with_index(container) for container in spec[member]]
    return pod | {"spec": spec}


def notes_after(job: Manifest, failed: Manifest | None) -> Mapping[str, str]:
    """Return the annotations of a pod that is made for an index, after a failed one or as first."""
    if failed is None:
        return {FAILURES: "0"}
    counts = counts_as_failure(job, failed)
    notes = {FAILURES: str(attempts_before(failed, FAILURES) + counts)}
    ignored = attempts_before(failed, IGNORED) + (not counts)
    return notes | ({IGNORED: str(ignored)} if ignored else {})


def backoff_after(failed: Manifest, clock: Clock) -> float:
    """Return for how many seconds an index is not tried again after its last failed pod."""
    failures = attempts_before(failed, FAILURES, IGNORED) + 1
    return max(0.0, _finished_at(failed, clock) + _backoff(failures) - clock.now())


def backoff_left(pods: Iterable[Manifest], clock: Clock) -> float:
    """Return for how many seconds no new pod is tried after failures.

    10 seconds after the last failure, doubled with each one since the last success, up to 10
    minutes.
    """
    ended: list[tuple[float, bool]] = [
        (_finished_at(pod, clock), phase_of(pod) == "Failed")
        for pod in pods
        if phase_of(pod) in ("Succeeded", "Failed")
    ]
    ended.sort()
    failures, last = 0, 0.0
    for time, failed in ended:
        failures = failures + 1 if failed else 0
        last = time
    if not failures:
        return 0.0
    return max(0.0, last + _backoff(failures) - clock.now())


def _backoff(failures: int) -> float:
    return min(_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 10), _MAX_BACKOFF_SECONDS)


def _with_index(container: Manifest) -> Manifest:
    path = {"fieldPath": f"metadata.labels['{INDEX}']"}
    variable: dict[str, Any] = {
        "name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": path},
    }
    known = container.get("env") or []
    if any(entry["name"] == variable["name"] for entry in known):
        return container
    return container | {"env": [*known, variable]}


def _finished_at(pod: Manifest, clock: Clock) -> float:
    """Return when the last container of a pod ended, in seconds since the epoch."""
    times = [pod["metadata"]["creationTimestamp"]]
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        ended = (status.get("state") or {}).get("terminated") or {}
        if ended.get("finishedAt"):
            times.append(ended["finishedAt"])
    return max(seconds_of(clock, time) for time in times)
