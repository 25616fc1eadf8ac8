"""StatefulSets: order, identity, claims, revisions; never two pods of one ordinal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.cluster.workloads import WORKLOADS

SPECS = [WORKLOADS["statefulset-controller"]]
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


def names(world: Any) -> list[str]:
    return [pod["metadata"]["name"] for pod in world.pods()]


def births_and_deaths(events: Any) -> list[str]:
    sign = {"ADDED": "+", "DELETED": "-"}
    return [sign[e.type] + e.object["metadata"]["name"] for e in events if e.type in sign]


def set_image(world: Any, image: str) -> None:
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    world.user.patch("StatefulSet", "db", {"spec": {"template": template}}, type="strategic")


def test_pods_come_up_one_after_the_other_and_know_who_they_are(world, workload) -> None:
    watch = world.user.watch("v1/Pod")
    world.user.create(workload("StatefulSet", "db", replicas=3))
    world.run(1.5)
    assert names(world) == ["db-0", "db-1"]
    world.run(20)
    assert births_and_deaths(watch.drain()) == ["+db-0", "+db-1", "+db-2"]
    pod = world.get("Pod", "db-2")
    labels = pod["metadata"]["labels"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-2"
    assert labels["apps.kubernetes.io/pod-index"] == "2"
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-2", "db")
    status = world.get("StatefulSet", "db")["status"]
    revision = labels["controller-revision-hash"]
    assert status == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
        "availableReplicas": 3,
    }


def test_a_replica_that_is_not_ready_holds_up_those_above(world, workload) -> None:
    world.user.create(workload("StatefulSet", "db", image="bad", replicas=3))
    world.run(60)
    assert names(world) == ["db-0"]


def test_parallel_management_starts_all_at_once(world, workload) -> None:
    world.user.create(
        workload("StatefulSet", "db", replicas=3, podManagementPolicy="Parallel", image="bad")
    )
    world.run(1)
    assert names(world) == ["db-0", "db-1", "db-2"]


def test_an_update_goes_from_the_top_and_waits_for_each(world, workload) -> None:
    world.user.create(workload("StatefulSet", "db", replicas=3))
    world.run(20)
    watch = world.user.watch("v1/Pod", since=str(world.server.store.revision))
    set_image(world, "nginx:1.28")
    world.run(30)
    order = births_and_deaths(watch.drain())
    assert order == ["-db-2", "+db-2", "-db-1", "+db-1", "-db-0", "+db-0"]
    status = world.get("StatefulSet", "db")["status"]
    assert status["currentRevision"] == status["updateRevision"]


def test_a_partition_keeps_the_lower_ordinals_on_the_old_revision(world, workload) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    world.user.create(workload("StatefulSet", "db", replicas=3, updateStrategy=strategy))
    world.run(20)
    set_image(world, "nginx:1.28")
    world.run(30)
    world.user.delete("Pod", "db-0")
    world.run(20)
    images = [pod["spec"]["containers"][0]["image"] for pod in world.pods()]
    assert images == ["nginx:1.27", "nginx:1.27", "nginx:1.28"]
    status = world.get("StatefulSet", "db")["status"]
    assert (status["currentReplicas"], status["updatedReplicas"]) == (2, 1)


def test_on_delete_replaces_only_what_someone_deletes(world, workload) -> None:
    strategy = {"type": "OnDelete"}
    world.user.create(workload("StatefulSet", "db", replicas=2, updateStrategy=strategy))
    world.run(20)
    set_image(world, "nginx:1.28")
    world.run(20)
    world.user.delete("Pod", "db-0")
    world.run(20)
    images = [pod["spec"]["containers"][0]["image"] for pod in world.pods()]
    assert images == ["nginx:1.28", "nginx:1.27"]


def test_max_unavailable_updates_several_at_a_time(world, workload) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    world.user.create(workload("StatefulSet", "db", replicas=4, updateStrategy=strategy))
    world.run(30)
    watch = world.user.watch("v1/Pod", since=str(world.server.store.revision))
    set_image(world, "nginx:1.28")
    world.run(40)
    marked = [
        event.object["metadata"]["name"]
        for event in watch.drain()
        if event.type == "MODIFIED" and "deletionTimestamp" in event.object["metadata"]
    ]
    assert marked[:2] == ["db-3", "db-2"]
    assert world.get("StatefulSet", "db")["status"]["updatedReplicas"] == 4


def test_scaling_down_goes_from_the_top_one_by_one(world, workload) -> None:
    world.user.create(workload("StatefulSet", "db", replicas=3))
    world.run(20)
    watch = world.user.watch("v1/Pod", since=str(world.server.store.revision))
    world.user.patch("StatefulSet", "db", {"spec": {"replicas": 1}})
    world.run(20)
    assert births_and_deaths(watch.drain()) == ["-db-2", "-db-1"]


def test_claims_are_made_per_pod_and_outlive_it(world, workload) -> None:
    world.user.create(workload("StatefulSet", "db", replicas=2, volumeClaimTemplates=[CLAIM]))
    world.run(20)
    world.user.patch("StatefulSet", "db", {"spec": {"replicas": 0}})
    world.run(20)
    assert names(world) == []
    claims = world.user.list("PersistentVolumeClaim", "default")
    assert [claim["metadata"]["name"] for claim in claims] == ["data-db-0", "data-db-1"]
    assert claims[0]["metadata"]["labels"] == {"app": "db"}
    assert (
        "SuccessfulCreate",
        "Create Claim data-db-0 Pod db-0 in StatefulSet db success",
    ) in world.events("StatefulSet", "db")


def test_claims_go_with_the_set_if_the_retention_policy_says_so(world, workload) -> None:
    policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
    stored = world.user.create(
        workload(
            "StatefulSet",
            "db",
            replicas=1,
            volumeClaimTemplates=[CLAIM],
            persistentVolumeClaimRetentionPolicy=policy,
        )
    )
    world.run(20)
    owner = world.get("PersistentVolumeClaim", "data-db-0")["metadata"]["ownerReferences"][0]
    assert owner["uid"] == stored["metadata"]["uid"]


@pytest.mark.parametrize(
    ("deleted", "scaled", "kept_owner", "surplus_owner"),
    [
        ("Retain", "Retain", [], []),
        ("Retain", "Delete", [], ["Pod"]),
        ("Delete", "Retain", ["StatefulSet"], ["StatefulSet"]),
        ("Delete", "Delete", ["StatefulSet"], ["Pod"]),
    ],
)
def test_claims_of_pods_that_are_too_much_go_with_them_if_the_policy_says_so(
    world, workload, deleted: str, scaled: str, kept_owner: list[str], surplus_owner: list[str]
) -> None:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    manifest = workload(
        "StatefulSet",
        "db",
        replicas=2,
        volumeClaimTemplates=[CLAIM],
        persistentVolumeClaimRetentionPolicy=policy,
    )
    manifest["spec"]["template"]["metadata"]["finalizers"] = ["example.com/hold"]
    world.user.create(manifest)
    world.run(20)
    world.user.patch("StatefulSet", "db", {"spec": {"replicas": 1}})
    world.run(20)

    def owners(name: str) -> list[str]:
        references = world.get("PersistentVolumeClaim", name)["metadata"].get("ownerReferences")
        return [reference["kind"] for reference in references or ()]

    assert owners("data-db-0") == kept_owner
    assert owners("data-db-1") == surplus_owner
    none = {"whenDeleted": "Retain", "whenScaled": "Retain"}
    spec = {"persistentVolumeClaimRetentionPolicy": none}
    world.user.patch("StatefulSet", "db", {"spec": spec})
    world.run(20)
    assert (owners("data-db-0"), owners("data-db-1")) == ([], [])


def test_a_failed_pod_is_recreated_under_its_name(world, workload) -> None:
    world.user.create(workload("StatefulSet", "db", image="fail", replicas=1))
    world.run(15)
    reasons = [reason for reason, _ in world.events("StatefulSet", "db")]
    assert "RecreatingFailedPod" in reasons
    assert names(world) == ["db-0"]


def test_going_back_reuses_the_old_revision_under_a_new_number(world, workload) -> None:
    world.user.create(workload("StatefulSet", "db", replicas=1))
    world.run(20)
    first = world.get("StatefulSet", "db")["status"]["currentRevision"]
    set_image(world, "nginx:1.28")
    world.run(20)
    set_image(world, "nginx:1.27")
    world.run(20)
    assert world.get("StatefulSet", "db")["status"]["currentRevision"] == first
    revisions = world.user.list("ControllerRevision", "default")
    assert sorted(r["revision"] for r in revisions) == [2, 3]


def test_old_revisions_beyond_the_limit_are_deleted(world, workload) -> None:
    world.user.create(workload("StatefulSet", "db", replicas=1, revisionHistoryLimit=1))
    for number in range(4):
        world.run(20)
        set_image(world, f"nginx:2.{number}")
    world.run(20)
    assert len(world.user.list("ControllerRevision", "default")) == 2


@given(
    actions=st.lists(
        st.tuples(
            st.floats(0.1, 6.0),
            st.sampled_from(["scale 0", "scale 2", "scale 4", "image", "delete", "restart"]),
        ),
        max_size=8,
    ),
    policy=st.sampled_from(["OrderedReady", "Parallel"]),
    seed=st.integers(0, 1000),
)
def test_no_ordinal_ever_has_two_pods_and_all_settles(
    make_world, workload, actions, policy, seed
) -> None:
    world = make_world(SPECS, seed=seed)
    watch = world.user.watch("v1/Pod")
    world.user.create(workload("StatefulSet", "db", replicas=3, podManagementPolicy=policy))
    wanted, image = 3, 27
    for wait, action in actions:
        world.run(wait)
        if action.startswith("scale"):
            wanted = int(action.split()[1])
            world.user.patch("StatefulSet", "db", {"spec": {"replicas": wanted}})
        elif action == "image":
            image += 1
            set_image(world, f"nginx:1.{image}")
        elif action == "restart":
            world.restart("statefulset-controller")
        elif world.pods():
            world.user.delete("Pod", world.pods()[0]["metadata"]["name"])
    world.run(200)
    alive: dict[str, str] = {}
    for event in watch.drain():
        metadata = event.object["metadata"]
        if event.type == "DELETED":
            del alive[metadata["name"]]
            continue
        assert alive.setdefault(metadata["name"], metadata["uid"]) == metadata["uid"]
    assert names(world) == [f"db-{ordinal}" for ordinal in range(wanted)]
    images = {pod["spec"]["containers"][0]["image"] for pod in world.pods()}
    assert images <= {f"nginx:1.{image}"}
