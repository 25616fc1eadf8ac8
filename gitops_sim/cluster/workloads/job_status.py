"""The status of a Job: what ended and was counted, and the conditions at its end.

Source: k8s.io/kubernetes, pkg/controller/job/job_controller.go
(trackJobStatusAndRemoveFinalizers, enactJobFinished).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.workloads.job_failures import JobFailure, counts_as_failure
from gitops_sim.cluster.workloads.job_pods import (
    format_indexes,
    has_failed,
    index_of,
    is_indexed,
    is_tracked,
    parse_indexes,
)
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
        failed: Failed pods that count, likewise.
        done: Of an indexed Job: the indexes that are complete.
        counted: Pods that this status names as ended: their finalizer may go once it is written.
    """

    def __init__(self, job: Manifest, pods: Sequence[Manifest], clock: Clock) -> None:
        self._job = job
        self._pods = pods
        self._clock = clock
        self._old: Manifest = job.get("status") or {}
        self._verdict: JobFailure | None = None
        self._is_decided = condition(self._old, "SuccessCriteriaMet") is not None
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
        self._take_in_ended()
        self.counted = self._named()
        self.done = self._done_indexes()
        self.succeeded: int = self._written["succeeded"] + len(self._uncounted["succeeded"])
        self.failed: int = self._written["failed"] + len(self._uncounted["failed"])
        if is_indexed(job):
            self.succeeded = len(self.done)

    def is_complete_without(self, active: Sequence[Manifest]) -> bool:
        """True when all completions are reached, or of a work queue one and nobody works on."""
        completions = self._job["spec"].get("completions")
        if completions is None:
            return self.succeeded > 0 and not active
        return self._is_decided or (self.succeeded >= completions and not active)

    def decide(self, failure: JobFailure | None) -> None:
        """The Job is over: failed for that reason, or complete (None)."""
        self._verdict = failure
        self._is_decided = True

    def status(self, active: Sequence[Manifest]) -> Manifest:
        """Return the status to write.

        Args:
            active: The pods that run now.
        """
        spec, old = self._job["spec"], self._old
        now = self._clock.timestamp()
        conditions = list(old.get("conditions") or ())
        started = old.get("startTime")
        if self._is_decided:
            conditions = self._with_end(conditions, now)
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
            status["completedIndexes"] = format_indexes(self.done)
        status["uncountedTerminatedPods"] = {
            part: uids for part, uids in self._uncounted.items() if uids
        }
        status["ready"] = sum(is_ready(pod) for pod in active)
        return status

    def _shown(self, part: str) -> int:
        if part == "succeeded" and is_indexed(self._job):
            return len(self.done)
        return int(self._written[part])

    def _take_in_ended(self) -> None:
        known = {uid for uids in self._uncounted.values() for uid in uids}
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
        known = {uid for uids in self._uncounted.values() for uid in uids}
        return [
            pod
            for pod in self._pods
            if is_tracked(pod) and (pod["metadata"]["uid"] in known or has_failed(self._job, pod))
        ]

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

    def _with_end(self, conditions: list[Any], now: str) -> list[Any]:
        """Add what the end brings: the interim condition, then, with all counted, the last one."""
        failure = self._verdict
        if failure is None:
            reason, message = "CompletionsReached", "Reached expected number of succeeded pods"
            interim, last = "SuccessCriteriaMet", "Complete"
        else:
            reason, message = failure
            interim, last = "FailureTarget", "Failed"
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
