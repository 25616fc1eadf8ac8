"""Completion indexes of a Job: whose is which, which are free, which may be tried once more.

With backoffLimitPerIndex each index has retries and a back-off of its own. Its last failed pod
keeps its finalizer until the next one is made, which takes over the count of failures: so the
count outlives the controller.

Source: k8s.io/kubernetes, pkg/controller/job (indexed_job_utils.go, backoff_utils.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gitops_sim.cluster.workloads.pods import is_active
from gitops_sim.types import Manifest

__all__ = [
    "FAILURES",
    "IGNORED",
    "INDEX",
    "attempts_before",
    "first_free_indexes",
    "format_indexes",
    "index_of",
    "is_indexed",
    "last_by_index",
    "parse_indexes",
    "retries_each_index",
    "surplus_by_index",
]

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"


def is_indexed(job: Manifest) -> bool:
    """True when each completion has an index of its own."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def retries_each_index(job: Manifest) -> bool:
    """True when each index of a Job may fail so often, whatever the others do."""
    return is_indexed(job) and job["spec"].get("backoffLimitPerIndex") is not None


def index_of(pod: Manifest) -> int | None:
    """Return the completion index of a pod of an indexed Job."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else None


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


def attempts_before(pod: Manifest, *notes: str) -> int:
    """Return how often the index of a pod had failed before it, as its annotations count it."""
    told: Mapping[str, str] = pod["metadata"].get("annotations") or {}
    return sum(int(told.get(note, "0")) for note in notes)


def last_by_index(
    pods: Iterable[Manifest], settled: set[int], completions: int
) -> dict[int, Manifest]:
    """Return the latest pod of each index that is still open.

    Args:
        pods: Pods that are not counted yet.
        settled: Indexes that are complete or have failed for good.
        completions: How many indexes there are.
    """
    last: dict[int, Manifest] = {}
    for pod in pods:
        index = index_of(pod)
        if index is None or index >= completions or index in settled:
            continue
        best = last.get(index)
        if best is None or _attempts(best) <= _attempts(pod):
            last[index] = pod
    return last


def _attempts(pod: Manifest) -> int:
    return attempts_before(pod, FAILURES, IGNORED)


def _format_run(run: Sequence[int]) -> str:
    if len(run) == 1:
        return str(run[0])
    separator = "," if len(run) == 2 else "-"
    return f"{run[0]}{separator}{run[-1]}"
