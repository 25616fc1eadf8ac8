"""Pods that make others go: who goes, what it is told, and who gets the place."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.types import Manifest

HOST = "kubernetes.io/hostname"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def asks(cpu: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu}}}


def importance(lab: Any, name: str, value: int, **options: Any) -> None:
    lab.cluster.create(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
        }
        | options
    )


def budget(lab: Any, app: str, allowed: int) -> None:
    """Create a budget that spares all pods of an app but `allowed`."""
    lab.cluster.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": app, "namespace": "default"},
            "spec": {
                "maxUnavailable": allowed,
                "selector": {"matchLabels": {"app": app}},
            },
        }
    )


def replica_set(lab: Any, name: str, cpu: str) -> None:
    container = {"name": "main", "image": "shop/web:1"} | asks(cpu)
    lab.cluster.create(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [container]},
                },
            },
        }
    )


def message(lab: Any, name: str) -> str:
    return str(lab.condition("PodScheduled", name)["message"])


@pytest.fixture
def lab(make_lab: Any) -> Any:
    """Return a cluster of one node with 32 cores, and two priority classes."""
    lab = make_lab(nodes=1)
    importance(lab, "urgent", 1000)
    importance(lab, "polite", 1000, preemptionPolicy="Never")
    return lab


def test_a_victim_is_told_and_its_place_kept_by_a_nomination(lab: Any) -> None:
    lab.create_pod("shop/web:1", "low", container=asks("30"))
    lab.run(5)
    lab.create_pod("shop/web:1", "high", container=asks("30"), priorityClassName="urgent")
    lab.run(0.5)
    high = lab.pod("high")
    assert high["status"]["nominatedNodeName"] == "node-1"
    assert message(lab, "high") == (
        "0/1 nodes are available: 1 Insufficient cpu. preemption: found a potential placement "
        "for pod on node node-1, preempting 1 victims"
    )
    target = lab.condition("DisruptionTarget", "low")
    assert target["reason"] == "PreemptionByScheduler"
    assert target["message"] == (
        "default-scheduler: preempting to accommodate a higher priority pod"
    )
    uid = high["metadata"]["uid"]
    assert ("Preempted", f"Preempted by pod {uid} on node node-1") in lab.events("low")
    lab.run(40)
    assert lab.places() == {"high": "node-1"}


def test_a_replacement_of_the_victim_does_not_take_the_place(lab: Any) -> None:
    replica_set(lab, "web", "20")
    replica_set(lab, "api", "10")
    lab.run(5)
    lab.create_pod("shop/web:1", "high", container=asks("32"), priorityClassName="urgent")
    lab.run(60)
    places = lab.places()
    assert places.pop("high") == "node-1"
    assert "nominatedNodeName" not in lab.pod("high")["status"]
    assert set(places.values()) == {""}
    assert len(places) == 2


def test_pods_whose_budget_is_used_up_go_last(lab: Any) -> None:
    replica_set(lab, "spared", "14")
    lab.run(5)
    replica_set(lab, "other", "14")
    budget(lab, "spared", 0)
    lab.run(5)
    lab.create_pod("shop/web:1", "high", container=asks("14"), priorityClassName="urgent")
    lab.run(40)
    apps = [
        pod["metadata"]["labels"]["app"]
        for pod in lab.cluster.list("v1/Pod", "default", labels="app")
        if pod["spec"].get("nodeName")
    ]
    assert apps == ["spared"]


def test_a_budget_does_not_stop_preemption(lab: Any) -> None:
    replica_set(lab, "spared", "30")
    budget(lab, "spared", 0)
    lab.run(5)
    lab.create_pod("shop/web:1", "high", container=asks("30"), priorityClassName="urgent")
    lab.run(40)
    assert lab.places()["high"] == "node-1"


def test_of_equal_victims_the_youngest_goes(lab: Any) -> None:
    for name in ("old", "young"):
        lab.create_pod("shop/web:1", name, container=asks("14"))
        lab.run(5)
    lab.create_pod("shop/web:1", "high", container=asks("14"), priorityClassName="urgent")
    lab.run(40)
    assert set(lab.places()) == {"old", "high"}


def test_a_polite_pod_makes_nobody_go(lab: Any) -> None:
    lab.create_pod("shop/web:1", "low", container=asks("30"))
    lab.run(5)
    options = {"priorityClassName": "polite", "preemptionPolicy": "Never"}
    lab.create_pod("shop/web:1", "high", container=asks("30"), **options)
    lab.run(5)
    assert message(lab, "high") == (
        "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to "
        "preemptionPolicy=Never."
    )
    assert lab.places() == {"low": "node-1", "high": ""}


def test_victims_that_would_not_make_enough_room_stay(lab: Any) -> None:
    importance(lab, "middle", 500)
    lab.create_pod("shop/web:1", "equal", container=asks("20"), priorityClassName="urgent")
    lab.create_pod("shop/web:1", "low", container=asks("10"))
    lab.run(5)
    lab.create_pod("shop/web:1", "high", container=asks("20"), priorityClassName="urgent")
    lab.run(5)
    assert message(lab, "high") == (
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
        "1 Insufficient cpu."
    )
    assert lab.places()["low"] == "node-1"


def test_a_pod_that_refuses_neighbours_goes_for_one_of_higher_priority(lab: Any) -> None:
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "high"}}}
    lab.create_pod("shop/web:1", "low", affinity={"podAntiAffinity": {REQUIRED: [term]}})
    lab.run(5)
    metadata = {"labels": {"app": "high"}}
    lab.create_pod("shop/web:1", "high", metadata=metadata, priorityClassName="urgent")
    lab.run(40)
    assert lab.places() == {"high": "node-1"}


def test_a_nomination_ends_when_the_place_is_gone(lab: Any) -> None:
    lab.create_pod("shop/web:1", "low", container=asks("30"))
    lab.run(5)
    lab.create_pod("shop/web:1", "high", container=asks("30"), priorityClassName="urgent")
    lab.run(0.5)
    lab.cluster.patch("node", "node-1", {"spec": {"unschedulable": True}})
    lab.run(60)
    high: Manifest = lab.pod("high")
    assert "nominatedNodeName" not in high["status"]
    assert message(lab, "high").startswith("0/1 nodes are available: 1 node(s) were unschedulable.")
