from typing import Any

import pytest

from gitops_sim.delivery import Health, HealthStatus, assess_health, worst
from gitops_sim.types import Manifest

AVAILABLE = {"type": "Available", "status": "True"}
ROLLED_OUT = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
NOW = "2026-01-05T09:01:00Z"


def made(kind: str, version: str, spec: Any = None, status: Any = None) -> Manifest:
    metadata = {"name": "web", "namespace": "shop", "generation": 1}
    found: Manifest = {"apiVersion": version, "kind": kind, "metadata": metadata}
    return found | {"spec": spec or {}, "status": status or {}}


def deployment(
    replicas: int = 2, conditions: Any = (AVAILABLE, ROLLED_OUT), **counts: int
) -> Manifest:
    full = dict.fromkeys(
        ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas
    )
    status = full | counts | {"conditions": list(conditions), "observedGeneration": 1}
    spec = {"replicas": replicas, "progressDeadlineSeconds": 600}
    return made("Deployment", "apps/v1", spec, status)


@pytest.mark.parametrize(
    ("manifest", "status", "reason", "message"),
    [
        (deployment(), "Current", "", "Deployment is available. Replicas: 2"),
        (deployment(replicas=0), "Current", "", "Deployment is available. Replicas: 0"),
        (deployment(updatedReplicas=1), "InProgress", "LessUpdated", "Updated: 1/2"),
        (deployment(availableReplicas=1), "InProgress", "LessAvailable", "Available: 1/2"),
        (deployment(readyReplicas=1), "InProgress", "LessReady", "Ready: 1/2"),
    ],
)
def test_deployments(manifest: Manifest, status: str, reason: str, message: str) -> None:
    assert assess_health(manifest) == Health(HealthStatus(status), reason, message)


def test_a_deployment_with_too_few_or_too_many_pods_is_in_progress() -> None:
    few, many = deployment(), deployment()
    few["status"]["replicas"], many["status"]["replicas"] = 1, 3
    assert assess_health(few).message == "replicas: 1/2"
    assert assess_health(many) == Health(
        HealthStatus.IN_PROGRESS, "ExtraPods", "Pending termination: 1"
    )


def test_a_paused_deployment_never_becomes_current() -> None:
    paused = {"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused"}
    found = assess_health(deployment(conditions=(AVAILABLE, paused)))
    assert (found.status, found.reason) == (HealthStatus.IN_PROGRESS, "ReplicaSetNotAvailable")


def test_a_deployment_past_its_deadline_has_failed() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    assert assess_health(deployment(conditions=(AVAILABLE, late))).status is HealthStatus.FAILED


def test_a_generation_that_was_not_seen_is_in_progress() -> None:
    manifest = deployment()
    manifest["metadata"]["generation"] = 2
    found = assess_health(manifest)
    assert found.reason == "LatestGenerationNotObserved"
    assert found.message == "Deployment generation is 2, but latest observed generation is 1"


def stateful_set(update: Any = None, **status: Any) -> Manifest:
    full = dict.fromkeys(("replicas", "readyReplicas", "currentReplicas", "updatedReplicas"), 3)
    revisions = {"currentRevision": "a", "updateRevision": "a"}
    spec = {"replicas": 3, "updateStrategy": update or {"type": "RollingUpdate"}}
    return made("StatefulSet", "apps/v1", spec, full | revisions | status)


@pytest.mark.parametrize(
    ("manifest", "status", "reason"),
    [
        (stateful_set(), "Current", ""),
        (stateful_set({"type": "OnDelete"}, readyReplicas=0), "Current", ""),
        (stateful_set(replicas=2), "InProgress", "LessReplicas"),
        (stateful_set(readyReplicas=2), "InProgress", "LessReady"),
        (stateful_set(replicas=4), "InProgress", "ExtraPods"),
        (stateful_set(currentReplicas=2), "InProgress", "LessCurrent"),
        (stateful_set(updateRevision="b"), "InProgress", "RevisionMismatch"),
        (
            stateful_set({"rollingUpdate": {"partition": 1}}, updatedReplicas=1),
            "InProgress",
            "PartitionRollout",
        ),
        (stateful_set({"rollingUpdate": {"partition": 1}}, updatedReplicas=2), "Current", ""),
    ],
)
def test_stateful_sets(manifest: Manifest, status: str, reason: str) -> None:
    found = assess_health(manifest)
    assert (found.status, found.reason) == (status, reason)


def daemon_set(**status: int) -> Manifest:
    names = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled")
    full = dict.fromkeys((*names, "numberAvailable", "numberReady"), 3)
    return made("DaemonSet", "apps/v1", {}, full | {"observedGeneration": 1} | status)


def test_daemon_sets() -> None:
    assert assess_health(daemon_set()).is_current
    assert assess_health(daemon_set(numberReady=2)).message == "Ready: 2/3"
    assert assess_health(made("DaemonSet", "apps/v1")).status is HealthStatus.IN_PROGRESS


def test_replica_sets() -> None:
    names = ("replicas", "fullyLabeledReplicas", "availableReplicas", "readyReplicas")
    status: dict[str, Any] = dict.fromkeys(names, 1)
    assert assess_health(made("ReplicaSet", "apps/v1", {"replicas": 1}, status)).is_current
    failing = status | {"conditions": [{"type": "ReplicaFailure", "status": "True"}]}
    found = assess_health(made("ReplicaSet", "apps/v1", {"replicas": 1}, failing))
    assert found.message == "Replica Failure condition. Check Pods"


def pod(phase: str, *conditions: Any, waiting: str = "", created: str = NOW) -> Manifest:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    containers = [{"name": "app", "state": state}]
    status = {"phase": phase, "conditions": list(conditions), "containerStatuses": containers}
    found = made("Pod", "v1", {}, status)
    found["metadata"]["creationTimestamp"] = created
    return found


UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}


@pytest.mark.parametrize(
    ("manifest", "status", "reason"),
    [
        (pod("Succeeded"), "Current", ""),
        (pod("Failed"), "Current", ""),
        (pod("Running", {"type": "Ready", "status": "True"}), "Current", ""),
        (pod("Running"), "InProgress", "PodRunningNotReady"),
        (pod("Running", waiting="CrashLoopBackOff"), "Failed", "ContainerCrashLooping"),
        (pod("Pending"), "InProgress", "PodPending"),
        (
            pod("Pending", UNSCHEDULABLE, created="2026-01-05T09:00:55Z"),
            "InProgress",
            "PodNotScheduled",
        ),
        (
            pod("Pending", UNSCHEDULABLE, created="2026-01-05T09:00:40Z"),
            "Failed",
            "PodUnschedulable",
        ),
    ],
)
def test_pods(manifest: Manifest, status: str, reason: str) -> None:
    found = assess_health(manifest, now=NOW)
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"suspend": True}, {}, "Current"),
        ({}, {}, "InProgress"),
        ({}, {"startTime": NOW, "active": 1}, "InProgress"),
        ({}, {"conditions": [{"type": "Complete", "status": "True"}]}, "Current"),
        ({}, {"conditions": [{"type": "Failed", "status": "True"}]}, "Failed"),
    ],
)
def test_a_job_is_current_only_when_it_has_ended_well(
    spec: dict[str, Any], status: dict[str, Any], expected: str
) -> None:
    assert assess_health(made("Job", "batch/v1", spec, status)).status == expected


def test_a_load_balancer_without_address_is_current_and_without_cluster_ip_is_not() -> None:
    spec = {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}
    assert assess_health(made("Service", "v1", spec)).is_current
    assert assess_health(made("Service", "v1", spec | {"clusterIP": ""})).reason == "NoIPAssigned"


def test_volume_claims_wait_for_being_bound() -> None:
    assert assess_health(made("PersistentVolumeClaim", "v1", {}, {"phase": "Bound"})).is_current
    found = assess_health(made("PersistentVolumeClaim", "v1", {}, {"phase": "Pending"}))
    assert found.message == "PVC is not Bound. phase: Pending"


def test_definitions_wait_for_being_established() -> None:
    def definition(*conditions: Any) -> Health:
        kind, version = "CustomResourceDefinition", "apiextensions.k8s.io/v1"
        return assess_health(made(kind, version, {}, {"conditions": list(conditions)}))

    assert definition().reason == "Installing"
    assert definition({"type": "Established", "status": "True"}).is_current
    refused = {"type": "NamesAccepted", "status": "False", "reason": "Conflict", "message": "no"}
    assert definition(refused) == Health(HealthStatus.FAILED, "Conflict", "no")


def custom(*conditions: tuple[str, str]) -> Health:
    listed = [{"type": kind, "status": status, "reason": "R"} for kind, status in conditions]
    return assess_health(made("Widget", "example.com/v1", {}, {"conditions": listed}))


def test_custom_resources_go_by_their_conditions() -> None:
    assert custom().message == "Resource is current"
    assert custom(("Ready", "True")).message == "Resource is Ready"
    assert custom(("Ready", "False")).status is HealthStatus.IN_PROGRESS
    assert custom(("Ready", "True"), ("Reconciling", "True")).status is HealthStatus.IN_PROGRESS
    assert custom(("Ready", "False"), ("Stalled", "True")).status is HealthStatus.FAILED


def test_what_goes_is_terminating_and_what_is_gone_is_not_found() -> None:
    going = deployment()
    going["metadata"]["deletionTimestamp"] = NOW
    assert assess_health(going).status is HealthStatus.TERMINATING
    assert assess_health(None).status is HealthStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], "Current"),
        (["Current", "Current"], "Current"),
        (["Current", "NotFound"], "InProgress"),
        (["Unknown", "InProgress"], "Unknown"),
        (["Unknown", "Failed", "Current"], "Failed"),
    ],
)
def test_the_worst_state_decides_over_several_objects(states: list[str], expected: str) -> None:
    assert worst(Health(HealthStatus(state)) for state in states) == expected
