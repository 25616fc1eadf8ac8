"""Roll-outs, their limits, their history, and what happens when someone interferes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.cluster.workloads import WORKLOADS

SPECS = [WORKLOADS[name] for name in ("deployment-controller", "replicaset-controller")]


def set_image(world: Any, image: str) -> None:
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    world.user.patch("Deployment", "web", {"spec": {"template": template}}, type="strategic")


def sizes(world: Any) -> dict[str, int]:
    """Return wanted replicas by image."""
    return {
        s["spec"]["template"]["spec"]["containers"][0]["image"]: s["spec"]["replicas"]
        for s in world.sets()
    }


def progressing(world: Any) -> dict[str, Any]:
    conditions = world.get("Deployment", "web")["status"]["conditions"]
    return next(c for c in conditions if c["type"] == "Progressing")


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


def test_a_bad_image_gets_stuck_and_leaves_the_old_pods_alone(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=4))
    world.run(20)
    set_image(world, "bad")
    world.run(60)
    # 25 % of 4: one more may be there, one may lack
    assert sizes(world) == {"nginx:1.27": 3, "bad": 2}
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 3


def test_going_back_to_the_old_template_makes_its_set_the_newest_revision(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=2))
    world.run(20)
    set_image(world, "bad")
    world.run(30)
    set_image(world, "nginx:1.27")
    world.run(30)
    assert sizes(world) == {"nginx:1.27": 2, "bad": 0}
    old = next(s for s in world.sets() if s["spec"]["replicas"])
    annotations = old["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/revision"] == "3"
    assert annotations["deployment.kubernetes.io/revision-history"] == "1"
    deployment = world.get("Deployment", "web")
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_unhealthy_old_pods_go_before_healthy_ones(world, workload) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    world.user.create(workload("Deployment", "web", replicas=3, image="bad", strategy=strategy))
    world.run(20)
    set_image(world, "nginx:1.28")
    world.run(120)
    assert sizes(world) == {"bad": 0, "nginx:1.28": 3}
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 3


def test_scaling_in_the_middle_of_a_roll_out_is_shared_in_proportion(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=10))
    world.run(30)
    set_image(world, "bad")
    world.run(30)
    assert sizes(world) == {"nginx:1.27": 8, "bad": 5}
    world.user.patch("Deployment", "web", {"spec": {"replicas": 20}})
    world.run(30)
    # 13 pods grow to 25 (20 and a quarter): 8 * 25 / 13 is 15, the rest goes to the new set
    assert sizes(world) == {"nginx:1.27": 15, "bad": 10}


def test_recreate_waits_until_the_last_old_pod_is_gone(world, workload) -> None:
    world.stop_seconds = 10.0
    world.user.create(workload("Deployment", "web", replicas=2, strategy={"type": "Recreate"}))
    world.run(20)
    watch = world.user.watch("v1/Pod", since=str(world.server.store.revision))
    set_image(world, "nginx:1.28")
    world.run(60)
    order = [event.type for event in watch.drain() if event.type != "MODIFIED"]
    assert order == ["DELETED", "DELETED", "ADDED", "ADDED"]
    assert sizes(world) == {"nginx:1.27": 0, "nginx:1.28": 2}


def test_old_revisions_beyond_the_limit_are_deleted(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=1, revisionHistoryLimit=2))
    for number in range(5):
        world.run(20)
        set_image(world, f"nginx:2.{number}")
    world.run(20)
    assert sizes(world) == {"nginx:2.2": 0, "nginx:2.3": 0, "nginx:2.4": 1}


def test_a_paused_deployment_scales_but_does_not_roll_out(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=1))
    world.run(20)
    world.user.patch("Deployment", "web", {"spec": {"paused": True, "replicas": 3}})
    set_image(world, "nginx:1.28")
    world.run(20)
    assert sizes(world) == {"nginx:1.27": 3}
    assert progressing(world)["reason"] == "DeploymentPaused"


def test_available_means_ready_for_min_ready_seconds(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=1, minReadySeconds=30))
    world.run(10)
    status = world.get("Deployment", "web")["status"]
    assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (1, 0)
    world.run(30)
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 1


def test_annotations_of_the_deployment_reach_its_set_but_not_those_of_kubectl(
    world, workload
) -> None:
    manifest = workload("Deployment", "web", replicas=1)
    manifest["metadata"]["annotations"] = {
        "team": "shop",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    world.user.create(manifest)
    world.run(10)
    annotations = world.sets()[0]["metadata"]["annotations"]
    assert annotations["team"] == "shop"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in annotations


def test_a_taken_name_raises_the_collision_count_and_gets_another_hash(world, workload) -> None:
    world.controllers["deployment-controller"].kill()
    deployment = world.user.create(workload("Deployment", "web", replicas=1))
    world.controllers["deployment-controller"].start()
    world.run(5)
    name = world.sets()[0]["metadata"]["name"]
    world.user.delete("Deployment", "web")
    world.user.delete("ReplicaSet", name)
    world.run(5)
    squatter = workload("ReplicaSet", "other", replicas=0)
    squatter["metadata"]["name"] = name
    world.user.create(squatter)
    deployment["metadata"] = {"name": "web", "namespace": "default"}
    world.user.create({k: v for k, v in deployment.items() if k != "status"})
    world.run(20)
    status = world.get("Deployment", "web")["status"]
    assert status["collisionCount"] == 1
    assert status["readyReplicas"] == 1


def test_a_set_that_matches_the_selector_is_adopted(world, workload) -> None:
    orphan = workload("ReplicaSet", "web", replicas=1)
    orphan["metadata"] |= {"name": "web-old", "labels": {"app": "web"}}
    orphan["spec"]["selector"]["matchLabels"]["old"] = "yes"
    orphan["spec"]["template"]["metadata"]["labels"]["old"] = "yes"
    world.user.create(orphan)
    world.user.create(workload("Deployment", "web", replicas=1))
    world.run(30)
    owners = [s["metadata"]["ownerReferences"][0]["name"] for s in world.sets()]
    assert owners == ["web", "web"]
    assert world.get("ReplicaSet", "web-old")["spec"]["replicas"] == 0


PERCENT = st.sampled_from(["0%", "10%", "25%", "50%", "100%"])
LIMIT = st.one_of(st.integers(0, 3), PERCENT)


@given(
    replicas=st.integers(1, 6),
    surge=LIMIT,
    unavailable=LIMIT,
    kills=st.lists(st.floats(0.1, 12.0), max_size=4),
    seed=st.integers(0, 1000),
)
def test_a_roll_out_keeps_within_its_fenceposts_whoever_crashes(
    make_world, workload, replicas, surge, unavailable, kills, seed
) -> None:
    if not int(str(surge).strip("%")) and not int(str(unavailable).strip("%")):
        unavailable = 1  # the API refuses both being 0
    world = make_world(SPECS, seed=seed)
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    world.user.create(workload("Deployment", "web", replicas=replicas, strategy=strategy))
    world.run(60)
    most = replicas + rounded(surge, replicas, up=True)
    spare = rounded(unavailable, replicas, up=False)
    if most == replicas and not spare:
        spare = 1
    set_image(world, "nginx:1.28")
    watch = world.user.watch("v1/Pod")
    pods = {event.object["metadata"]["name"]: event.object for event in watch.drain()}
    start = world.clock.now()
    for number, after in enumerate(sorted(kills)):
        world.clock.run(max(world.clock.now(), start + after))
        world.restart(SPECS[number % 2].name)
    world.run(120)
    for event in watch.drain():
        pods.pop(event.object["metadata"]["name"], None)
        if event.type != "DELETED":
            pods[event.object["metadata"]["name"]] = event.object
        staying = [p for p in pods.values() if "deletionTimestamp" not in p["metadata"]]
        assert len(staying) <= most
        assert sum(is_ready(pod) for pod in staying) >= replicas - spare
    assert sizes(world) == {"nginx:1.27": 0, "nginx:1.28": replicas}
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == replicas


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def rounded(limit: int | str, replicas: int, *, up: bool) -> int:
    if isinstance(limit, int):
        return limit
    percent = int(limit.strip("%")) * replicas
    return -(-percent // 100) if up else percent // 100
