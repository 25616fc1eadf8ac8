"""Autoscalers: up at once, down after a while, and what they say without metrics."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from gitops_sim.cluster.housekeeping import autoscaler
from gitops_sim.cluster.workloads import WORKLOADS

TARGETS = [WORKLOADS["deployment-controller"], WORKLOADS["replicaset-controller"]]


def scaler(**spec: Any) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 10,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            **spec,
        },
    }


def deployment(workload: Any, replicas: int, cpu: str | None = "100m") -> dict[str, Any]:
    manifest = workload("Deployment", "web", replicas=replicas)
    if cpu:
        container = manifest["spec"]["template"]["spec"]["containers"][0]
        container["resources"] = {"requests": {"cpu": cpu}}
    return manifest


class Load:
    """A load in cores that all pods of the target share."""

    def __init__(self) -> None:
        self.cores = Fraction(0)
        self.world: Any = None

    def __call__(self, pod: dict[str, Any], resource: str) -> Fraction | None:
        return self.cores / max(1, len(self.world.pods())) if resource == "cpu" else None


@pytest.fixture
def load() -> Load:
    return Load()


@pytest.fixture
def world(make_world, load):
    load.world = make_world([*TARGETS, autoscaler(metrics=load)])
    return load.world


def replicas(world: Any) -> int:
    return world.get("Deployment", "web")["spec"]["replicas"]


def conditions(world: Any) -> dict[str, tuple[str, str]]:
    found = world.get("HorizontalPodAutoscaler", "web")["status"]["conditions"]
    return {c["type"]: (c["status"], c["reason"]) for c in found}


def test_busy_pods_get_company_until_the_target_is_met(world, workload, load) -> None:
    load.cores = Fraction(2, 10)  # 200 % of one pod's request, 50 % wanted
    world.user.create(deployment(workload, 1))
    world.user.create(scaler())
    world.run(120)
    assert replicas(world) == 4
    assert conditions(world)["ScalingActive"] == ("True", "ValidMetricFound")
    reason = "cpu resource utilization (percentage of request) above target"
    assert ("SuccessfulRescale", f"New size: 4; reason: {reason}") in world.events(
        "HorizontalPodAutoscaler", "web"
    )


def test_it_grows_at_most_twofold_at_a_time_and_not_beyond_the_maximum(
    world, workload, load
) -> None:
    load.cores = Fraction(10)
    world.user.create(deployment(workload, 3))
    world.run(10)
    watch = world.user.watch("apps/v1/Deployment")
    world.user.create(scaler())
    world.run(120)
    steps = list(dict.fromkeys(e.object["spec"]["replicas"] for e in watch.drain()))
    assert steps == [3, 6, 10]
    assert conditions(world)["ScalingLimited"] == ("True", "TooManyReplicas")


def test_a_lull_removes_pods_only_after_five_minutes(world, workload, load) -> None:
    load.cores = Fraction(2, 10)
    world.user.create(deployment(workload, 4))
    world.user.create(scaler())
    world.run(60)
    load.cores = Fraction(1, 100)
    world.run(240)
    assert replicas(world) == 4
    assert conditions(world)["AbleToScale"] == ("True", "ScaleDownStabilized")
    world.run(120)
    assert replicas(world) == 1


def test_within_the_tolerance_nothing_changes(world, workload, load) -> None:
    load.cores = Fraction(108, 1000)  # 54 % of 200m
    world.user.create(deployment(workload, 2))
    world.user.create(scaler())
    world.run(120)
    assert replicas(world) == 2


def test_the_bounds_hold_without_any_metric(make_world, workload) -> None:
    world = make_world([*TARGETS, autoscaler()])
    world.user.create(deployment(workload, 1))
    world.user.create(scaler(minReplicas=2))
    world.run(60)
    assert replicas(world) == 2


def test_without_metrics_it_says_that_no_server_gives_them(make_world, workload) -> None:
    world = make_world([*TARGETS, autoscaler()])
    world.user.create(deployment(workload, 2))
    world.user.create(scaler())
    world.run(60)
    status = world.get("HorizontalPodAutoscaler", "web")["status"]
    active = next(c for c in status["conditions"] if c["type"] == "ScalingActive")
    assert active["reason"] == "FailedGetResourceMetric"
    assert active["message"] == (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable "
        "to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the "
        "server could not find the requested resource (get pods.metrics.k8s.io)"
    )
    assert replicas(world) == 2


def test_pods_without_a_request_have_no_utilization(world, workload, load) -> None:
    load.cores = Fraction(1)
    world.user.create(deployment(workload, 1, cpu=None))
    world.user.create(scaler())
    world.run(60)
    status = world.get("HorizontalPodAutoscaler", "web")["status"]
    active = next(c for c in status["conditions"] if c["type"] == "ScalingActive")
    assert "missing request for cpu in container app of Pod web-" in active["message"]


def test_a_missing_target_is_told(world) -> None:
    world.user.create(scaler())
    world.run(30)
    assert conditions(world)["AbleToScale"] == ("False", "FailedGetScale")
    assert ("FailedGetScale", 'deployments.apps "web" not found') in world.events(
        "HorizontalPodAutoscaler", "web"
    )


def test_each_metric_that_fails_is_told_and_counted(make_world, workload) -> None:
    world = make_world([*TARGETS, autoscaler()])
    world.user.create(deployment(workload, 2))
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}}
    two = [*scaler()["spec"]["metrics"], {"type": "Resource", "resource": memory}]
    world.user.create(scaler(metrics=two))
    world.run(5)
    status = world.get("HorizontalPodAutoscaler", "web")["status"]
    assert status["currentMetrics"] == [{"type": ""}, {"type": ""}]
    assert status["observedGeneration"] == 1
    told = [message for _, message in world.events("HorizontalPodAutoscaler", "web")]
    assert [message.partition(":")[0] for message in told] == [
        "failed to get cpu utilization",
        "failed to get memory usage",
        "invalid metrics (2 invalid out of 2), first error is",
    ]


def test_one_metric_that_fails_does_not_hold_up_growth(world, workload, load) -> None:
    load.cores = Fraction(2, 10)
    world.user.create(deployment(workload, 1))
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}}
    two = [{"type": "Resource", "resource": memory}, *scaler()["spec"]["metrics"]]
    world.user.create(scaler(metrics=two))
    world.run(120)
    assert replicas(world) == 4
    load.cores = Fraction(1, 100)
    world.run(900)
    assert replicas(world) == 4, "nobody knows whether memory allows less"
