"""DaemonSets: which nodes get a pod, and how a new template reaches them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.cluster.workloads import WORKLOADS

SPECS = [WORKLOADS["daemonset-controller"]]


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


def nodes(world: Any) -> list[str]:
    return sorted(
        pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
            "nodeSelectorTerms"
        ][0]["matchFields"][0]["values"][0]
        for pod in world.pods()
        if "deletionTimestamp" not in pod["metadata"]
    )


def images(world: Any) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in world.pods())


def set_image(world: Any, image: str) -> None:
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    world.user.patch("DaemonSet", "agent", {"spec": {"template": template}}, type="strategic")


def test_every_node_gets_one_pod_and_a_new_node_too(world, workload) -> None:
    world.user.create(workload("DaemonSet", "agent"))
    world.run(10)
    assert nodes(world) == ["node-1", "node-2", "node-3"]
    world.user.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-4"}})
    world.user.patch("Node", "node-4", {"spec": {"taints": None}})
    world.run(10)
    assert nodes(world) == ["node-1", "node-2", "node-3", "node-4"]


def test_node_selector_and_taints_keep_it_away(world, workload) -> None:
    manifest = workload("DaemonSet", "agent")
    manifest["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    world.user.create(manifest)
    for name in ("node-1", "node-2"):
        world.user.patch("Node", name, {"metadata": {"labels": {"disk": "ssd"}}})
    taint = [{"key": "maintenance", "effect": "NoSchedule"}]
    world.user.patch("Node", "node-2", {"spec": {"taints": taint}})
    world.run(10)
    assert nodes(world) == ["node-1"]


def test_a_no_schedule_taint_keeps_what_runs_and_a_no_execute_taint_does_not(
    world, workload
) -> None:
    world.user.create(workload("DaemonSet", "agent"))
    world.run(10)
    for number, effect in ((1, "NoSchedule"), (2, "NoExecute")):
        taint = [{"key": "maintenance", "effect": effect}]
        world.user.patch("Node", f"node-{number}", {"spec": {"taints": taint}})
    world.run(10)
    assert nodes(world) == ["node-1", "node-3"]
    status = world.get("DaemonSet", "agent")["status"]
    assert (status["desiredNumberScheduled"], status["numberMisscheduled"]) == (1, 1)


def test_a_broken_template_takes_down_no_more_than_max_unavailable(world, workload) -> None:
    world.user.create(workload("DaemonSet", "agent"))
    world.run(10)
    set_image(world, "bad")
    world.run(60)
    assert images(world) == ["bad", "nginx:1.27", "nginx:1.27"]
    status = world.get("DaemonSet", "agent")["status"]
    assert (status["numberAvailable"], status["numberUnavailable"]) == (2, 1)


def test_a_surge_brings_the_new_pod_up_before_the_old_one_goes(world, workload) -> None:
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    world.user.create(workload("DaemonSet", "agent", updateStrategy=strategy))
    world.run(10)
    set_image(world, "bad")
    world.run(30)
    assert images(world) == ["bad", "nginx:1.27", "nginx:1.27", "nginx:1.27"]
    set_image(world, "nginx:1.28")
    world.run(60)
    assert images(world) == ["nginx:1.28"] * 3


def test_on_delete_waits_for_someone_to_delete(world, workload) -> None:
    world.user.create(workload("DaemonSet", "agent", updateStrategy={"type": "OnDelete"}))
    world.run(10)
    set_image(world, "nginx:1.28")
    world.run(20)
    assert images(world) == ["nginx:1.27"] * 3
    world.user.delete("Pod", world.pods()[0]["metadata"]["name"])
    world.run(10)
    assert images(world) == ["nginx:1.27", "nginx:1.27", "nginx:1.28"]


def test_failed_pods_are_replaced_after_a_growing_back_off(world, workload) -> None:
    world.run_seconds = 0.0
    world.user.create(workload("DaemonSet", "agent", image="fail"))
    world.run(60)
    told = [
        message
        for reason, message in world.events("DaemonSet", "agent")
        if reason == "FailedDaemonPod"
    ]
    assert "will try to kill it" in told[0]
    # 1, 2, 4, 8, 16, 32 seconds on each of three nodes, plus the starts in between
    created = sum(reason == "SuccessfulCreate" for reason, _ in world.events("DaemonSet", "agent"))
    assert created <= 3 * 7


def test_the_pods_of_a_node_that_is_gone_are_not_waited_for(world, workload) -> None:
    world.user.create(workload("DaemonSet", "agent"))
    world.run(10)
    world.user.delete("Node", "node-3")
    world.run(10)
    assert world.get("DaemonSet", "agent")["status"]["desiredNumberScheduled"] == 2


@given(
    unavailable=st.integers(1, 3),
    kills=st.lists(st.floats(0.1, 10.0), max_size=4),
    seed=st.integers(0, 1000),
)
def test_a_roll_out_keeps_within_max_unavailable_whoever_crashes(
    make_world, workload, unavailable, kills, seed
) -> None:
    world = make_world(SPECS, seed=seed)
    rolling = {"maxUnavailable": unavailable, "maxSurge": 0}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    world.user.create(workload("DaemonSet", "agent", updateStrategy=strategy))
    world.run(20)
    watch = world.user.watch("v1/Pod")
    pods = {event.object["metadata"]["name"]: event.object for event in watch.drain()}
    set_image(world, "nginx:1.28")
    start = world.clock.now()
    for after in sorted(kills):
        world.clock.run(max(world.clock.now(), start + after))
        world.restart("daemonset-controller")
    world.run(60)
    for event in watch.drain():
        pods.pop(event.object["metadata"]["name"], None)
        if event.type != "DELETED":
            pods[event.object["metadata"]["name"]] = event.object
        up = [p for p in pods.values() if "deletionTimestamp" not in p["metadata"] and ready(p)]
        assert len(up) >= 3 - unavailable
    assert images(world) == ["nginx:1.28"] * 3


def ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
