from __future__ import annotations

from typing import Any

from gitops_sim.journal.facts import FaultEnded, FaultStarted

TOLERATED = [
    {
        "key": f"node.kubernetes.io/{key}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for key in ("not-ready", "unreachable")
]


def ready(lab: Any, node: str) -> tuple[str, str]:
    conditions = lab.cluster.get("node", node)["status"]["conditions"]
    found = next(c for c in conditions if c["type"] == "Ready")
    return found["status"], found["reason"]


def taints(lab: Any, node: str) -> list[tuple[str, str]]:
    found = lab.cluster.get("node", node)["spec"].get("taints") or []
    return sorted((taint["key"], taint["effect"]) for taint in found)


def test_nodes_register_and_are_ready(lab: Any) -> None:
    nodes = lab.cluster.list("v1/Node")
    assert [node["metadata"]["name"] for node in nodes] == ["node-1", "node-2", "node-3"]
    assert all(ready(lab, node["metadata"]["name"])[0] == "True" for node in nodes)
    assert all(taints(lab, node["metadata"]["name"]) == [] for node in nodes)
    assert lab.events("node-1") == [
        ("RegisteredNode", "Node node-1 event: Registered Node node-1 in Controller")
    ]
    assert nodes[0]["metadata"]["labels"]["kubernetes.io/hostname"] == "node-1"


def test_a_silent_node_is_unknown_after_its_grace_and_tainted(lab: Any) -> None:
    lab.cluster.node_down("node-1")
    lab.run(49)
    assert ready(lab, "node-1")[0] == "True"
    lab.run(2)
    assert ready(lab, "node-1") == ("Unknown", "NodeStatusUnknown")
    assert taints(lab, "node-1") == [
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoSchedule"),
    ]
    assert ("NodeNotReady", "Node node-1 status is now: NodeNotReady") in lab.events("node-1")


def test_its_pods_are_unready_at_once_and_evicted_when_they_tolerate_it_no_longer(
    lab: Any,
) -> None:
    lab.create_pod("shop/web:1", nodeName="node-1", tolerations=TOLERATED)
    lab.run(10)
    lab.cluster.node_down("node-1")
    lab.run(51)
    assert not lab.is_ready()
    assert ("NodeNotReady", "Node is not ready") in lab.events()
    lab.run(298)
    assert "deletionTimestamp" not in lab.pod()["metadata"]
    lab.run(3)
    assert "deletionTimestamp" in lab.pod()["metadata"]
    assert lab.condition("DisruptionTarget")["reason"] == "DeletionByTaintManager"
    assert ("TaintManagerEviction", "Marking for deletion Pod default/web") in lab.events()
    lab.run(600)
    assert "web" in lab.places()  # nobody confirms that it stopped
    lab.cluster.node_up("node-1")
    lab.run(5)
    assert lab.places() == {}


def test_a_pod_that_tolerates_for_ever_stays_and_starts_again(lab: Any) -> None:
    tolerations = [{key: t[key] for key in t if key != "tolerationSeconds"} for t in TOLERATED]
    lab.create_pod("shop/web:1", nodeName="node-1", tolerations=tolerations)
    lab.run(10)
    lab.cluster.node_down("node-1")
    lab.run(1000)
    lab.cluster.node_up("node-1")
    lab.run(10)
    assert lab.is_ready()
    assert lab.container()["restartCount"] == 1


def test_a_node_that_comes_back_is_ready_without_taints(lab: Any) -> None:
    lab.cluster.node_down("node-2")
    lab.run(100)
    lab.cluster.node_up("node-2")
    lab.run(1)
    assert ready(lab, "node-2") == ("True", "KubeletReady")
    assert taints(lab, "node-2") == []
    assert [type(fact) for fact in lab.journal.facts() if "node down" in str(fact)] == [
        FaultStarted,
        FaultEnded,
    ]


def test_a_short_outage_is_not_noticed(lab: Any) -> None:
    lab.create_pod("shop/web:1", nodeName="node-1", tolerations=TOLERATED)
    lab.run(10)
    lab.cluster.node_down("node-1")
    lab.run(20)
    lab.cluster.node_up("node-1")
    lab.run(10)
    assert lab.is_ready()
    assert lab.events("node-1")[-1][0] == "RegisteredNode"


def test_a_taint_set_by_hand_evicts_who_does_not_tolerate_it(lab: Any) -> None:
    lab.create_pod("shop/web:1", nodeName="node-1")
    lab.create_pod(
        "shop/web:1", "tolerant", nodeName="node-1", tolerations=[{"operator": "Exists"}]
    )
    lab.run(10)
    taint = {"key": "maintenance", "effect": "NoExecute"}
    lab.cluster.patch("node", "node-1", {"spec": {"taints": [taint]}})
    lab.run(10)
    assert list(lab.places()) == ["tolerant"]
    assert taints(lab, "node-1") == [("maintenance", "NoExecute")]


def test_a_node_that_never_told_its_state_is_unknown_after_a_minute(lab: Any) -> None:
    lab.cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "mute"}})
    lab.run(59)
    assert "conditions" not in lab.cluster.get("node", "mute")["status"]
    lab.run(2)
    assert ready(lab, "mute") == ("Unknown", "NodeStatusNeverUpdated")
    assert ("node.kubernetes.io/unreachable", "NoExecute") in taints(lab, "mute")


def test_a_new_node_is_told_how_long_secrets_may_be_cached(lab: Any) -> None:
    lab.cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "mute"}})
    lab.run(1)
    annotations = lab.cluster.get("node", "mute")["metadata"]["annotations"]
    assert annotations["node.alpha.kubernetes.io/ttl"] == "0"


def test_every_node_has_a_lease_of_its_own(lab: Any) -> None:
    leases = lab.cluster.list("coordination.k8s.io/v1/Lease", "kube-node-lease")
    assert [lease["spec"]["holderIdentity"] for lease in leases] == ["node-1", "node-2", "node-3"]
    node = lab.cluster.get("node", "node-1")
    assert leases[0]["metadata"]["ownerReferences"][0]["uid"] == node["metadata"]["uid"]


def evicting(lab: Any) -> list[str]:
    """Return the nodes from which pods are evicted."""
    return [
        node["metadata"]["name"]
        for node in lab.cluster.list("v1/Node")
        if any(taint["effect"] == "NoExecute" for taint in node["spec"].get("taints") or ())
    ]


def test_nodes_of_a_zone_that_is_cut_off_are_evicted_one_in_ten_seconds(make_lab: Any) -> None:
    lab = make_lab(nodes=9)
    for name in ("node-1", "node-4", "node-7"):  # zone-a
        lab.cluster.node_down(name)
    lab.run(51)
    assert len(evicting(lab)) == 1
    lab.run(10)
    assert len(evicting(lab)) == 2
    lab.run(10)
    assert evicting(lab) == ["node-1", "node-4", "node-7"]


def test_while_most_of_a_zone_is_silent_nobody_is_evicted_from_it(make_lab: Any) -> None:
    lab = make_lab(nodes=15)
    for name in ("node-1", "node-4", "node-7"):  # three of five in zone-a
        lab.cluster.node_down(name)
    lab.run(120)
    assert evicting(lab) == []
    assert ("node.kubernetes.io/unreachable", "NoSchedule") in taints(lab, "node-1")
    lab.cluster.node_up("node-7")
    lab.run(30)
    assert evicting(lab) == ["node-1", "node-4"]


def test_when_all_nodes_are_silent_nobody_is_evicted(lab: Any) -> None:
    lab.cluster.node_down("node-1")
    lab.run(60)
    assert evicting(lab) == ["node-1"]
    for name in ("node-2", "node-3"):
        lab.cluster.node_down(name)
    lab.run(120)
    assert evicting(lab) == []
    lab.cluster.node_up("node-2")
    lab.run(30)
    assert evicting(lab) == ["node-1", "node-3"]


def test_an_eviction_that_is_not_needed_any_more_is_called_off(lab: Any) -> None:
    lab.create_pod("shop/web:1", nodeName="node-1", tolerations=TOLERATED)
    lab.run(10)
    lab.cluster.node_down("node-1")
    lab.run(100)
    lab.cluster.node_up("node-1")
    lab.run(30)
    assert lab.events()[-1] != ("TaintManagerEviction", "Marking for deletion Pod default/web")
    assert ("TaintManagerEviction", "Cancelling deletion of Pod default/web") in lab.events()
    lab.run(600)
    assert lab.places() == {"web": "node-1"}
