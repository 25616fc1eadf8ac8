"""Namespaces: what is in them goes first, in order; then they go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.cluster.housekeeping import HOUSEKEEPING
from gitops_sim.cluster.workloads import WORKLOADS

SPECS = [*WORKLOADS.values(), *HOUSEKEEPING.values()]


@pytest.fixture
def world(make_world):
    found = make_world(SPECS)
    found.user.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    found.run(1)
    return found


def put(world: Any, kind: str, name: str, **metadata: Any) -> None:
    metadata = {"name": name, "namespace": "x", **metadata}
    world.user.create({"apiVersion": "v1", "kind": kind, "metadata": metadata})


def test_every_namespace_has_an_account_and_the_bundle_of_the_ca(world) -> None:
    assert world.find("ServiceAccount", "default", "x") is not None
    bundle = world.get("ConfigMap", "kube-root-ca.crt", "x")
    assert bundle["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----\n")


def test_a_deleted_account_and_a_changed_bundle_come_back(world) -> None:
    world.user.delete("ServiceAccount", "default", "x")
    world.user.patch("ConfigMap", "kube-root-ca.crt", {"data": {"ca.crt": "mine"}}, "x")
    world.run(2)
    assert world.find("ServiceAccount", "default", "x") is not None
    assert world.get("ConfigMap", "kube-root-ca.crt", "x")["data"]["ca.crt"] != "mine"


def test_nothing_happens_for_five_seconds_then_all_goes(world, workload) -> None:
    manifest = workload("Deployment", "web", replicas=2)
    manifest["metadata"]["namespace"] = "x"
    world.user.create(manifest)
    put(world, "ConfigMap", "settings")
    world.run(10)
    world.user.delete("Namespace", "x")
    world.run(4)
    assert len(world.pods(namespace="x")) == 2
    world.run(60)
    assert world.find("Namespace", "x") is None
    assert world.pods(namespace="x") == []
    assert world.user.list("ConfigMap", "x") == []


def test_while_pods_stop_nothing_else_is_deleted(world) -> None:
    world.stop_seconds = 20.0
    pod = {"containers": [{"name": "app", "image": "nginx"}]}
    metadata = {"name": "slow", "namespace": "x"}
    world.user.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod})
    put(world, "ConfigMap", "settings")
    world.run(5)
    world.user.delete("Namespace", "x")
    world.run(10)
    assert world.find("ConfigMap", "settings", "x") is not None
    conditions = world.user.get("Namespace", "x")["status"]["conditions"]
    assert {condition["status"] for condition in conditions} == {"False"}, "of pods it says nothing"
    world.run(60)
    assert world.find("Namespace", "x") is None


def test_a_finalizer_keeps_the_namespace_until_it_is_taken_off(world) -> None:
    put(world, "ConfigMap", "held", finalizers=["example.com/hold"])
    world.user.delete("Namespace", "x")
    world.run(100)
    assert world.find("ConfigMap", "held", "x") is not None
    conditions = world.user.get("Namespace", "x")["status"]["conditions"]
    told = {c["type"]: c["message"] for c in conditions if c["status"] == "True"}
    assert told == {
        "NamespaceContentRemaining": (
            "Some resources are remaining: configmaps. has 1 resource instances"
        ),
        "NamespaceFinalizersRemaining": (
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 "
            "resource instances"
        ),
    }
    world.user.patch("ConfigMap", "held", {"metadata": {"finalizers": None}}, "x")
    world.run(20)
    assert world.find("Namespace", "x") is None


@given(
    kills=st.lists(
        st.tuples(st.floats(0.0, 6.0), st.sampled_from(["namespace", "serviceaccount"])),
        max_size=4,
    ),
    seed=st.integers(0, 1000),
)
def test_a_namespace_goes_whoever_crashes(make_world, kills, seed) -> None:
    names = ("namespace-controller", "serviceaccount-controller", "garbage-collector-controller")
    world = make_world([HOUSEKEEPING[name] for name in names], seed=seed)
    world.user.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    world.run(1)
    put(world, "ConfigMap", "settings")
    put(world, "Secret", "password")
    world.user.delete("Namespace", "x")
    for wait, name in kills:
        world.run(wait)
        world.restart(f"{name}-controller")
    world.run(60)
    assert world.find("Namespace", "x") is None
    assert world.user.list("Secret", "x") == []
