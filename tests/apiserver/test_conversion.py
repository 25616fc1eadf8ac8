"""Kinds that are served in two versions, or under two groups."""

from __future__ import annotations

from typing import Any

from gitops_sim.apiserver import InProcessClient


def autoscaler(version: str, **spec: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "apiVersion": f"autoscaling/{version}",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h", "namespace": "default"},
        "spec": {"maxReplicas": 5, "scaleTargetRef": target} | spec,
    }


def test_an_autoscaler_of_version_1_is_one_of_version_2(client: InProcessClient) -> None:
    one = client.create(autoscaler("v1", targetCPUUtilizationPercentage=50))
    assert one["spec"]["targetCPUUtilizationPercentage"] == 50
    two = client.get("autoscaling/v2/HorizontalPodAutoscaler", "h", "default")
    target = {"type": "Utilization", "averageUtilization": 50}
    assert two["spec"]["metrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    ]
    assert "targetCPUUtilizationPercentage" not in two["spec"]


def test_an_autoscaler_of_version_2_is_read_and_changed_in_version_1(
    client: InProcessClient,
) -> None:
    client.create(autoscaler("v2"))
    kind = "autoscaling/v1/HorizontalPodAutoscaler"
    assert client.get(kind, "h", "default")["spec"]["targetCPUUtilizationPercentage"] == 80
    client.patch(kind, "h", {"spec": {"targetCPUUtilizationPercentage": 60}}, "default")
    two = client.get("autoscaling/v2/HorizontalPodAutoscaler", "h", "default")
    assert two["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 60


def test_events_of_both_groups_are_the_same_events(client: InProcessClient) -> None:
    old = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "old", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
        "reason": "Because",
        "message": "text",
        "type": "Normal",
        "count": 3,
    }
    client.create(old)
    seen = client.get("events.k8s.io/v1/Event", "old", "default")
    assert (seen["note"], seen["regarding"]["name"], seen["deprecatedCount"]) == ("text", "p", 3)
    assert not {"message", "involvedObject", "count"} & seen.keys()
    new = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "new", "namespace": "default"},
        "regarding": {"kind": "Pod", "namespace": "default", "name": "p"},
        "eventTime": "2026-01-05T09:00:00.000000Z",
        "reportingController": "example.com/c",
        "reportingInstance": "c-1",
        "action": "Looking",
        "reason": "Because",
        "note": "text",
        "type": "Normal",
    }
    client.create(new)
    core = client.get("v1/Event", "new", "default")
    assert (core["message"], core["involvedObject"]["name"]) == ("text", "p")
    assert [e["metadata"]["name"] for e in client.list("v1/Event", "default")] == ["new", "old"]
