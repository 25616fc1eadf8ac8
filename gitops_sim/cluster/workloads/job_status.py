"""The status of a Job: what ended and was counted, and the conditions at its end.

Source: k8s.io/kubernetes, pkg/controller/job/job_controller.go
(trackJobStatusAndRemoveFinalizers, enactJobFinished).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.workloads.job_failures import (
    Indexes,
    Verdict,
    counts_as_failure,
    failed_for_good,
)
from gitops_sim.cluster.workloads.job_indexes import (
    format_indexes,
    index_of,
    is_indexed,
    last_by_index,
    parse_indexes,
    retries_each_index,
)
from gitops_sim.cluster.workloads.job_pods import has_failed, is_tracked
from gitops_sim.cluster.workloads.pods import is_finished, is_ready, phase_of
from gitops_sim.protocols import Clock
from gitops_sim.types import Manifest

__all__ = ["Tally", "condition", "is_finished_job"]


def condition(status: Manifest, type_: str) -> dict[str, Any] | None:
    """Return the condition of that type, or None."""
    for entry in status.get("conditions") or ():
        if entry["type"] == type_:
            found: dict[str, Any] = entry
            return found
    return None


def is_finished_job(job: Manifest) -> bool:
    """True when a Job is Complete or Failed."""
    status = job.get("status") or {}
    found = (condition(status, type_) for type_ in ("Complete", "Failed"))
    return any(entry is not None and entry["status"] == "True" for entry in found)


class Tally:
    """What a Job's pods came to, counted so that a crash loses and doubles nothing.

    Attributes:
        succeeded: Completions, those that are not written yet included.
        indexes: Of an indexed Job: what became of its indexes.
        held: Of each index that is tried once more, the pod that failed last: it is counted when
            the next one is there.
        counted: Pods that this status names as ended: their finalizer may go once it is written.
    """

    def __init__(self, job: Manifest, pods: Sequence[Manifest], clock: Clock) -> None:
        self._job = job
        self._pods = pods
        self._clock = clock
        self._old: Manifest = job.get("status") or {}
        self._end: tuple[str, str, Verdict] | None = None
        uncounted = self._old.get("uncountedTerminatedPods") or {}
        tracked = {p["metadata"]["uid"] for p in pods if is_tracked(p)}
        self._written: dict[str, int] = {
            part: self._old.get(part, 0)
            + sum(uid not in tracked for uid in uncounted.get(part, ()))
            for part in ("succeeded", "failed")
        }
        self._uncounted = {
            part: [uid for uid in uncounted.get(part, ()) if uid in tracked]
            for part in ("succeeded", "failed")
        }
        open_ = [pod for pod in pods if is_tracked(pod)]
        failed = [pod for pod in open_ if has_failed(job, pod)]
        self.indexes = Indexes(self._done_indexes(), failed_for_good(job, failed))
        self.held: dict[int, Manifest] = {}
        if retries_each_index(job):
            settled = self.indexes.done | self.indexes.failed
            last = last_by_index(open_, settled, job["spec"]["completions"])
            self.held = {index: pod for index, pod in last.items() if has_failed(job, pod)}
        self._take_in_ended()
        self.counted = self._named()
        self.succeeded: int = self._written["succeeded"] + len(self._uncounted["succeeded"])
        if is_indexed(job):
            self.succeeded = len(self.indexes.done)

    @property
    def failed(self) -> int:
        """Failed pods that count, those that are not written yet included."""
        return self._written["failed"] + len(self._uncounted["failed"])

    def is_complete_without(self, active: Sequence[Manifest]) -> bool:
        """True when all completions are reached, or of a work queue one and nobody works on."""
        completions = self._job["spec"].get("completions")
        if completions is None:
            return self.succeeded > 0 and not active
        return bool(self.succeeded >= completions and not active)

    def fail(self, why: Verdict) -> None:
        """The Job has failed: every pod that has not succeeded counts as failed."""
        self._end = ("FailureTarget", "Failed", why)
        known = self._known()
        for pod in self._pods:
            uid = pod["metadata"]["uid"]
            if uid not in known and is_tracked(pod) and counts_as_failure(self._job, pod):
                self._uncounted["failed"].append(uid)
        self.held = {}
        self.counted = [pod for pod in self._pods if is_tracked(pod)]

    def succeed(self, why: Verdict) -> None:
        """The Job is complete: pods that go now count as nothing."""
        self._end = ("SuccessCriteriaMet", "Complete", why)
        self.held = {}
        self.counted = [pod for pod in self._pods if is_tracked(pod)]

    def status(self, active: Sequence[Manifest]) -> Manifest:
        """Return the status to write.

        Args:
            active: The pods that run now.
        """
        spec, old = self._job["spec"], self._old
        now = self._clock.timestamp()
        conditions = list(old.get("conditions") or ())
        started = old.get("startTime")
        if self._end is not None:
            conditions = self._with_end(conditions, now, *self._end)
        elif not is_being_deleted(self._job):
            conditions, started = self._with_suspension(conditions, now)
        if started is None and not spec.get("suspend"):
            started = now
        status: Manifest = {}
        if conditions:
            status["conditions"] = conditions
        if started is not None:
            status["startTime"] = started
        if any(c["type"] == "Complete" for c in conditions):
            status["completionTime"] = old.get("completionTime", now)
        counts = {
            "active": len(active),
            "succeeded": self._shown("succeeded"),
            "failed": self._shown("failed"),
        }
        status |= {name: count for name, count in counts.items() if count}
        status["terminating"] = sum(
            is_being_deleted(pod) and not is_finished(pod) for pod in self._pods
        )
        if is_indexed(self._job):
            status["completedIndexes"] = format_indexes(self.indexes.done)
        if retries_each_index(self._job):
            status["failedIndexes"] = format_indexes(self.indexes.failed)
        status["uncountedTerminatedPods"] = {
            part: uids for part, uids in self._uncounted.items() if uids
        }
        status["ready"] = sum(is_ready(pod) for pod in active)
        return status

    def _shown(self, part: str) -> int:
        if part == "succeeded" and is_indexed(self._job):
            return len(self.indexes.done)
        return int(self._written[part])

    def _take_in_ended(self) -> None:
        known = self._known() | {pod["metadata"]["uid"] for pod in self.held.values()}
        for pod in self._pods:
            uid = pod["metadata"]["uid"]
            if uid in known or not is_tracked(pod):
                continue
            if phase_of(pod) == "Succeeded":
                self._uncounted["succeeded"].append(uid)
            elif has_failed(self._job, pod) and counts_as_failure(self._job, pod):
                self._uncounted["failed"].append(uid)

    def _named(self) -> list[Manifest]:
        """Return the pods whose finalizer may go: counted ones, and failed ones to ignore."""
        known, held = self._known(), {pod["metadata"]["uid"] for pod in self.held.values()}
        return [
            pod
            for pod in self._pods
            if is_tracked(pod)
            and pod["metadata"]["uid"] not in held
            and (pod["metadata"]["uid"] in known or has_failed(self._job, pod))
        ]

    def _known(self) -> set[str]:
        return {uid for uids in self._uncounted.values() for uid in uids}

    def _done_indexes(self) -> set[int]:
        if not is_indexed(self._job):
            return set()
        completions = self._job["spec"]["completions"]
        done = parse_indexes(self._old.get("completedIndexes", ""), completions)
        for pod in self._pods:
            index = index_of(pod)
            if phase_of(pod) == "Succeeded" and index is not None and index < completions:
                done.add(index)
        return done

    def _with_end(
        self, conditions: list[Any], now: str, interim: str, last: str, why: Verdict
    ) -> list[Any]:
        """Add what the end brings: the interim condition, then, with all counted, the last one."""
        reason, message = why
        present = {entry["type"] for entry in conditions}
        if interim not in present:
            conditions = [*conditions, _condition(interim, "True", reason, message, now)]
        waits = self.counted or any(not is_finished(pod) for pod in self._pods)
        if not waits and last not in present:
            conditions = [*conditions, _condition(last, "True", reason, message, now)]
        return conditions

    def _with_suspension(self, conditions: list[Any], now: str) -> tuple[list[Any], str | None]:
        """Tell whether the Job is suspended; a resumed one starts anew."""
        started: str | None = self._old.get("startTime")
        suspended = bool(self._job["spec"].get("suspend"))
        current = condition(self._old, "Suspended")
        if suspended == (current is not None and current["status"] == "True"):
            return conditions, started
        if suspended:
            fresh = _condition("Suspended", "True", "JobSuspended", "Job suspended", now)
            started = None
        else:
            fresh = _condition("Suspended", "False", "JobResumed", "Job resumed", now)
            started = now
        others = [entry for entry in conditions if entry["type"] != "Suspended"]
        return [*others, fresh], started


def _condition(type_: str, status: str, reason: str, message: str, now: str) -> dict[str, Any]:
    return {
        "type": type_,
        "status": status,
        "lastProbeTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
