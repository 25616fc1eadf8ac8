"""CronJobs: when Jobs start, what stops them, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver.store import Kind
from gitops_sim.cluster.housekeeping import HOUSEKEEPING
from gitops_sim.cluster.workloads import WORKLOADS

SPECS = [
    WORKLOADS["cronjob-controller"],
    WORKLOADS["job-controller"],
    HOUSEKEEPING["garbage-collector-controller"],
]


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


@pytest.fixture
def cronjob(workload):
    def make(image: str = "done", **spec: Any) -> dict[str, Any]:
        job = workload("Job", "x", image=image)
        return {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "tick", "namespace": "default"},
            "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job["spec"]}} | spec,
        }

    return make


def started(world: Any) -> list[str]:
    key = "batch.kubernetes.io/cronjob-scheduled-timestamp"
    return [job["metadata"]["annotations"][key] for job in world.user.list("Job", "default")]


def reasons(world: Any) -> list[str]:
    return [reason for reason, _ in world.events("CronJob", "tick")]


def test_a_job_starts_at_each_time_and_is_named_after_it(world, cronjob) -> None:
    world.user.create(cronjob())  # the lab begins at 09:00:00
    world.run(130)
    assert started(world) == ["2026-01-05T09:01:00Z", "2026-01-05T09:02:00Z"]
    job = world.user.list("Job", "default")[0]
    minutes = int(world.clock.parse_time("2026-01-05T09:01:00Z")) // 60
    assert int(job["metadata"]["name"].removeprefix("tick-")) % 60 == minutes % 60
    status = world.get("CronJob", "tick")["status"]
    assert status["lastScheduleTime"] == "2026-01-05T09:02:00Z"
    assert status["lastSuccessfulTime"] > "2026-01-05T09:02:00Z"


def test_only_so_many_finished_jobs_are_kept(world, cronjob) -> None:
    world.user.create(cronjob(successfulJobsHistoryLimit=2))
    world.run(330)
    assert started(world) == ["2026-01-05T09:04:00Z", "2026-01-05T09:05:00Z"]
    assert "SuccessfulDelete" in reasons(world)


def test_forbid_skips_a_time_while_a_job_runs(world, cronjob) -> None:
    world.run_seconds = 90.0
    world.user.create(cronjob(concurrencyPolicy="Forbid"))
    world.run(200)
    assert "JobAlreadyActive" in reasons(world)
    running = [j for j in world.user.list("Job", "default") if j["status"].get("active")]
    assert len(running) == 1


def test_replace_deletes_the_running_job(world, cronjob) -> None:
    world.user.create(cronjob(image="nginx", concurrencyPolicy="Replace"))
    world.run(200)
    assert started(world) == ["2026-01-05T09:03:00Z"]
    assert len(world.get("CronJob", "tick")["status"]["active"]) == 1


def test_a_suspended_cronjob_starts_nothing_and_catches_up_once(world, cronjob) -> None:
    world.user.create(cronjob(suspend=True))
    world.run(300)
    assert started(world) == []
    world.user.patch("CronJob", "tick", {"spec": {"suspend": False}})
    world.run(10)
    assert started(world) == ["2026-01-05T09:05:00Z"]


def test_what_is_too_late_is_missed(world, cronjob) -> None:
    world.user.create(cronjob(schedule="0 * * * *", startingDeadlineSeconds=60))
    world.run(3500)
    world.controllers["cronjob-controller"].kill()
    world.run(600)
    world.controllers["cronjob-controller"].start()
    world.run(10)
    assert started(world) == []


def test_a_controller_that_was_down_starts_only_the_last_missed_time(world, cronjob) -> None:
    world.user.create(cronjob())
    world.run(65)
    world.controllers["cronjob-controller"].kill()
    world.run(180)
    world.controllers["cronjob-controller"].start()
    world.run(10)
    assert started(world) == ["2026-01-05T09:01:00Z", "2026-01-05T09:04:00Z"]


def test_a_time_zone_moves_the_times(world, cronjob) -> None:
    world.user.create(cronjob(schedule="30 10 * * *", timeZone="Europe/Berlin"))
    world.run(3600)
    assert started(world) == ["2026-01-05T10:30:00+01:00"]


def test_an_unknown_zone_is_told(world, cronjob) -> None:
    world.user.create(cronjob())
    stored = world.get("CronJob", "tick")
    stored["spec"]["timeZone"] = "Moon/Base"  # the API would refuse it: a zone that went out of use
    version = stored["metadata"]["resourceVersion"]
    kind = Kind("batch", "CronJob")
    world.server.store.put(kind, stored, expected=version, time=world.clock.now())
    world.run(100)
    told = 'invalid timeZone: "Moon/Base": unknown time zone Moon/Base'
    assert ("UnknownTimeZone", told) in world.events("CronJob", "tick")


def test_a_job_started_before_a_crash_is_not_started_twice(world, cronjob) -> None:
    world.user.create(cronjob(schedule="1 9 * * *"))
    world.run(60.05)
    while not world.user.list("Job", "default"):
        world.run(0.01)
    world.restart("cronjob-controller")  # the Job is there, the status does not know it yet
    world.run(30)
    assert len(world.user.list("Job", "default")) == 1
    status = world.get("CronJob", "tick")["status"]
    assert status["lastScheduleTime"] == "2026-01-05T09:01:00Z"
