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

    def __call__(
        self, pod: dict[str, Any], resource: str, *, container: str = ""
    ) -> Fraction | None:
        if resource not in ("cpu", "http_requests"):
            return None
        return self.cores / max(1, len(self.world.pods()))


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


def sizes(world: Any, watch: Any) -> list[int]:
    """Return the sizes that the target had, one after the other."""
    return list(dict.fromkeys(event.object["spec"]["replicas"] for event in watch.drain()))


def policy(kind: str, value: int, seconds: int) -> dict[str, Any]:
    return {"type": kind, "value": value, "periodSeconds": seconds}


@pytest.mark.parametrize(
    ("select", "expected"),
    [("Max", [2, 4, 6, 8, 10]), ("Min", [2, 3, 4, 5, 6, 7, 8, 9, 10]), ("Disabled", [2])],
)
def test_policies_say_how_fast_it_grows(world, workload, load, select, expected) -> None:
    load.cores = Fraction(10)
    world.user.create(deployment(workload, 2))
    world.run(10)
    watch = world.user.watch("apps/v1/Deployment")
    rules = {"selectPolicy": select, "policies": [policy("Pods", 2, 60), policy("Pods", 1, 60)]}
    world.user.create(scaler(behavior={"scaleUp": rules}))
    world.run(65)
    assert sizes(world, watch) == expected[:2]
    if select == "Max":
        assert conditions(world)["ScalingLimited"] == ("True", "ScaleUpLimit")
    world.run(900)
    assert [*expected[:1], *sizes(world, watch)][-1] == expected[-1]


def test_a_policy_says_how_fast_it_shrinks(world, workload, load) -> None:
    world.user.create(deployment(workload, 10))
    world.run(10)
    watch = world.user.watch("apps/v1/Deployment")
    load.cores = Fraction(1, 100)
    rules = {"stabilizationWindowSeconds": 0, "policies": [policy("Percent", 50, 60)]}
    world.user.create(scaler(behavior={"scaleDown": rules}))
    world.run(30)
    assert conditions(world)["ScalingLimited"] == ("True", "ScaleDownLimit")
    world.run(600)
    assert sizes(world, watch) == [10, 5, 2, 1]


def test_a_window_for_growth_waits_until_more_were_wanted_throughout(world, workload, load) -> None:
    load.cores = Fraction(5, 100)
    world.user.create(deployment(workload, 1))
    world.run(10)
    world.user.create(scaler(behavior={"scaleUp": {"stabilizationWindowSeconds": 60}}))
    world.run(20)
    load.cores = Fraction(2, 10)
    world.run(45)
    assert replicas(world) == 1
    assert conditions(world)["AbleToScale"] == ("True", "ScaleUpStabilized")
    world.run(45)
    assert replicas(world) == 4


def test_a_tolerance_of_its_own_makes_an_autoscaler_less_nervous(world, workload, load) -> None:
    load.cores = Fraction(140, 1000)  # 70 % of 200m, 50 % wanted
    world.user.create(deployment(workload, 2))
    world.run(10)
    world.user.create(scaler(behavior={"scaleUp": {"tolerance": "0.5"}}))
    world.run(120)
    assert replicas(world) == 2


def test_pods_that_nothing_is_known_of_count_as_busy_when_fewer_are_wanted(
    make_world, workload
) -> None:
    def half_known(pod: dict[str, Any], resource: str, *, container: str = "") -> Fraction | None:
        names = sorted(found["metadata"]["name"] for found in world.pods())
        return Fraction(1, 100) if names.index(pod["metadata"]["name"]) < 2 else None

    world = make_world([*TARGETS, autoscaler(metrics=half_known)])
    world.user.create(deployment(workload, 4))
    world.run(10)
    world.user.create(scaler(behavior={"scaleDown": {"stabilizationWindowSeconds": 0}}))
    world.run(120)
    assert replicas(world) == 4  # 10 % of two and 100 % of the others are more than 50 %


def test_pods_metrics_are_the_requests_of_users(world, workload, load) -> None:
    load.cores = Fraction(30)
    world.user.create(deployment(workload, 1))
    target = {"type": "AverageValue", "averageValue": "10"}
    pods = {"metric": {"name": "http_requests"}, "target": target}
    world.user.create(scaler(metrics=[{"type": "Pods", "pods": pods}]))
    world.run(120)
    assert replicas(world) == 3
    reason = "pods metric http_requests above target"
    assert ("SuccessfulRescale", f"New size: 3; reason: {reason}") in world.events(
        "HorizontalPodAutoscaler", "web"
    )
    (metric,) = world.get("HorizontalPodAutoscaler", "web")["status"]["currentMetrics"]
    assert metric["pods"] == {
        "metric": {"name": "http_requests"},
        "current": {"averageValue": "10"},
    }


def test_one_container_is_measured_by_its_own_request(world, workload, load) -> None:
    load.cores = Fraction(2, 10)
    manifest = deployment(workload, 1)
    sidecar = {"name": "proxy", "image": "proxy:1"}
    manifest["spec"]["template"]["spec"]["containers"].append(sidecar)
    world.user.create(manifest)
    target = {"type": "Utilization", "averageUtilization": 50}
    source = {"name": "cpu", "container": "app", "target": target}
    world.user.create(scaler(metrics=[{"type": "ContainerResource", "containerResource": source}]))
    world.run(120)
    assert replicas(world) == 4
    reason = "cpu container resource utilization (percentage of request) above target"
    assert ("SuccessfulRescale", f"New size: 4; reason: {reason}") in world.events(
        "HorizontalPodAutoscaler", "web"
    )


@pytest.mark.parametrize(
    ("metric", "reason", "message"),
    [
        (
            {
                "type": "Object",
                "object": {
                    "metric": {"name": "rps"},
                    "describedObject": {
                        "apiVersion": "networking.k8s.io/v1",
                        "kind": "Ingress",
                        "name": "main",
                    },
                    "target": {"type": "Value", "value": "10"},
                },
            },
            "FailedGetObjectMetric",
            (
                "unable to get metric rps on Ingress default/main: unable to fetch metrics from "
                "custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
            ),
        ),
        (
            {
                "type": "External",
                "external": {
                    "metric": {"name": "queue"},
                    "target": {"type": "AverageValue", "averageValue": "10"},
                },
            },
            "FailedGetExternalMetric",
            (
                "unable to get external metric default/queue/nil: unable to fetch metrics from "
                "external metrics API: the server could not find the requested resource (get "
                "queue.external.metrics.k8s.io)"
            ),
        ),
    ],
)
def test_metrics_of_adapters_are_told_as_missing(
    world, workload, metric: dict[str, Any], reason: str, message: str
) -> None:
    world.user.create(deployment(workload, 1))
    world.user.create(scaler(metrics=[metric]))
    world.run(5)
    assert (reason, message) in world.events("HorizontalPodAutoscaler", "web")
    assert conditions(world)["ScalingActive"] == ("False", reason)
