"""What makes one fitting node better than another, and the finer rules of spread."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def labelled(**labels: str) -> dict[str, Any]:
    return {"labels": labels}


def term(key: str = HOST, **labels: str) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": labels}}


def wish(side: str, weight: int, key: str = HOST, **labels: str) -> dict[str, Any]:
    return {side: {PREFERRED: [{"weight": weight, "podAffinityTerm": term(key, **labels)}]}}


def spread(key: str = HOST, **options: Any) -> dict[str, Any]:
    constraint = {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    return {"topologySpreadConstraints": [constraint | options]}


def asks(cpu: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu}}}


def message(lab: Any, name: str) -> str:
    return str(lab.condition("PodScheduled", name).get("message", ""))


def test_preferred_affinity_outweighs_an_emptier_node(lab: Any) -> None:
    lab.create_pod("shop/db:1", "db", metadata=labelled(app="db"), nodeName="node-3")
    lab.create_pod("shop/web:1", affinity=wish("podAffinity", 50, app="db"))
    lab.run(1)
    assert lab.places()["web"] == "node-3"


def test_preferred_anti_affinity_keeps_apart_while_there_is_room(lab: Any) -> None:
    for number in range(4):
        lab.create_pod(
            "shop/web:1",
            f"web-{number}",
            metadata=labelled(app="web"),
            affinity=wish("podAntiAffinity", 100, app="web"),
        )
    lab.run(2)
    assert sorted(Counter(lab.places().values()).values()) == [1, 1, 2]


def test_a_pod_keeps_away_from_those_that_would_rather_be_alone(lab: Any) -> None:
    for node in ("node-1", "node-2"):
        lab.create_pod(
            "shop/db:1",
            f"db-{node}",
            nodeName=node,
            affinity=wish("podAntiAffinity", 100, app="web"),
        )
    lab.create_pod("shop/big:1", "big", container=asks("20"), nodeName="node-3")
    lab.run(1)
    lab.create_pod("shop/web:1", metadata=labelled(app="web"))
    lab.run(1)
    assert lab.places()["web"] == "node-3"


def test_a_taint_that_prefers_others_outweighs_wishes(lab: Any) -> None:
    taint = {"key": "spot", "value": "yes", "effect": "PreferNoSchedule"}
    for node in ("node-1", "node-2"):
        lab.cluster.patch("node", node, {"spec": {"taints": [taint]}})
    lab.run(1)
    expression = {"key": HOST, "operator": "In", "values": ["node-1"]}
    preferred = [{"weight": 1, "preference": {"matchExpressions": [expression]}}]
    lab.create_pod("shop/web:1", affinity={"nodeAffinity": {PREFERRED: preferred}})
    lab.run(1)
    assert lab.places() == {"web": "node-3"}


def test_schedule_anyway_makes_emptier_zones_better(make_lab: Any) -> None:
    lab = make_lab(nodes=4)  # node-4 is in the zone of node-1
    for number, node in enumerate(("node-2", "node-3")):
        lab.create_pod("shop/web:1", f"old-{number}", metadata=labelled(app="web"), nodeName=node)
    for node in ("node-1", "node-4"):
        lab.create_pod("shop/big:1", f"big-{node}", container=asks("16"), nodeName=node)
    lab.run(1)
    constraint = spread(ZONE, whenUnsatisfiable="ScheduleAnyway")
    lab.create_pod("shop/web:1", metadata=labelled(app="web"), **constraint)
    lab.run(1)
    assert lab.places()["web"] in ("node-1", "node-4")


def test_pods_of_one_replica_set_are_spread_without_being_told(make_lab: Any) -> None:
    lab = make_lab(nodes=3)
    lab.create_pod("shop/big:1", "big", container=asks("4"), nodeName="node-1")
    lab.run(1)
    container = {"name": "main", "image": "shop/web:1"}
    lab.cluster.create(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": labelled(app="web"), "spec": {"containers": [container]}},
            },
        }
    )
    lab.run(5)
    places = [node for name, node in lab.places().items() if name.startswith("web-")]
    assert sorted(places) == ["node-1", "node-2", "node-3"]


def test_too_few_domains_count_as_an_empty_one(lab: Any) -> None:
    constraint = spread(minDomains=4)
    for number in range(4):
        lab.create_pod("shop/web:1", f"web-{number}", metadata=labelled(app="web"), **constraint)
    lab.run(3)
    assert sorted(lab.places().values()) == ["", "node-1", "node-2", "node-3"]


@pytest.mark.parametrize(("policy", "placed"), [("Ignore", 2), ("Honor", 4)])
def test_tainted_nodes_are_domains_unless_the_policy_honors_taints(
    lab: Any, policy: str, placed: int
) -> None:
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    lab.cluster.patch("node", "node-3", {"spec": {"taints": [taint]}})
    lab.run(1)
    constraint = spread(nodeTaintsPolicy=policy)
    for number in range(4):
        lab.create_pod("shop/web:1", f"web-{number}", metadata=labelled(app="web"), **constraint)
    lab.run(3)
    assert sum(bool(node) for node in lab.places().values()) == placed


def test_a_node_without_the_key_of_a_spread_is_told_of(lab: Any) -> None:
    lab.create_pod("shop/web:1", metadata=labelled(app="web"), **spread("rack"))
    lab.run(1)
    assert message(lab, "web") == (
        "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints "
        "(missing required label). preemption: 0/3 nodes are available: 3 Preemption is not "
        "helpful for scheduling."
    )


def test_a_pod_that_waits_for_a_neighbour_is_placed_when_it_comes(lab: Any) -> None:
    lab.create_pod("shop/web:1", affinity={"podAffinity": {REQUIRED: [term(app="db")]}})
    lab.run(5)
    assert lab.places() == {"web": ""}
    lab.create_pod("shop/db:1", "db", metadata=labelled(app="db"))
    lab.run(5)
    assert lab.places()["web"] == lab.places()["db"] != ""


def test_affinity_wants_one_pod_that_meets_all_terms(lab: Any) -> None:
    lab.create_pod("shop/db:1", "db", metadata=labelled(app="db"), nodeName="node-1")
    lab.create_pod("shop/cache:1", "cache", metadata=labelled(tier="fast"), nodeName="node-1")
    terms = [term(app="db"), term(tier="fast")]
    lab.create_pod("shop/web:1", affinity={"podAffinity": {REQUIRED: terms}})
    lab.run(1)
    assert "3 node(s) didn't match pod affinity rules" in message(lab, "web")
