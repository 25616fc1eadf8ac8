"""Quotas count what is there, budgets tell what may go, evictions keep to it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from gitops_sim.apimachinery.quota_usage import in_scope, pod_resources, usage_of
from gitops_sim.apiserver.evicting import evict
from gitops_sim.cluster.housekeeping import HOUSEKEEPING
from gitops_sim.cluster.workloads import WORKLOADS
from gitops_sim.errors import NotFoundError, TooManyRequestsError

SPECS = [
    WORKLOADS["deployment-controller"],
    WORKLOADS["replicaset-controller"],
    HOUSEKEEPING["resourcequota-controller"],
    HOUSEKEEPING["disruption-controller"],
]


@pytest.fixture
def world(make_world):
    return make_world(SPECS)


def quota(hard: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "default"},
        "spec": {"hard": hard, **spec},
    }


def budget(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }


def used(world: Any) -> dict[str, str]:
    return world.get("ResourceQuota", "q")["status"]["used"]


def allowed(world: Any) -> int:
    return world.get("PodDisruptionBudget", "b")["status"]["disruptionsAllowed"]


def test_a_quota_tells_what_is_used_and_follows_it(world, workload) -> None:
    manifest = workload("Deployment", "web", replicas=3)
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "100m", "memory": "64Mi"}}
    world.user.create(manifest)
    world.user.create(
        quota({"pods": "10", "requests.cpu": "2", "memory": "1Gi", "count/deployments.apps": "5"})
    )
    world.run(20)
    assert used(world) == {
        "pods": "3",
        "requests.cpu": "300m",
        "memory": "192Mi",
        "count/deployments.apps": "1",
    }
    world.user.patch("Deployment", "web", {"spec": {"replicas": 1}})
    world.run(20)
    assert used(world)["pods"] == "1"


def test_ended_pods_use_nothing(world, workload) -> None:
    world.user.create(quota({"pods": "10"}))
    world.user.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "once", "namespace": "default"},
            "spec": {"containers": [{"name": "app", "image": "done"}], "restartPolicy": "Never"},
        }
    )
    world.run(3)
    assert used(world) == {"pods": "1"}
    world.run(20)
    assert used(world) == {"pods": "0"}


def test_sidecars_add_to_what_a_pod_asks_for_and_init_containers_do_not() -> None:
    def container(cpu: str, **more: str) -> dict[str, Any]:
        return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **more}

    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "containers": [container("100m"), container("200m")],
            "initContainers": [container("50m", restartPolicy="Always"), container("300m")],
        },
    }
    assert pod_resources(pod, "requests") == {"cpu": Fraction(35, 100)}
    assert usage_of(pod, "pods")["cpu"] == Fraction(35, 100)


def test_scopes_choose_the_pods_that_count() -> None:
    plain = {"spec": {"containers": [{"name": "c"}]}}
    short = {"spec": {"containers": [{"name": "c"}], "activeDeadlineSeconds": 5}}
    for scopes, wanted in ((["BestEffort"], [True, True]), (["Terminating"], [False, True])):
        limits = {"spec": {"scopes": scopes}}
        assert [in_scope(limits, pod) for pod in (plain, short)] == wanted


@pytest.mark.parametrize(
    ("spec", "may_go"),
    [
        ({"minAvailable": 3}, 1),
        ({"minAvailable": "50%"}, 2),
        ({"maxUnavailable": 1}, 1),
        ({"maxUnavailable": "30%"}, 2),  # rounded up: 1.2 pods
        ({"minAvailable": 5}, 0),
    ],
)
def test_a_budget_tells_how_many_pods_may_go(world, workload, spec, may_go) -> None:
    world.user.create(workload("Deployment", "web", replicas=4))
    world.user.create(budget(**spec))
    world.run(20)
    status = world.get("PodDisruptionBudget", "b")["status"]
    assert status["disruptionsAllowed"] == may_go
    assert (status["currentHealthy"], status["expectedPods"]) == (4, 4)
    reason = "SufficientPods" if may_go else "InsufficientPods"
    assert status["conditions"][0]["reason"] == reason


def test_an_eviction_uses_the_budget_up_and_the_next_is_refused(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=3))
    world.user.create(budget(minAvailable=2))
    world.run(20)
    first, second, _ = (pod["metadata"]["name"] for pod in world.pods())
    evict(world.server, "default", first, manager="drain")
    condition = world.get("Pod", first)["status"]["conditions"][-1]
    assert (condition["type"], condition["reason"]) == ("DisruptionTarget", "EvictionByEvictionAPI")
    with pytest.raises(TooManyRequestsError) as caught:
        evict(world.server, "default", second, manager="drain")
    assert str(caught.value) == (
        "Cannot evict pod as it would violate the pod's disruption budget."
    )
    assert caught.value.details["causes"][0]["reason"] == "DisruptionBudget"
    world.run(20)  # a new pod is ready
    assert allowed(world) == 1
    assert "disruptedPods" not in world.get("PodDisruptionBudget", "b")["status"]
    evict(world.server, "default", second, manager="drain")


def test_a_pod_that_is_not_ready_may_go_when_enough_others_are(world, workload) -> None:
    world.user.create(workload("Deployment", "web", replicas=2))
    world.user.create(budget(minAvailable=2))
    world.run(20)
    manifest = workload("Deployment", "broken", image="bad", replicas=1)
    manifest["spec"]["template"]["metadata"]["labels"]["app"] = "web"
    manifest["spec"]["selector"] = {"matchLabels": {"app": "web", "broken": "yes"}}
    manifest["spec"]["template"]["metadata"]["labels"]["broken"] = "yes"
    world.user.create(manifest)
    world.run(20)
    assert allowed(world) == 0
    broken = world.pods("broken=yes")[0]["metadata"]["name"]
    evict(world.server, "default", broken, manager="drain")
    assert "deletionTimestamp" in world.get("Pod", broken)["metadata"]


def test_evicting_nobody_is_not_found_and_a_dry_run_changes_nothing(world, workload) -> None:
    with pytest.raises(NotFoundError):
        evict(world.server, "default", "nobody", manager="drain")
    world.user.create(workload("Deployment", "web", replicas=1))
    world.user.create(budget(maxUnavailable=1))
    world.run(20)
    name = world.pods()[0]["metadata"]["name"]
    evict(world.server, "default", name, manager="drain", dry_run=True)
    world.run(5)
    assert "deletionTimestamp" not in world.get("Pod", name)["metadata"]
    assert allowed(world) == 1


@pytest.mark.parametrize("spec", [{"maxUnavailable": 1}, {"minAvailable": "50%"}])
def test_pods_that_nobody_manages_are_told_as_uncountable(world, spec) -> None:
    container = {"name": "app", "image": "nginx"}
    metadata = {"name": "bare", "namespace": "default", "labels": {"app": "web"}}
    world.user.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"containers": [container]},
        }
    )
    world.user.create(budget(**spec))
    world.run(10)
    assert allowed(world) == 0
    told = dict(world.events("PodDisruptionBudget", "b"))["UnmanagedPods"]
    assert told.startswith(
        "Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:"
        "map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found "
        "to be unmanaged."
    )


def test_a_controller_that_cannot_be_scaled_makes_a_budget_fail(world) -> None:
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "1", "controller": True}
    metadata = {"name": "j-1", "namespace": "default", "labels": {"app": "web"}}
    metadata["ownerReferences"] = [owner]
    spec = {"containers": [{"name": "app", "image": "nginx"}]}
    world.user.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    world.user.create(budget(maxUnavailable=1))
    world.run(10)
    text = "jobs.batch does not implement the scale subresource"
    assert world.events("PodDisruptionBudget", "b")[0] == (
        "CalculateExpectedPodCountFailed",
        f"Failed to calculate the number of expected pods: {text}",
    )
    status = world.get("PodDisruptionBudget", "b")["status"]
    assert "observedGeneration" not in status
    (condition,) = status["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "SyncFailed")
    assert condition["message"] == text
