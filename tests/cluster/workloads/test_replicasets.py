"""ReplicaSets: counting, creating, choosing what to delete, adopting and releasing."""

from __future__ import annotations

import pytest

from gitops_sim.cluster.workloads import WORKLOADS
from gitops_sim.errors import ForbiddenError

SPECS = [WORKLOADS[n] for n in ("replicaset-controller", "replicationcontroller-controller")]


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


def test_pods_are_named_after_the_set_and_owned_by_it(world, workload) -> None:
    stored = world.user.create(workload("ReplicaSet", "web", replicas=2))
    world.run(10)
    pods = world.pods()
    assert len(pods) == 2
    for pod in pods:
        assert pod["metadata"]["generateName"] == "web-"
        owner = pod["metadata"]["ownerReferences"][0]
        assert owner["uid"] == stored["metadata"]["uid"]
        assert owner["controller"] is owner["blockOwnerDeletion"] is True
    assert world.get("ReplicaSet", "web")["status"] == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }


def test_a_lone_pod_is_adopted_and_released_with_its_label(world, workload) -> None:
    world.user.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "lone", "namespace": "default", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "nginx"}]},
        }
    )
    world.user.create(workload("ReplicaSet", "web", replicas=2))
    world.run(10)
    assert len(world.pods()) == 2
    assert world.get("Pod", "lone")["metadata"]["ownerReferences"][0]["name"] == "web"
    world.user.patch("Pod", "lone", {"metadata": {"labels": {"app": "free"}}})
    world.run(10)
    assert "ownerReferences" not in world.get("Pod", "lone")["metadata"]
    assert len(world.pods("app=web")) == 2


def test_a_pod_that_gets_the_label_later_is_adopted_and_one_too_many_goes(world, workload) -> None:
    world.user.create(workload("ReplicaSet", "web", replicas=1))
    world.run(10)
    world.user.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "late", "namespace": "default", "labels": {"app": "free"}},
            "spec": {"containers": [{"name": "app", "image": "nginx"}]},
        }
    )
    world.run(10)
    world.user.patch("Pod", "late", {"metadata": {"labels": {"app": "web"}}})
    world.run(10)
    assert len(world.pods("app=web")) == 1


def test_a_deleted_pod_is_replaced_at_once_not_when_it_is_gone(world, workload) -> None:
    world.stop_seconds = 20.0
    world.user.create(workload("ReplicaSet", "web", replicas=1))
    world.run(10)
    world.user.delete("Pod", world.pods()[0]["metadata"]["name"])
    world.run(5)
    assert len(world.pods()) == 2
    status = world.get("ReplicaSet", "web")["status"]
    assert (status["replicas"], status["terminatingReplicas"]) == (1, 1)


def test_pods_that_are_not_ready_are_deleted_first(world, workload) -> None:
    world.user.create(workload("ReplicaSet", "web", replicas=3))
    world.run(10)
    victim = world.pods()[1]
    conditions = [{"type": "Ready", "status": "False"}]
    world.user.patch(
        "Pod",
        victim["metadata"]["name"],
        {"status": {"conditions": conditions}},
        subresource="status",
    )
    world.user.patch("ReplicaSet", "web", {"spec": {"replicas": 2}})
    world.run(10)
    assert victim["metadata"]["name"] not in [p["metadata"]["name"] for p in world.pods()]


def test_the_deletion_cost_decides_among_ready_pods(world, workload) -> None:
    world.user.create(workload("ReplicaSet", "web", replicas=3))
    world.run(10)
    cheap = world.pods()[2]["metadata"]["name"]
    cost = {"controller.kubernetes.io/pod-deletion-cost": "-1"}
    world.user.patch("Pod", cheap, {"metadata": {"annotations": cost}})
    world.user.patch("ReplicaSet", "web", {"spec": {"replicas": 2}})
    world.run(10)
    assert cheap not in [pod["metadata"]["name"] for pod in world.pods()]
    assert ("SuccessfulDelete", f"Deleted pod: {cheap}") in world.events("ReplicaSet", "web")


def test_a_refused_pod_is_told_by_event_and_condition_and_tried_again(world, workload) -> None:
    allowed = []

    def quota(write, manifest) -> None:
        if write.resource_type.kind == "Pod" and write.before is None and not allowed:
            raise ForbiddenError('pods "web-" is forbidden: exceeded quota: q')

    world.server.admission.append(quota)
    world.user.create(workload("ReplicaSet", "web", replicas=1))
    world.run(5)
    condition = world.get("ReplicaSet", "web")["status"]["conditions"][0]
    assert (condition["type"], condition["reason"]) == ("ReplicaFailure", "FailedCreate")
    assert condition["message"] == 'pods "web-" is forbidden: exceeded quota: q'
    told = ("FailedCreate", 'Error creating: pods "web-" is forbidden: exceeded quota: q')
    assert told in world.events("ReplicaSet", "web")
    allowed.append(True)
    world.run(60)
    status = world.get("ReplicaSet", "web")["status"]
    assert status["readyReplicas"] == 1
    assert "conditions" not in status


def test_ended_pods_are_no_replicas(world, workload) -> None:
    world.user.create(workload("ReplicaSet", "web", image="fail", replicas=1))
    world.run(8)
    phases = sorted(pod["status"]["phase"] for pod in world.pods())
    assert phases[0] == "Failed"
    assert len(phases) == 2


def test_a_set_that_waits_for_a_finalizer_creates_no_pods(world, workload) -> None:
    manifest = workload("ReplicaSet", "web", replicas=1)
    manifest["metadata"]["finalizers"] = ["example.com/hold"]
    world.user.create(manifest)
    world.run(5)
    world.user.delete("ReplicaSet", "web")
    world.user.delete("Pod", world.pods()[0]["metadata"]["name"])
    world.run(10)
    assert world.pods() == []


def test_a_replication_controller_selects_by_a_plain_map(world, workload) -> None:
    world.user.create(workload("ReplicationController", "old", replicas=2))
    world.run(10)
    assert world.get("ReplicationController", "old")["status"] == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "observedGeneration": 1,
    }
    reasons = [reason for reason, _ in world.events("ReplicationController", "old")]
    assert reasons == ["SuccessfulCreate", "SuccessfulCreate"]
