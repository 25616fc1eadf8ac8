"""Roles made of others follow what they are made of."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.cluster.housekeeping import HOUSEKEEPING


@pytest.fixture
def world(make_world):
    return make_world([HOUSEKEEPING["clusterrole-aggregation-controller"]])


def role(name: str, **members: Any) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": members.pop("labels", {})},
        "rules": [],
        **members,
    }


RULE = {"apiGroups": ["example.com"], "resources": ["gizmos"], "verbs": ["get"]}
SELECTORS = {"clusterRoleSelectors": [{"matchLabels": {"to-all": "yes"}}]}


def rules(world: Any) -> Any:
    return world.user.get("ClusterRole", "all").get("rules") or []


def test_the_rules_of_labelled_roles_are_held_and_given_up(world) -> None:
    world.user.create(role("all", aggregationRule=SELECTORS))
    world.user.create(role("gizmos", labels={"to-all": "yes"}, rules=[RULE]))
    world.user.create(role("other", rules=[RULE | {"resources": ["others"]}]))
    world.run(2)
    assert rules(world) == [RULE]
    managers = [
        m["manager"] for m in world.user.get("ClusterRole", "all")["metadata"]["managedFields"]
    ]
    assert "clusterrole-aggregation-controller" in managers
    world.user.delete("ClusterRole", "gizmos")
    world.run(2)
    assert rules(world) == []


def test_the_roles_for_people_have_rules(world) -> None:
    world.run(2)
    viewed = {
        resource
        for rule in world.user.get("ClusterRole", "view").get("rules") or []
        for resource in rule["resources"]
    }
    assert "pods" in viewed
    assert "secrets" not in viewed
