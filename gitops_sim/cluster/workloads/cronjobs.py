"""CronJobs: a Job at each time of a schedule.

A reconcile tidies the list of running Jobs, deletes old finished ones, and starts the Job of the
last time that is due, unless that is too late or the concurrency policy forbids it. Then it comes
back at the next time: nothing polls.

Source: k8s.io/kubernetes, pkg/controller/cronjob (cronjob_controllerv2.go, utils.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gitops_sim.apimachinery.schedules import Schedule, parse_schedule
from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    step,
)
from gitops_sim.cluster.ownership import controlled, is_being_deleted, owner_reference
from gitops_sim.cluster.workloads.job_status import condition, is_finished_job
from gitops_sim.cluster.workloads.pods import is_namespace_terminating
from gitops_sim.errors import AlreadyExistsError, ApiError, NotFoundError
from gitops_sim.runtime import ReconcileFunction, Request, Watched, owner_request
from gitops_sim.types import Manifest, Result

__all__ = ["CRONJOBS"]

_CRONJOBS, _JOBS = "batch/v1/CronJob", "batch/v1/Job"
_SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_MAX_MISSED = 100
_LATE_SECONDS = 0.1
"""After its time a Job is started, so that the time has surely come."""


def _make_reconcile(context: Context) -> ReconcileFunction:
    return lambda request: _reconcile(context, request)


def _reconcile(context: Context, request: Request) -> Reconciling:
    cronjob = context.caches[_CRONJOBS].get(request.name, request.namespace)
    if cronjob is None:
        return None
    run = _Run(context, cronjob, controlled(context.caches[_JOBS], cronjob))
    yield from run.clean_up()
    run.tidy()
    again: float | None = None
    if not is_being_deleted(cronjob) and not cronjob["spec"].get("suspend"):
        again = yield from run.start_due()
    yield from run.write_status()
    return None if again is None else Result(again)


class _Run:
    """One reconcile of a CronJob."""

    def __init__(self, context: Context, cronjob: Manifest, jobs: Sequence[Manifest]) -> None:
        self._context = context
        self._cronjob = cronjob
        self._jobs = list(jobs)
        self._status: Manifest = dict(cronjob.get("status") or {})
        self._epoch = datetime.fromisoformat(context.clock.timestamp(0.0))
        self._now = self._epoch + timedelta(seconds=context.clock.now())

    def clean_up(self) -> Steps:
        """Delete finished Jobs beyond the history limits, the oldest first."""
        spec = self._cronjob["spec"]
        limits = {
            "Failed": spec.get("failedJobsHistoryLimit"),
            "Complete": spec.get("successfulJobsHistoryLimit"),
        }
        for type_, limit in limits.items():
            if limit is None:
                continue
            ended = [job for job in self._jobs if _ended_as(job) == type_]
            ended.sort(key=_start_order)
            for job in ended[: max(0, len(ended) - limit)]:
                yield from self._delete(job)

    def tidy(self) -> None:
        """Take finished and missing Jobs off the list of active ones."""
        jobs = {job["metadata"]["uid"]: job for job in self._jobs}
        active = {reference["uid"]: reference for reference in self._status.get("active") or ()}
        for uid, job in jobs.items():
            name, finished = job["metadata"]["name"], is_finished_job(job)
            if uid not in active and not finished:
                message = f"Saw a job that the controller did not create or forgot: {name}"
                self._tell("Warning", "UnexpectedJob", message)
            elif uid in active and finished:
                del active[uid]
                message = f"Saw completed job: {name}, condition: {_ended_as(job)}"
                self._tell("Normal", "SawCompletedJob", message)
            self._note_success(job)
        for uid in [uid for uid in active if uid not in jobs]:
            message = f"Active job went missing: {active[uid]['name']}"
            self._tell("Normal", "MissingJob", message)
            del active[uid]
        self._set_active(list(active.values()))

    def start_due(self) -> Any:
        """Start the Job that is due, if any; return the seconds until the next time."""
        spec = self._cronjob["spec"]
        zone = self._zone()
        schedule = self._schedule()
        if zone is None or schedule is None:
            return None
        earliest, due = self._last_due(schedule, zone)
        following = schedule.next(due or earliest, zone)
        again = None
        if following is not None:
            again = (following - self._now).total_seconds() + _LATE_SECONDS
        last = self._status.get("lastScheduleTime")
        if due is None or (last and datetime.fromisoformat(last) == due):
            return again
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and due + timedelta(seconds=deadline) < self._now:
            told = due.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S %z")
            message = f"Missed scheduled time to start a job: {told}"
            self._tell("Warning", "MissSchedule", message)
            return again
        if spec.get("concurrencyPolicy") == "Forbid" and self._status.get("active"):
            message = (
                "Not starting job because prior execution is running and concurrency policy is "
                "Forbid"
            )
            self._tell("Normal", "JobAlreadyActive", message)
            return again
        if spec.get("concurrencyPolicy") == "Replace":
            yield from self._stop_active()
        yield from self._start(due, zone)
        return again

    def write_status(self) -> Steps:
        """Write what is active and when the last Jobs were, when it changed."""
        if self._status == (self._cronjob.get("status") or {}):
            return
        yield step("update status of", self._cronjob)
        try:
            self._context.client.update(
                self._cronjob | {"status": self._status}, subresource="status"
            )
        except NotFoundError:
            return

    def _zone(self) -> tzinfo | None:
        name = self._cronjob["spec"].get("timeZone")
        if not name:
            return UTC
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            message = f'invalid timeZone: "{name}": unknown time zone {name}'
            self._tell("Warning", "UnknownTimeZone", message)
            return None

    def _schedule(self) -> Schedule | None:
        text = self._cronjob["spec"]["schedule"]
        try:
            return parse_schedule(text)
        except ValueError as error:
            message = f'unparseable schedule: "{text}" : {error}'
            self._tell("Warning", "UnparseableSchedule", message)
            return None

    def _last_due(self, schedule: Schedule, zone: tzinfo) -> tuple[datetime, datetime | None]:
        """Return from when on times count, and the last one that has come since, if any has."""
        metadata, spec = self._cronjob["metadata"], self._cronjob["spec"]
        since = self._status.get("lastScheduleTime") or metadata["creationTimestamp"]
        earliest = datetime.fromisoformat(since)
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None:
            earliest = max(earliest, self._now - timedelta(seconds=deadline))
        due: datetime | None = None
        missed = 0
        following = schedule.next(earliest, zone)
        while following is not None and following <= self._now:
            due, missed = following, missed + 1
            following = schedule.next(following, zone)
        if missed > _MAX_MISSED:
            message = (
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or "
                "check clock skew"
            )
            self._tell("Warning", "TooManyMissedTimes", message)
        return earliest, due

    def _stop_active(self) -> Steps:
        active = {reference["uid"] for reference in self._status.get("active") or ()}
        for job in [job for job in self._jobs if job["metadata"]["uid"] in active]:
            yield from self._delete(job)
        self._set_active([])

    def _start(self, due: datetime, zone: tzinfo) -> Steps:
        job = _job(self._cronjob, due, zone)
        name = job["metadata"]["name"]
        yield step("create", job)
        try:
            stored = self._context.client.create(job)
        except AlreadyExistsError:  # started before a crash that lost the status
            stored = self._context.client.get(_JOBS, name, job["metadata"]["namespace"])
        except ApiError as error:
            if is_namespace_terminating(error):
                return
            self._tell("Warning", "FailedCreate", f"Error creating job: {error}")
            raise
        else:
            self._tell("Normal", "SuccessfulCreate", f"Created job {name}")
        self._status["lastScheduleTime"] = _rfc3339(due)
        if not is_finished_job(stored):
            active = [*(self._status.get("active") or ()), _reference(stored)]
            self._set_active(list({reference["uid"]: reference for reference in active}.values()))

    def _delete(self, job: Manifest) -> Steps:
        metadata = job["metadata"]
        yield step("delete", job)
        self._jobs = [other for other in self._jobs if other is not job]
        try:
            self._context.client.delete(_JOBS, metadata["name"], metadata["namespace"])
        except NotFoundError:
            return
        self._tell("Normal", "SuccessfulDelete", f"Deleted job {metadata['name']}")

    def _note_success(self, job: Manifest) -> None:
        completed = (job.get("status") or {}).get("completionTime")
        if _ended_as(job) != "Complete" or completed is None:
            return
        last = self._status.get("lastSuccessfulTime")
        if last is None or completed > last:
            self._status["lastSuccessfulTime"] = completed

    def _set_active(self, references: list[Any]) -> None:
        self._status.pop("active", None)
        if references:
            self._status["active"] = references

    def _tell(self, type_: str, reason: str, message: str) -> None:
        self._context.events.event(self._cronjob, type_, reason, message)


def _job(cronjob: Manifest, due: datetime, zone: tzinfo) -> Manifest:
    """Return the Job of a time; its name is made of the time, so that there is only one."""
    metadata, template = cronjob["metadata"], cronjob["spec"]["jobTemplate"]
    told = template.get("metadata") or {}
    minutes = int(due.timestamp()) // 60
    made: Manifest = {
        "name": f"{metadata['name']}-{minutes}",
        "namespace": metadata["namespace"],
        "annotations": {
            **(told.get("annotations") or {}),
            _SCHEDULED: _rfc3339(due.astimezone(zone)),
        },
        "ownerReferences": [owner_reference(cronjob)],
    }
    if told.get("labels"):
        made["labels"] = told["labels"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": made,
        "spec": template["spec"],
    }


def _reference(job: Manifest) -> dict[str, str]:
    metadata = job["metadata"]
    return {
        "kind": "Job",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": "batch/v1",
        "resourceVersion": metadata["resourceVersion"],
    }


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _ended_as(job: Manifest) -> str:
    status = job.get("status") or {}
    for type_ in ("Complete", "Failed"):
        found = condition(status, type_)
        if found is not None and found["status"] == "True":
            return type_
    return ""


def _start_order(job: Manifest) -> tuple[str, str]:
    started = (job.get("status") or {}).get("startTime") or ""
    return started, job["metadata"]["name"]


CRONJOBS = ControllerSpec(
    "cronjob-controller",
    (Watched(_CRONJOBS), Watched(_JOBS, requests=owner_request("CronJob"))),
    _make_reconcile,
)
