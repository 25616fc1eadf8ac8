"""What goes with its owner, what waits for it, and what stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.cluster.housekeeping import HOUSEKEEPING
from gitops_sim.cluster.workloads import WORKLOADS

GARBAGE = HOUSEKEEPING["garbage-collector-controller"]
SPECS = [WORKLOADS["deployment-controller"], WORKLOADS["replicaset-controller"], GARBAGE]


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def owned_by(*owners: dict[str, Any], block: bool = False) -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]


def left(world: Any) -> tuple[int, int, int]:
    kinds = ("Deployment", "ReplicaSet", "Pod")
    return tuple(len(world.user.list(kind, "default")) for kind in kinds)


def test_in_the_background_the_owner_goes_at_once_and_the_rest_follows(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=2))
    world.run(10)
    world.user.delete("Deployment", "web")
    assert left(world) == (0, 1, 2)
    world.run(10)
    assert left(world) == (0, 0, 0)


def test_in_the_foreground_the_owner_waits_for_its_pods(world, workload) -> None:
    world.stop_seconds = 20.0
    world.user.create(workload("Deployment", "web", replicas=1))
    world.run(10)
    world.user.delete("Deployment", "web", propagation="Foreground")
    world.run(10)
    assert left(world) == (1, 1, 1)
    assert "deletionTimestamp" in world.sets()[0]["metadata"]
    world.run(30)
    assert left(world) == (0, 0, 0)


def test_orphans_lose_their_owner_and_live_on(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=1))
    world.run(10)
    world.user.delete("Deployment", "web", propagation="Orphan")
    world.run(10)
    assert left(world) == (0, 1, 1)
    assert "ownerReferences" not in world.sets()[0]["metadata"]


def test_an_owner_of_another_uid_is_none(world) -> None:
    owner = world.user.create(config_map("owner"))
    reference = owned_by(owner)[0] | {"uid": "another"}
    world.user.create(config_map("wrong", ownerReferences=[reference]))
    world.user.create(config_map("right", ownerReferences=owned_by(owner)))
    world.run(5)
    assert world.find("ConfigMap", "wrong") is None
    assert world.find("ConfigMap", "right") is not None


def test_with_two_owners_it_goes_with_the_second(world) -> None:
    first, second = (world.user.create(config_map(name)) for name in ("first", "second"))
    world.user.create(config_map("shared", ownerReferences=owned_by(first, second)))
    world.user.delete("ConfigMap", "first")
    world.run(5)
    references = world.get("ConfigMap", "shared")["metadata"]["ownerReferences"]
    assert [reference["name"] for reference in references] == ["second"]
    world.user.delete("ConfigMap", "second")
    world.run(5)
    assert world.find("ConfigMap", "shared") is None


def test_a_blocking_dependent_that_a_finalizer_holds_keeps_its_owner(world) -> None:
    owner = world.user.create(config_map("owner"))
    references = owned_by(owner, block=True)
    world.user.create(
        config_map("held", ownerReferences=references, finalizers=["example.com/hold"])
    )
    world.user.delete("ConfigMap", "owner", propagation="Foreground")
    world.run(10)
    assert "deletionTimestamp" in world.get("ConfigMap", "held")["metadata"]
    assert world.find("ConfigMap", "owner") is not None
    world.user.patch("ConfigMap", "held", {"metadata": {"finalizers": None}})
    world.run(10)
    assert world.find("ConfigMap", "owner") is None


def test_a_dependent_that_does_not_block_does_not_hold_its_owner(world) -> None:
    owner = world.user.create(config_map("owner"))
    world.user.create(
        config_map("held", ownerReferences=owned_by(owner), finalizers=["example.com/hold"])
    )
    world.user.delete("ConfigMap", "owner", propagation="Foreground")
    world.run(10)
    assert world.find("ConfigMap", "owner") is None


def test_objects_that_own_each_other_go_together(world) -> None:
    one = world.user.create(config_map("one"))
    two = world.user.create(config_map("two", ownerReferences=owned_by(one, block=True)))
    world.user.patch(
        "ConfigMap", "one", {"metadata": {"ownerReferences": owned_by(two, block=True)}}
    )
    world.user.delete("ConfigMap", "one", propagation="Foreground")
    world.run(20)
    assert world.find("ConfigMap", "one") is None
    assert world.find("ConfigMap", "two") is None


def test_kinds_of_definitions_own_and_are_owned(world) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    world.run(1)
    world.user.create(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "gizmos.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"kind": "Gizmo", "plural": "gizmos"},
                "versions": [version],
            },
        }
    )
    world.run(1)
    metadata = {"name": "g", "namespace": "default"}
    gizmo = world.user.create(
        {"apiVersion": "example.com/v1", "kind": "Gizmo", "metadata": metadata}
    )
    world.user.create(config_map("part", ownerReferences=owned_by(gizmo)))
    world.run(5)
    assert world.find("ConfigMap", "part") is not None
    world.user.delete("CustomResourceDefinition", "gizmos.example.com")
    world.run(20)
    assert world.find("ConfigMap", "part") is None


def test_an_owner_whose_kind_nobody_serves_leaves_its_dependents_alone(world) -> None:
    reference = {"apiVersion": "example.com/v1", "kind": "Gizmo", "name": "g", "uid": "u"}
    world.user.create(config_map("part", ownerReferences=[reference]))
    world.run(60)
    assert world.find("ConfigMap", "part") is not None


@given(
    propagation=st.sampled_from(["Background", "Foreground", "Orphan"]),
    kills=st.lists(
        st.tuples(st.floats(0.0, 2.0), st.sampled_from([spec.name for spec in SPECS])), max_size=5
    ),
    seed=st.integers(0, 1000),
)
def test_deletion_ends_the_same_whoever_crashes(
    make_world, workload, propagation, kills, seed
) -> None:
    world = make_world(SPECS, seed=seed)
    world.user.create(workload("Deployment", "web", replicas=2))
    world.run(10)
    world.user.delete("Deployment", "web", propagation=propagation)
    for wait, name in kills:
        world.run(wait)
        world.restart(name)
    world.run(30)
    assert left(world) == ((0, 1, 2) if propagation == "Orphan" else (0, 0, 0))
