from __future__ import annotations

from collections import Counter
from typing import Any

import pytest


def asks(cpu: str = "", memory: str = "") -> dict[str, Any]:
    requests = {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"resources": {"requests": requests}}


def node_affinity(*expressions: dict[str, Any]) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def pod_term(app: str, key: str = "kubernetes.io/hostname") -> list[dict[str, Any]]:
    return [{"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}]


def message(lab: Any, name: str = "web") -> str:
    return str(lab.condition("PodScheduled", name).get("message", ""))


def test_a_pod_is_bound_with_the_real_event_and_condition(lab: Any) -> None:
    lab.create_pod("shop/web:1")
    lab.run(0.1)
    assert ("Scheduled", "Successfully assigned default/web to node-1") in lab.events()
    assert lab.condition("PodScheduled")["status"] == "True"
    event = next(e for e in lab.cluster.list("v1/Event") if e["reason"] == "Scheduled")
    assert event["reportingComponent"] == "default-scheduler"
    assert event["action"] == "Binding"
    assert event["eventTime"]


def test_equal_pods_are_spread_over_nodes(lab: Any) -> None:
    for number in range(6):
        lab.create_pod("shop/web:1", f"web-{number}")
    lab.run(5)
    assert Counter(lab.places().values()) == {"node-1": 2, "node-2": 2, "node-3": 2}


def test_too_much_cpu_is_told_as_the_real_scheduler_does(lab: Any) -> None:
    lab.create_pod("shop/web:1", container=asks("20"), name="a", nodeName="node-1")
    lab.create_pod("shop/web:1", container=asks("20"), name="b", nodeName="node-2")
    lab.create_pod("shop/web:1", container=asks("20"), name="c", nodeName="node-3")
    lab.run(5)
    lab.create_pod("shop/web:1", container=asks("20"))
    lab.run(1)
    text = (
        "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: "
        "3 No preemption victims found for incoming pod."
    )
    assert message(lab) == text
    assert lab.condition("PodScheduled")["reason"] == "Unschedulable"
    assert lab.events() == [("FailedScheduling", text)]
    lab.cluster.delete("pod", "b", "default")
    lab.run(10)
    assert lab.places()["web"] == "node-2"


def test_more_than_any_node_has_is_beyond_preemption(lab: Any) -> None:
    lab.create_pod("shop/web:1", container=asks("64", "1Ti"))
    lab.run(1)
    assert message(lab) == (
        "0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. preemption: 0/3 "
        "nodes are available: 3 Preemption is not helpful for scheduling."
    )


def test_a_selector_that_no_node_meets_waits_for_a_label(lab: Any) -> None:
    lab.create_pod("shop/web:1", nodeSelector={"disk": "ssd"})
    lab.run(1)
    assert message(lab) == (
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )
    lab.cluster.patch("node", "node-2", {"metadata": {"labels": {"disk": "ssd"}}})
    lab.run(5)
    assert lab.places() == {"web": "node-2"}


@pytest.mark.parametrize(
    ("expression", "node"),
    [
        ({"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-3"]}, "node-3"),
        (
            {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["node-1", "node-3"]},
            "node-2",
        ),
        ({"key": "topology.kubernetes.io/zone", "operator": "Exists"}, "node-1"),
        ({"key": "nothing", "operator": "Exists"}, ""),
    ],
)
def test_required_node_affinity_is_kept(lab: Any, expression: dict[str, Any], node: str) -> None:
    lab.create_pod("shop/web:1", affinity=node_affinity(expression))
    lab.run(1)
    assert lab.places() == {"web": node}


def test_preferred_node_affinity_outweighs_free_resources(lab: Any) -> None:
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-3"]}
    preferred = [{"weight": 10, "preference": {"matchExpressions": [expression]}}]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    lab.create_pod("shop/web:1", "full", container=asks("8"), nodeName="node-3")
    lab.create_pod("shop/web:1", affinity=affinity)
    lab.run(1)
    assert lab.places()["web"] == "node-3"


def test_taints_keep_out_who_does_not_tolerate_them(lab: Any) -> None:
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    for number in (1, 2, 3):
        lab.cluster.patch("node", f"node-{number}", {"spec": {"taints": [taint]}})
    lab.create_pod("shop/web:1")
    toleration = {"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}
    lab.create_pod("shop/web:1", "tolerant", tolerations=[toleration])
    lab.run(1)
    assert message(lab).startswith(
        "0/3 nodes are available: 3 node(s) had untolerated taint {gpu: yes}."
    )
    assert lab.places()["tolerant"] == "node-1"


def test_a_cordoned_node_gets_no_pods(lab: Any) -> None:
    for number in (1, 3):
        lab.cluster.patch("node", f"node-{number}", {"spec": {"unschedulable": True}})
    lab.run(1)
    for number in range(3):
        lab.create_pod("shop/web:1", f"web-{number}")
    lab.run(1)
    assert set(lab.places().values()) == {"node-2"}
    (taint,) = lab.cluster.get("node", "node-1")["spec"]["taints"]
    assert taint["key"] == "node.kubernetes.io/unschedulable"


def test_anti_affinity_puts_each_on_a_node_of_its_own(lab: Any) -> None:
    affinity = {
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": pod_term("web")}
    }
    for number in range(4):
        metadata = {"labels": {"app": "web"}}
        lab.create_pod("shop/web:1", f"web-{number}", metadata=metadata, affinity=affinity)
    lab.run(5)
    assert sorted(lab.places().values()) == ["", "node-1", "node-2", "node-3"]
    left = next(name for name, node in lab.places().items() if not node)
    assert message(lab, left).startswith(
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules."
    )


def test_affinity_brings_pods_together_and_lets_the_first_one_in(lab: Any) -> None:
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": pod_term("web")}}
    for number in range(3):
        metadata = {"labels": {"app": "web"}}
        lab.create_pod("shop/web:1", f"web-{number}", metadata=metadata, affinity=affinity)
    lab.create_pod("shop/web:1", "other", affinity={"podAffinity": {**affinity["podAffinity"]}})
    lab.run(5)
    assert len(set(lab.places().values())) == 1
    missing = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": pod_term("db")}}
    lab.create_pod("shop/web:1", "lonely", affinity=missing)
    lab.run(1)
    assert "3 node(s) didn't match pod affinity rules" in message(lab, "lonely")


def test_topology_spread_keeps_the_skew(lab: Any) -> None:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    lab.cluster.patch("node", "node-3", {"spec": {"unschedulable": True}})
    lab.run(1)
    for number in range(3):
        metadata = {"labels": {"app": "web"}}
        lab.create_pod(
            "shop/web:1",
            f"web-{number}",
            metadata=metadata,
            topologySpreadConstraints=[constraint],
        )
    lab.run(5)
    # The cordoned zone counts as an empty one: a third pod would make the others two ahead.
    assert sorted(lab.places().values()) == ["", "node-1", "node-2"]
    left = next(name for name, node in lab.places().items() if not node)
    assert "2 node(s) didn't match pod topology spread constraints" in message(lab, left)


def test_host_ports_do_not_share_a_node(lab: Any) -> None:
    ports = {"ports": [{"containerPort": 80, "hostPort": 8080}]}
    for number in range(4):
        lab.create_pod("shop/web:1", f"web-{number}", container=ports)
    lab.run(5)
    assert sorted(lab.places().values()) == ["", "node-1", "node-2", "node-3"]


def test_a_node_takes_no_more_pods_than_it_says(make_lab: Any) -> None:
    lab = make_lab(nodes=1)
    lab.cluster.patch(
        "node", "node-1", {"status": {"allocatable": {"pods": "2"}}}, subresource="status"
    )
    for number in range(3):
        lab.create_pod("shop/web:1", f"web-{number}")
    lab.run(5)
    assert sorted(lab.places().values()) == ["", "node-1", "node-1"]
    assert message(lab, "web-2").startswith("0/1 nodes are available: 1 Too many pods.")


def test_a_claim_that_is_not_there_is_waited_for(lab: Any) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    lab.create_pod("shop/web:1", volumes=[volume])
    lab.run(1)
    assert message(lab) == (
        '0/3 nodes are available: persistentvolumeclaim "data" not found. not found'
    )
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    lab.cluster.create(claim)
    lab.run(60)
    assert lab.is_ready()


def test_without_nodes_there_is_nothing_to_schedule_to(make_lab: Any) -> None:
    lab = make_lab(nodes=0)
    lab.create_pod("shop/web:1")
    lab.run(1)
    assert message(lab) == "no nodes available to schedule pods"


def test_a_pod_of_another_scheduler_is_left_alone(lab: Any) -> None:
    lab.create_pod("shop/web:1", schedulerName="mine")
    lab.run(10)
    assert lab.places() == {"web": ""}


def test_a_pod_of_higher_priority_makes_others_go(make_lab: Any) -> None:
    lab = make_lab(nodes=1)
    lab.cluster.create(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "urgent"},
            "value": 1000,
        }
    )
    for name in ("low-a", "low-b"):
        lab.create_pod("shop/web:1", name, container=asks("14"))
    lab.run(10)
    lab.create_pod(
        "shop/web:1", "urgent", container=asks("10"), priorityClassName="urgent", priority=1000
    )
    lab.run(10)
    places = lab.places()
    assert places["urgent"] == "node-1"
    assert len(places) == 2
    gone = ({"low-a", "low-b"} - places.keys()).pop()
    uid = lab.pod("urgent")["metadata"]["uid"]
    assert ("Preempted", f"Preempted by pod {uid} on node node-1") in lab.events(gone)


def test_a_pod_is_scheduled_after_a_scheduler_comes_back(lab: Any) -> None:
    lab.cluster.kill("kube-scheduler")
    lab.create_pod("shop/web:1")
    lab.run(10)
    assert lab.places() == {"web": ""}
    lab.cluster.start("kube-scheduler")
    lab.run(1)
    assert lab.places() == {"web": "node-1"}


def test_pods_get_zone_and_region_of_their_node_as_labels(lab: Any) -> None:
    key = "topology.kubernetes.io/zone"
    lab.cluster.patch("node", "node-2", {"metadata": {"labels": {"rack": "r1"}}})
    lab.create_pod("shop/web:1", nodeSelector={"kubernetes.io/hostname": "node-2"})
    lab.create_pod("shop/web:1", "direct", nodeName="node-3", metadata={"labels": {key: "mine"}})
    lab.run(1)
    assert lab.pod()["metadata"]["labels"] == {key: "zone-b"}
    assert lab.pod("direct")["metadata"]["labels"] == {key: "zone-c"}


def test_label_keys_of_a_pod_become_expressions_with_its_values(lab: Any) -> None:
    term = pod_term("web")[0] | {"matchLabelKeys": ["rev"], "mismatchLabelKeys": ["team", "none"]}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
        "matchLabelKeys": ["rev"],
    }
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    for number in range(4):
        lab.create_pod(
            "shop/web:1",
            f"web-{number}",
            metadata={"labels": {"app": "web", "rev": str(number // 3), "team": "shop"}},
            affinity={"podAntiAffinity": {required: [term]}},
            topologySpreadConstraints=[spread],
        )
    lab.run(3)
    stored = lab.pod("web-0")["spec"]
    expression = {"key": "rev", "operator": "In", "values": ["0"]}
    (constraint,) = stored["topologySpreadConstraints"]
    assert constraint["labelSelector"]["matchExpressions"] == [expression]
    (stored_term,) = stored["affinity"]["podAntiAffinity"][required]
    assert stored_term["labelSelector"]["matchExpressions"] == [
        expression,
        {"key": "team", "operator": "NotIn", "values": ["shop"]},
    ]
    assert len(set(list(lab.places().values())[:3])) == 3
    assert lab.places()["web-3"], "it is the first of its revision"
