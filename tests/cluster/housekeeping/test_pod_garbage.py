"""Pods of nodes that are gone go too, after a while."""

from __future__ import annotations

import pytest

from gitops_sim.cluster.housekeeping import HOUSEKEEPING
from gitops_sim.cluster.workloads import WORKLOADS

SPECS = [
    WORKLOADS["replicaset-controller"],
    HOUSEKEEPING["pod-garbage-collector-controller"],
]


@pytest.fixture
def world(make_world, workload):
    found = make_world(SPECS)
    found.user.create(workload("ReplicaSet", "web", replicas=3))
    found.run(10)
    return found


def test_pods_of_a_node_that_is_gone_are_deleted_after_forty_seconds(world) -> None:
    gone = next(p for p in world.pods() if p["spec"]["nodeName"] == "node-2")
    world.controllers["node-agent"].kill()  # no kubelet stops it
    watch = world.user.watch("v1/Pod", since=str(world.server.store.revision))
    world.user.delete("Node", "node-2")
    world.run(39)
    assert world.find("Pod", gone["metadata"]["name"]) is not None
    world.run(5)
    assert world.find("Pod", gone["metadata"]["name"]) is None
    last = next(e.object for e in watch.drain() if e.type == "DELETED")
    assert last["status"]["phase"] == "Failed"
    condition = last["status"]["conditions"][-1]
    assert (condition["reason"], condition["message"]) == (
        "DeletionByPodGC",
        "PodGC: node no longer exists",
    )


def test_a_node_that_comes_back_in_time_keeps_its_pods(world) -> None:
    world.controllers["node-agent"].kill()
    names = [pod["metadata"]["name"] for pod in world.pods()]
    world.user.delete("Node", "node-2")
    world.run(20)
    world.user.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-2"}})
    world.run(100)
    assert [pod["metadata"]["name"] for pod in world.pods()] == names
