"""The pods of a Job: how they are made, which failed, when to try again, whose index is which.

Source: k8s.io/kubernetes, pkg/controller/job (job_controller.go, indexed_job_utils.go,
backoff_utils.go, tracking_utils.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gitops_sim.cluster.controlling import seconds_of
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.workloads.pods import (
    is_active,
    phase_of,
    pod_from_template,
    template_name_prefix,
)
from gitops_sim.protocols import Clock
from gitops_sim.types import Manifest

__all__ = [
    "TRACKING",
    "backoff_left",
    "first_free_indexes",
    "format_indexes",
    "has_failed",
    "index_of",
    "is_indexed",
    "is_tracked",
    "job_pod",
    "parse_indexes",
    "surplus_by_index",
]

TRACKING = "batch.kubernetes.io/job-tracking"
"""The finalizer that keeps a pod until the Job's status has counted it."""

INDEX = "batch.kubernetes.io/job-completion-index"
_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 10.0, 600.0


def is_indexed(job: Manifest) -> bool:
    """True when each completion has an index of its own."""
    return bool(job["spec"].get("completionMode") == "Indexed")


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


def index_of(pod: Manifest) -> int | None:
    """Return the completion index of a pod of an indexed Job."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else None


def job_pod(job: Manifest, index: int | None) -> Manifest:
    """Return a pod of a Job; with an index, one that knows it."""
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
        annotations=marked,
    )
    spec = {**pod["spec"], "hostname": f"{name}-{index}"}
    for member in ("initContainers", "containers"):
        if spec.get(member):
            spec[member] = [_with_index(container) for container in spec[member]]
    return pod | {"spec": spec}


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
    wait = min(_BACKOFF_SECONDS * 2.0 ** (failures - 1), _MAX_BACKOFF_SECONDS)
    return max(0.0, last + wait - clock.now())


def parse_indexes(text: str, completions: int) -> set[int]:
    """Read `1,3-5`, as status.completedIndexes is written; indexes out of range are dropped."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return {index for index in found if index < completions}


def format_indexes(indexes: Iterable[int]) -> str:
    """Write indexes as `1,3-5`; two neighbours are still told one by one."""
    parts: list[str] = []
    run: list[int] = []
    for index in [*sorted(indexes), -1]:
        if run and index == run[-1] + 1:
            run.append(index)
            continue
        if run:
            parts.append(_format_run(run))
        run = [index]
    return ",".join(parts)


def first_free_indexes(taken: set[int], count: int, completions: int) -> list[int]:
    """Return the lowest indexes that nobody has."""
    free: list[int] = []
    for index in range(completions):
        if len(free) == count:
            break
        if index not in taken:
            free.append(index)
    return free


def surplus_by_index(pods: Sequence[Manifest], done: set[int], completions: int) -> list[Manifest]:
    """Return the active pods whose index is out of range, done, or taken by another one."""
    surplus, seen = [], set(done)
    for pod in pods:
        index = index_of(pod)
        if not is_active(pod):
            continue
        if index is None or index >= completions or index in seen:
            surplus.append(pod)
        else:
            seen.add(index)
    return surplus


def _format_run(run: Sequence[int]) -> str:
    if len(run) == 1:
        return str(run[0])
    separator = "," if len(run) == 2 else "-"
    return f"{run[0]}{separator}{run[-1]}"


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
