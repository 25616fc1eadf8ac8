"""What may be changed of a pod, and through which of its subresources."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient
from gitops_sim.errors import InvalidError

DEBUGGER = {"name": "debugger", "image": "busybox:1"}


@pytest.fixture
def change(client: InProcessClient) -> Any:
    """Make a pod that runs on a node; return what patches its spec, and returns it."""
    metadata = {"name": "web", "namespace": "default"}
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    client.create(account | {"metadata": {"name": "default", "namespace": "default"}})
    container = {"name": "web", "image": "web:1", "resources": {"requests": {"cpu": "50m"}}}
    spec = {"nodeName": "node-1", "containers": [container]}
    client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def patch(subresource: str = "", **spec: Any) -> Any:
        told = {"spec": spec}
        return client.patch(
            "v1/Pod", "web", told, "default", type="strategic", subresource=subresource
        )["spec"]

    return patch


def test_a_debugger_comes_in_by_its_own_door_only(change: Any) -> None:
    with pytest.raises(InvalidError, match="pod updates may not change fields other than"):
        change(ephemeralContainers=[DEBUGGER])
    spec = change("ephemeralcontainers", ephemeralContainers=[DEBUGGER], nodeName="node-2")
    assert [entry["name"] for entry in spec["ephemeralContainers"]] == ["debugger"]
    assert spec["nodeName"] == "node-1", "nothing else is taken from there"


def test_a_debugger_stays_as_it_is(change: Any) -> None:
    change("ephemeralcontainers", ephemeralContainers=[DEBUGGER])
    with pytest.raises(InvalidError, match=r'"debugger" may not be changed\n(?s:.*)busybox:1'):
        change("ephemeralcontainers", ephemeralContainers=[DEBUGGER | {"image": "alpine:3"}])
    removed = {"$patch": "delete", "name": "debugger"}
    with pytest.raises(InvalidError, match='"debugger" may not be removed'):
        change("ephemeralcontainers", ephemeralContainers=[removed])


def test_a_resize_changes_cpu_and_memory_alone(change: Any) -> None:
    sized = {"name": "web", "image": "web:2", "resources": {"requests": {"cpu": "100m"}}}
    (container,) = change("resize", containers=[sized])["containers"]
    assert container["resources"] == {"requests": {"cpu": "100m"}}
    assert container["image"] == "web:1"
    sized["resources"] = {"requests": {"cpu": "100m", "ephemeral-storage": "1Gi"}}
    with pytest.raises(InvalidError, match="only cpu and memory resources are mutable"):
        change("resize", containers=[sized])


@pytest.mark.parametrize(
    "resources",
    [
        {"requests": {"cpu": "0"}},
        {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}},
    ],
)
def test_a_resize_keeps_the_quality_of_service(change: Any, resources: Any) -> None:
    sized = {"name": "web", "resources": resources}
    with pytest.raises(InvalidError, match="Pod QOS Class may not change as a result of resizing"):
        change("resize", containers=[sized])


def test_a_pod_does_not_move(change: Any) -> None:
    with pytest.raises(InvalidError, match=r'- "NodeName": "node-1",\n\+ "NodeName": "node-2"'):
        change(nodeName="node-2")


def test_a_gated_pod_says_so_from_the_start(client: InProcessClient, change: Any) -> None:
    spec = {"containers": [{"name": "web", "image": "web:1"}], "schedulingGates": [{"name": "x"}]}
    metadata = {"name": "gated", "namespace": "default"}
    pod = client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    (condition,) = pod["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "SchedulingGated")
    assert change()["nodeName"] == "node-1"
