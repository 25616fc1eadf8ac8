"""Claims and volumes: matched, provisioned, protected, reclaimed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.cluster.housekeeping import HOUSEKEEPING, STANDARD_CLASS
from gitops_sim.errors import ForbiddenError

NAMES = (
    "persistentvolume-binder-controller",
    "volume-provisioner",
    "persistentvolumeclaim-protection-controller",
    "persistentvolume-protection-controller",
    "ephemeral-volume-controller",
    "garbage-collector-controller",
)
SPECS = [HOUSEKEEPING[name] for name in NAMES]


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


def claim(name: str, size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            **spec,
        },
    }


def volume(name: str, size: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": {"tier": name}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": size},
            "hostPath": {"path": "/data"},
            "persistentVolumeReclaimPolicy": "Retain",
            **spec,
        },
    }


def pod(name: str, volumes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "app", "image": "nginx"}], "volumes": volumes},
    }


def bound_to(world: Any, name: str) -> str | None:
    found = world.get("PersistentVolumeClaim", name)
    return found["spec"].get("volumeName") if found["status"]["phase"] == "Bound" else None


def reasons(world: Any, name: str) -> list[str]:
    return [reason for reason, _ in world.events("PersistentVolumeClaim", name)]


def test_the_default_class_provisions_a_volume(world) -> None:
    world.user.create(STANDARD_CLASS)
    stored = world.user.create(claim("data", "2Gi"))
    world.run(10)
    name = f"pvc-{stored['metadata']['uid']}"
    assert bound_to(world, "data") == name
    made = world.user.get("PersistentVolume", name)
    assert made["status"]["phase"] == "Bound"
    assert made["spec"]["capacity"] == {"storage": "2Gi"}
    assert made["spec"]["claimRef"]["name"] == "data"
    assert world.get("PersistentVolumeClaim", "data")["status"]["capacity"] == {"storage": "2Gi"}
    assert "ProvisioningSucceeded" in reasons(world, "data")


def test_the_smallest_volume_that_fits_is_taken(world) -> None:
    for name, size in (("large", "10Gi"), ("small", "1Gi"), ("right", "3Gi")):
        world.user.create(volume(name, size, storageClassName=""))
    world.user.create(claim("data", "2Gi", storageClassName=""))
    world.run(5)
    assert bound_to(world, "data") == "right"


def test_class_mode_and_selector_have_to_match(world) -> None:
    world.user.create(volume("classy", "5Gi", storageClassName="fast"))
    world.user.create(volume("shared", "5Gi", storageClassName="", accessModes=["ReadWriteMany"]))
    world.user.create(volume("plain", "5Gi", storageClassName=""))
    selector = {"matchLabels": {"tier": "none"}}
    world.user.create(claim("picky", storageClassName="", selector=selector))
    world.user.create(claim("data", storageClassName=""))
    world.run(5)
    assert bound_to(world, "picky") is None
    assert reasons(world, "picky") == ["FailedBinding"]
    assert bound_to(world, "data") == "plain"


def test_a_volume_that_comes_later_is_found(world) -> None:
    world.user.create(claim("data", storageClassName=""))
    world.run(5)
    assert bound_to(world, "data") is None
    world.user.create(volume("late", "5Gi", storageClassName=""))
    world.run(5)
    assert bound_to(world, "data") == "late"


def test_a_volume_reserved_for_a_claim_is_for_nobody_else(world) -> None:
    reference = {"namespace": "default", "name": "mine"}
    world.user.create(volume("kept", "1Gi", storageClassName="", claimRef=reference))
    world.user.create(claim("other", storageClassName=""))
    world.run(5)
    world.user.create(claim("mine", storageClassName=""))
    world.run(5)
    assert bound_to(world, "other") is None
    assert bound_to(world, "mine") == "kept"


def test_a_class_that_waits_for_a_consumer_waits_until_a_pod_has_a_node(world) -> None:
    world.user.create(
        STANDARD_CLASS | {"metadata": {"name": "late"}, "volumeBindingMode": "WaitForFirstConsumer"}
    )
    world.user.create(claim("data", storageClassName="late"))
    world.run(30)
    assert bound_to(world, "data") is None
    assert reasons(world, "data") == ["WaitForFirstConsumer"]
    note = {"volume.kubernetes.io/selected-node": "node-1"}
    world.user.patch(
        "v1/PersistentVolumeClaim", "data", {"metadata": {"annotations": note}}, "default"
    )
    world.run(10)
    assert bound_to(world, "data") is not None


def test_a_missing_class_is_told_and_waited_for(world) -> None:
    world.user.create(claim("data", storageClassName="standard"))
    world.run(5)
    told = 'storageclass.storage.k8s.io "standard" not found'
    assert world.events("PersistentVolumeClaim", "data") == [("ProvisioningFailed", told)]
    world.user.create(STANDARD_CLASS)
    world.run(10)
    assert bound_to(world, "data") is not None


def test_a_claim_in_use_stays_until_the_pod_is_gone(world) -> None:
    world.user.create(STANDARD_CLASS)
    world.user.create(claim("data"))
    world.user.create(pod("user", [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    world.run(10)
    world.user.delete("PersistentVolumeClaim", "data")
    world.run(10)
    assert world.find("PersistentVolumeClaim", "data") is not None
    world.user.delete("Pod", "user")
    world.run(10)
    assert world.find("PersistentVolumeClaim", "data") is None
    assert world.user.list("PersistentVolume") == []  # its class says Delete


def test_a_bound_claim_says_whether_a_pod_uses_it(world) -> None:
    def use() -> list[tuple[str, str]]:
        found = world.get("PersistentVolumeClaim", "data")["status"].get("conditions") or []
        return [(entry["status"], entry["reason"]) for entry in found]

    world.user.create(STANDARD_CLASS)
    world.user.create(claim("data"))
    assert use() == [], "it is not bound"
    world.run(10)
    assert bound_to(world, "data")
    assert use() == [("True", "NoPodsUsingPVC")]
    world.user.create(pod("user", [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    world.run(10)
    assert use() == [("False", "PodUsingPVC")]
    world.user.delete("Pod", "user")
    world.run(10)
    assert use() == [("True", "NoPodsUsingPVC")]


def test_a_volume_to_keep_is_released_and_not_given_away(world) -> None:
    world.user.create(volume("kept", "1Gi", storageClassName=""))
    world.user.create(claim("first", storageClassName=""))
    world.run(5)
    world.user.delete("PersistentVolumeClaim", "first")
    world.run(5)
    assert world.user.get("PersistentVolume", "kept")["status"]["phase"] == "Released"
    world.user.create(claim("second", storageClassName=""))
    world.run(5)
    assert bound_to(world, "second") is None


def test_a_claim_that_loses_its_volume_says_so(world) -> None:
    world.user.create(volume("gone", "1Gi", storageClassName=""))
    world.user.create(claim("data", storageClassName=""))
    world.run(5)
    world.user.patch("PersistentVolume", "gone", {"metadata": {"finalizers": None}})
    world.user.delete("PersistentVolume", "gone")
    world.run(5)
    assert world.get("PersistentVolumeClaim", "data")["status"]["phase"] == "Lost"
    assert "ClaimLost" in reasons(world, "data")


def test_an_ephemeral_volume_gets_a_claim_that_goes_with_its_pod(world) -> None:
    world.user.create(STANDARD_CLASS)
    template = {"spec": claim("x")["spec"]}
    world.user.create(pod("job", [{"name": "tmp", "ephemeral": {"volumeClaimTemplate": template}}]))
    world.run(10)
    assert bound_to(world, "job-tmp") is not None
    world.user.delete("Pod", "job")
    world.run(20)
    assert world.find("PersistentVolumeClaim", "job-tmp") is None


@given(
    kills=st.lists(st.tuples(st.floats(0.0, 1.2), st.sampled_from(NAMES[:4])), max_size=6),
    seed=st.integers(0, 1000),
)
def test_binding_ends_the_same_whoever_crashes(make_world, kills, seed) -> None:
    world = make_world(SPECS[:4], seed=seed)
    world.user.create(STANDARD_CLASS)
    world.user.create(volume("static", "1Gi", storageClassName=""))
    world.user.create(claim("fixed", storageClassName=""))
    world.user.create(claim("made"))
    for wait, name in kills:
        world.run(wait)
        world.restart(name)
    world.run(30)
    assert bound_to(world, "fixed") == "static"
    assert bound_to(world, "made") is not None
    volumes = world.user.list("PersistentVolume")
    assert [found["status"]["phase"] for found in volumes] == ["Bound", "Bound"]


GROWING = STANDARD_CLASS | {"metadata": {"name": "growing"}, "allowVolumeExpansion": True}


def ask_for(lab: Any, size: str) -> None:
    spec = {"resources": {"requests": {"storage": size}}}
    lab.cluster.patch("v1/PersistentVolumeClaim", "data", {"spec": spec}, "default")


def told(lab: Any) -> dict[str, Any]:
    return dict(lab.cluster.get("v1/PersistentVolumeClaim", "data", "default")["status"])


def test_a_claim_that_asks_for_more_gets_it_where_a_pod_uses_it(lab: Any) -> None:
    lab.cluster.create(GROWING)
    lab.cluster.create(claim("data", storageClassName="growing"))
    lab.run(10)
    ask_for(lab, "3Gi")
    lab.run(10)
    found = lab.cluster.get("v1/PersistentVolumeClaim", "data", "default")
    volume = lab.cluster.get("v1/PersistentVolume", found["spec"]["volumeName"])
    assert volume["spec"]["capacity"] == {"storage": "3Gi"}
    assert told(lab)["capacity"] == {"storage": "1Gi"}
    assert told(lab)["allocatedResourceStatuses"] == {"storage": "NodeResizePending"}
    assert "FileSystemResizePending" in [c["type"] for c in told(lab)["conditions"]]
    mounts = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    lab.create_pod("shop/web:1", volumes=mounts)
    lab.run(30)
    assert told(lab)["capacity"] == {"storage": "3Gi"}
    assert [c["type"] for c in told(lab)["conditions"]] == ["Unused"]
    grown = {"ExternalExpanding", "Resizing", "FileSystemResizeRequired"}
    assert grown.issubset(lab.reasons("data"))
    assert "FileSystemResizeSuccessful" in lab.reasons("web")


def test_only_classes_that_allow_it_let_claims_grow(lab: Any) -> None:
    lab.cluster.create(claim("data"))
    lab.run(10)
    with pytest.raises(ForbiddenError, match="only dynamically provisioned pvc can be resized"):
        ask_for(lab, "3Gi")
