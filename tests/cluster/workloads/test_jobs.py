"""Jobs: completions, failures, back-off, indexes, suspension; each pod is counted once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.cluster.housekeeping import HOUSEKEEPING
from gitops_sim.cluster.workloads import WORKLOADS

SPECS = [
    WORKLOADS["job-controller"],
    HOUSEKEEPING["ttl-after-finished-controller"],
    HOUSEKEEPING["garbage-collector-controller"],
]


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


def conditions(world: Any, name: str) -> list[tuple[str, str]]:
    found = world.get("Job", name)["status"].get("conditions", [])
    return [(c["type"], c["reason"]) for c in found if c["status"] == "True"]


def test_parallelism_bounds_how_many_run_at_once(world, workload) -> None:
    world.user.create(workload("Job", "pi", image="done", completions=5, parallelism=2))
    world.run(3)
    assert len(world.pods()) == 2
    world.run(60)
    assert len(world.pods()) == 5
    assert world.get("Job", "pi")["status"]["succeeded"] == 5


def test_failures_are_retried_with_back_off_until_the_limit(world, workload) -> None:
    world.user.create(workload("Job", "bad", image="fail", backoffLimit=2))
    world.run(200)
    born = sorted(pod["metadata"]["creationTimestamp"] for pod in world.pods())
    first, second, third = (world.clock.parse_time(time) for time in born)
    assert second - first >= 10
    assert third - second >= 20
    assert conditions(world, "bad") == [
        ("FailureTarget", "BackoffLimitExceeded"),
        ("Failed", "BackoffLimitExceeded"),
    ]
    assert world.get("Job", "bad")["status"]["failed"] == 3
    assert world.events("Job", "bad")[-1] == (
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
    )


def test_a_deadline_ends_a_job_and_its_pods(world, workload) -> None:
    world.user.create(workload("Job", "slow", activeDeadlineSeconds=20))
    world.run(19)
    assert len(world.pods()) == 1
    world.run(10)
    assert world.pods() == []
    assert ("Failed", "DeadlineExceeded") in conditions(world, "slow")


def test_an_indexed_job_runs_each_index_once(world, workload) -> None:
    world.user.create(
        workload("Job", "i", image="done", completions=3, parallelism=3, completionMode="Indexed")
    )
    world.run(3)
    pods = world.pods()
    index = "batch.kubernetes.io/job-completion-index"
    assert [pod["metadata"]["annotations"][index] for pod in pods] == ["0", "1", "2"]
    assert pods[1]["spec"]["hostname"] == "i-1"
    env = pods[1]["spec"]["containers"][0]["env"][0]
    assert env["name"] == "JOB_COMPLETION_INDEX"
    world.run(30)
    assert world.get("Job", "i")["status"]["completedIndexes"] == "0-2"


def test_a_suspended_job_loses_its_pods_and_gets_new_ones(world, workload) -> None:
    world.user.create(workload("Job", "pi", image="done", completions=1))
    world.run(3)
    world.user.patch("Job", "pi", {"spec": {"suspend": True}})
    world.run(10)
    assert world.pods() == []
    assert conditions(world, "pi") == [("Suspended", "JobSuspended")]
    assert "startTime" not in world.get("Job", "pi")["status"]
    world.user.patch("Job", "pi", {"spec": {"suspend": False}})
    world.run(30)
    status = world.get("Job", "pi")["status"]
    assert (status["succeeded"], status.get("failed")) == (1, None)


def test_a_work_queue_ends_with_its_first_success(world, workload) -> None:
    manifest = workload("Job", "queue", image="done", parallelism=2)
    world.user.create(manifest)
    world.run(60)
    assert ("Complete", "CompletionsReached") in conditions(world, "queue")
    assert world.get("Job", "queue")["status"]["succeeded"] == 2


def test_a_pod_that_someone_deletes_counts_as_failed_and_is_replaced(world, workload) -> None:
    world.user.create(workload("Job", "pi", image="done", completions=1))
    world.run(3)
    world.user.delete("Pod", world.pods()[0]["metadata"]["name"])
    world.run(60)
    status = world.get("Job", "pi")["status"]
    assert (status["succeeded"], status["failed"]) == (1, 1)


def test_a_rule_of_the_failure_policy_ends_the_job_at_once(world, workload) -> None:
    rules = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]
    world.user.create(
        workload("Job", "bad", image="fail", backoffLimit=6, podFailurePolicy={"rules": rules})
    )
    world.run(30)
    assert len(world.pods()) == 1
    status = world.get("Job", "bad")["status"]
    failed = next(c for c in status["conditions"] if c["type"] == "Failed")
    name = world.pods()[0]["metadata"]["name"]
    assert failed["reason"] == "PodFailurePolicy"
    assert failed["message"] == (
        f"Container app for pod default/{name} failed with exit code 1 "
        "matching FailJob rule at index 0"
    )


def test_ignored_failures_do_not_count(world, workload) -> None:
    rules = [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [1]}}]
    world.user.create(
        workload("Job", "bad", image="fail", backoffLimit=0, podFailurePolicy={"rules": rules})
    )
    world.run(60)
    status = world.get("Job", "bad")["status"]
    assert status.get("failed", 0) == 0
    assert len(world.pods()) > 1


def test_a_finished_job_goes_with_its_pods_after_its_ttl(world, workload) -> None:
    world.user.create(workload("Job", "pi", image="done", ttlSecondsAfterFinished=30))
    world.run(20)
    assert world.find("Job", "pi") is not None
    world.run(40)
    assert world.find("Job", "pi") is None
    assert world.pods() == []


def test_the_pods_of_a_deleted_job_are_not_held_by_their_finalizer(world, workload) -> None:
    world.user.create(workload("Job", "pi"))
    world.run(3)
    assert world.pods()[0]["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]
    world.user.delete("Job", "pi")
    world.run(10)
    assert world.pods() == []


@given(
    completions=st.integers(1, 4),
    parallelism=st.integers(1, 3),
    indexed=st.booleans(),
    kills=st.lists(st.floats(0.0, 30.0), max_size=6),
    seed=st.integers(0, 1000),
)
def test_every_success_is_counted_once_whoever_crashes(
    make_world, workload, completions, parallelism, indexed, kills, seed
) -> None:
    world = make_world([WORKLOADS["job-controller"]], seed=seed)
    mode = "Indexed" if indexed else "NonIndexed"
    world.user.create(
        workload(
            "Job",
            "pi",
            image="done",
            completions=completions,
            parallelism=parallelism,
            completionMode=mode,
        )
    )
    for moment in sorted(kills):
        world.clock.run(max(world.clock.now(), moment))
        world.restart("job-controller")
    world.run(120)
    status = world.get("Job", "pi")["status"]
    assert status["succeeded"] == completions
    assert status["uncountedTerminatedPods"] == {}
    assert len(world.pods()) == completions
    assert not any(pod["metadata"].get("finalizers") for pod in world.pods())


def indexed(workload: Any, **spec: Any) -> Any:
    """Return an indexed Job of three whose pods run until `end` ends them."""
    both = {"completions": 3, "parallelism": 3, "completionMode": "Indexed"} | spec
    return workload("Job", "pi", **both)


def end(world: Any, index: int, phase: str, code: int = 1) -> None:
    """Let the latest pod of an index end."""
    label = f"batch.kubernetes.io/job-completion-index={index}"
    pod = max(world.pods(label), key=lambda found: found["metadata"]["creationTimestamp"])
    ended = {"exitCode": 0 if phase == "Succeeded" else code, "finishedAt": world.clock.timestamp()}
    state = {"name": "app", "state": {"terminated": ended}, "image": "", "imageID": ""}
    status = {"phase": phase, "containerStatuses": [state | {"ready": False, "restartCount": 0}]}
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    world.user.patch("v1/Pod", name, {"status": status}, namespace, subresource="status")
    world.run(4)


def failure_counts(world: Any, index: int) -> list[str]:
    label = f"batch.kubernetes.io/job-completion-index={index}"
    pods = sorted(world.pods(label), key=lambda pod: pod["metadata"]["creationTimestamp"])
    note = "batch.kubernetes.io/job-index-failure-count"
    return [pod["metadata"]["annotations"][note] for pod in pods]


def test_each_index_has_retries_of_its_own(world, workload) -> None:
    world.user.create(indexed(workload, backoffLimitPerIndex=1))
    world.run(5)
    end(world, 1, "Failed")
    assert failure_counts(world, 1) == ["0"]  # its back-off is not over
    world.run(10)
    assert failure_counts(world, 1) == ["0", "1"]
    end(world, 1, "Failed")
    end(world, 0, "Succeeded")
    status = world.get("Job", "pi")["status"]
    assert (status["failedIndexes"], status["completedIndexes"]) == ("1", "0")
    assert conditions(world, "pi") == []
    end(world, 2, "Succeeded")
    assert conditions(world, "pi") == [
        ("FailureTarget", "FailedIndexes"),
        ("Failed", "FailedIndexes"),
    ]
    assert world.events("Job", "pi")[-1] == ("FailedIndexes", "Job has failed indexes")
    assert world.get("Job", "pi")["status"]["failed"] == 2


def test_too_many_failed_indexes_end_a_job_and_its_running_pods_count_as_failed(
    world, workload
) -> None:
    world.user.create(indexed(workload, backoffLimitPerIndex=0, maxFailedIndexes=0))
    world.run(5)
    end(world, 2, "Failed")
    world.run(5)
    assert conditions(world, "pi")[-1] == ("Failed", "MaxFailedIndexesExceeded")
    assert world.get("Job", "pi")["status"]["failed"] == 3
    assert [pod["status"]["phase"] for pod in world.pods()] == ["Failed"]


def test_a_rule_fails_an_index_without_retries(world, workload) -> None:
    rule = {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [42]}}
    policy = {"rules": [rule]}
    world.user.create(indexed(workload, backoffLimitPerIndex=5, podFailurePolicy=policy))
    world.run(5)
    end(world, 0, "Failed", code=42)
    world.run(60)
    assert failure_counts(world, 0) == ["0"]
    assert world.get("Job", "pi")["status"]["failedIndexes"] == "0"


@pytest.mark.parametrize(
    ("rule", "ends"),
    [
        ({"succeededIndexes": "0,2", "succeededCount": 1}, [1, 2]),
        ({"succeededIndexes": "0-1"}, [1, 0]),
        ({"succeededCount": 2}, [0, 2]),
    ],
)
def test_a_success_policy_ends_a_job_early(
    world, workload, rule: dict[str, Any], ends: list[int]
) -> None:
    world.user.create(indexed(workload, successPolicy={"rules": [rule]}))
    world.run(5)
    end(world, ends[0], "Succeeded")
    assert conditions(world, "pi") == []
    end(world, ends[1], "Succeeded")
    assert conditions(world, "pi") == [
        ("SuccessCriteriaMet", "SuccessPolicy"),
        ("Complete", "SuccessPolicy"),
    ]
    job = world.get("Job", "pi")
    assert job["status"]["conditions"][-1]["message"] == "Matched rules at index 0"
    assert job["status"]["succeeded"] == 2
    assert "failed" not in job["status"]
    assert world.events("Job", "pi")[-1] == ("Completed", "Job completed")
    assert {pod["status"]["phase"] for pod in world.pods()} == {"Succeeded"}


def test_pods_that_a_deadline_ends_count_as_failed(world, workload) -> None:
    world.user.create(workload("Job", "slow", activeDeadlineSeconds=20, parallelism=2))
    world.run(40)
    assert conditions(world, "slow")[-1] == ("Failed", "DeadlineExceeded")
    assert world.get("Job", "slow")["status"]["failed"] == 2


def test_a_job_that_another_controller_manages_is_left_alone(world, workload) -> None:
    world.user.create(workload("Job", "other", managedBy="example.com/controller"))
    world.run(30)
    assert world.pods() == []
    assert not world.get("Job", "other").get("status")
