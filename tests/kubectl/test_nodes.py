"""Nodes that take no new pods: cordoned, tainted."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def nodes(kubectl: Any) -> Any:
    for name in ("node-1", "node-2"):
        labels = {"kubernetes.io/hostname": name}
        metadata = {"name": name, "labels": labels}
        kubectl.client.create({"apiVersion": "v1", "kind": "Node", "metadata": metadata})
    return kubectl


def spec(kubectl: Any, name: str = "node-1") -> dict[str, Any]:
    found: dict[str, Any] = kubectl.client.get("v1/Node", name).get("spec") or {}
    return found


def taints(kubectl: Any) -> set[tuple[str, str, str]]:
    """Those that people set."""
    told = spec(kubectl).get("taints") or ()
    found = {(t["key"], t.get("value", ""), t["effect"]) for t in told}
    return found - {("node.kubernetes.io/not-ready", "", "NoSchedule")}


def test_a_node_is_cordoned_once_and_uncordoned(nodes: Any) -> None:
    assert nodes.ok("cordon node-1") == "node/node-1 cordoned\n"
    assert spec(nodes)["unschedulable"] is True
    assert nodes.ok("cordon node-1") == "node/node-1 already cordoned\n"
    assert nodes.ok("uncordon -l kubernetes.io/hostname=node-1") == "node/node-1 uncordoned\n"
    assert "unschedulable" not in spec(nodes)
    assert nodes.ok("uncordon node-1") == "node/node-1 already uncordoned\n"


def test_a_cordon_that_is_only_tried_changes_nothing(nodes: Any) -> None:
    assert nodes.ok("cordon node-1 --dry-run=client") == "node/node-1 cordoned (dry run)\n"
    assert nodes.ok("cordon node-1 --dry-run=server") == "node/node-1 cordoned (server dry run)\n"
    assert "unschedulable" not in spec(nodes)


def test_taints_are_set_changed_and_taken_away(nodes: Any) -> None:
    assert nodes.ok("taint nodes node-1 a=x:NoSchedule") == "node/node-1 tainted\n"
    assert nodes.ok("taint nodes node-1 b:NoExecute a:PreferNoSchedule").endswith("tainted\n")
    assert nodes.ok("taint nodes node-1 a=y:NoSchedule --overwrite") == "node/node-1 modified\n"
    others = {("b", "", "NoExecute"), ("a", "", "PreferNoSchedule")}
    assert taints(nodes) == {("a", "y", "NoSchedule"), *others}
    assert nodes.ok("taint node node-1 a:NoSchedule-") == "node/node-1 untainted\n"
    assert taints(nodes) == others
    assert nodes.ok("taint nodes node-1 a- b-") == "node/node-1 untainted\n"
    assert taints(nodes) == set()


def test_all_nodes_are_tainted_at_once(nodes: Any) -> None:
    told = nodes.ok("taint nodes --all x=y:PreferNoSchedule")
    assert told == "node/node-1 tainted\nnode/node-2 tainted\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cordon", "error: USAGE: cordon NODE [flags]\nSee 'kubectl cordon -h' for help"),
        ("cordon node-9", 'nodes "node-9" not found'),
        ("taint nodes node-1", "at least one taint update is required"),
        ("taint nodes node-1 a=b:Never", "invalid taint effect: Never, unsupported taint effect"),
        ("taint nodes node-1 a-", 'taint "a" not found'),
        ("taint nodes node-1 a:NoSchedule-", 'taint "a:NoSchedule" not found'),
        ("taint pods x a=b:NoSchedule", "invalid resource type pods, only node types"),
    ],
)
def test_what_cannot_be_done_to_nodes_is_told(nodes: Any, line: str, says: str) -> None:
    assert says in nodes.fails(line)


def test_a_taint_is_not_changed_unasked(nodes: Any) -> None:
    nodes.ok("taint nodes node-1 a=x:NoSchedule")
    told = nodes.fails("taint nodes node-1 a=y:NoSchedule")
    assert "node node-1 already has a taint(s) with same effect(s) and --overwrite is false" in told
