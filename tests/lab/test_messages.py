"""The ladder of a cluster, and its tree where nobody delivers."""

from __future__ import annotations

import pytest

from gitops_sim.lab import ClusterHandle, Lab


@pytest.fixture
def made() -> tuple[Lab, ClusterHandle]:
    """A cluster in which a person has just made a Deployment of one pod."""
    lab = Lab(seed=7)
    cluster = lab.cluster("demo")
    lab.run("1m")
    cluster.kubectl("create namespace shop")
    cluster.kubectl("create deployment web --image=shop/web:1.0.0 -n shop")
    lab.run("20s")
    return lab, cluster


def told(lab: Lab, cluster: ClusterHandle, since: str) -> list[str]:
    lines = str(lab.compare(cluster, since=since).ladder()).splitlines()
    return [line.partition("s  ")[2] for line in lines]


def test_ladder_follows_a_deployment_down_to_the_kubelet(made: tuple[Lab, ClusterHandle]) -> None:
    lines = [line.split(" web")[0] for line in told(*made, "21s") if "Namespace" not in line]
    wanted = [
        "kubectl to API server: create Deployment",
        "API server to deployment-controller: Deployment ADDED",
        "deployment-controller to API server: create ReplicaSet",
        "API server to replicaset-controller: ReplicaSet ADDED",
        "replicaset-controller to API server: create Pod",
        "API server to kube-scheduler: Pod ADDED",
        "kube-scheduler to API server: bind Pod",
        "API server to kubelet: Pod MODIFIED",
        "kubelet to API server: Pod status",
    ]
    assert [line for line in lines if line in wanted][: len(wanted)] == wanted


def test_status_travels_back_up(made: tuple[Lab, ClusterHandle]) -> None:
    lines = told(*made, "21s")
    ends = [line for line in lines if " status " in line and "Namespace" not in line]
    assert [line.split(" to ")[0] for line in ends] == [
        "kubelet",
        "replicaset-controller",
        "deployment-controller",
    ]


def test_ladder_stays_within_its_time(made: tuple[Lab, ClusterHandle]) -> None:
    assert told(*made, "1s") == [""]


def test_client_that_is_no_component_has_a_column_of_its_own(
    made: tuple[Lab, ClusterHandle],
) -> None:
    lab, cluster = made
    lab.run("1m")
    cluster.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}},
        field_manager="robot",
    )
    assert told(lab, cluster, "1s") == ["robot to API server: create ConfigMap a"]


def test_long_history_is_cut_and_counted(made: tuple[Lab, ClusterHandle]) -> None:
    lab, cluster = made
    lines = str(lab.compare(cluster).ladder()).splitlines()
    assert len(lines) == 31
    assert lines[-1].strip().startswith("and ")


def test_tree_without_delivery_has_the_workloads_as_roots(made: tuple[Lab, ClusterHandle]) -> None:
    lab, cluster = made
    depths = [
        (len(line) - len(line.lstrip()), line.split("/")[0].strip())
        for line in str(lab.compare(cluster).tree()).splitlines()
    ]
    assert depths == [(0, "Deployment"), (2, "ReplicaSet"), (4, "Pod")]


def test_orphans_become_roots(made: tuple[Lab, ClusterHandle]) -> None:
    lab, cluster = made
    cluster.kubectl("delete deployment web -n shop --cascade=orphan")
    lab.run("1m")
    lines = str(lab.compare(cluster).tree()).splitlines()
    assert [line.split("/")[0] for line in lines] == ["ReplicaSet", "  Pod"]
