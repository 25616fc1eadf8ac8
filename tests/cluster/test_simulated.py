from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from gitops_sim.apiserver import Store
from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.errors import BadRequestError, LabError, NotFoundError
from gitops_sim.journal import Journal
from gitops_sim.protocols import Cluster
from gitops_sim.registry import Registry

HISTORY = """
from gitops_sim.clock import VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.journal import Journal
from gitops_sim.registry import Registry
import hashlib

clock = VirtualClock(seed=4)
journal = Journal(clock)
cluster = SimulatedCluster("dev", clock, journal, None, Registry(clock, journal))
labels = {"app": "web"}
template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "m", "image": "a:1"}]}}
metadata = {"name": "web", "namespace": "default"}
cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
    "spec": {"replicas": 4, "selector": {"matchLabels": labels}, "template": template}})
cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
    "spec": {"selector": labels, "ports": [{"port": 80}]}})
clock.run(20)
cluster.node_down("node-2")
clock.run(900)
print(len(journal), hashlib.sha256(journal.to_jsonl()).hexdigest())
"""


def config_map(**metadata: Any) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "default"} | metadata
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def managers(manifest: dict[str, Any]) -> list[str]:
    return [entry["manager"] for entry in manifest["metadata"]["managedFields"]]


def test_it_is_a_cluster_with_all_verbs(lab: Any) -> None:
    cluster = lab.cluster
    assert isinstance(cluster, Cluster)
    watch = cluster.watch("cm", "default", fields="metadata.name=a")
    cluster.create(config_map(labels={"x": "1"}))
    found = cluster.get("cm", "a")
    cluster.update(found | {"data": {"k": "1"}})
    cluster.patch("cm", "a", {"data": {"k": "2"}})
    cluster.apply(config_map() | {"data": {"n": "1"}}, field_manager="me")
    assert [m["data"] for m in cluster.list("cm", labels="x=1")] == [{"k": "2", "n": "1"}]
    cluster.delete("cm", "a")
    with pytest.raises(NotFoundError):
        cluster.get("cm", "a")
    assert [event.type for event in watch.drain()] == ["ADDED", *["MODIFIED"] * 3, "DELETED"]
    assert {kind["kind"] for kind in cluster.discover()} >= {"Pod", "Deployment"}


def test_writes_from_outside_are_a_persons_unless_told_otherwise(lab: Any) -> None:
    created = lab.cluster.create(config_map() | {"data": {"k": "1"}})
    assert managers(created) == ["kubectl-edit"]
    patched = lab.cluster.patch("cm", "a", {"data": {"n": "1"}}, field_manager="hotfix")
    assert managers(patched) == ["hotfix", "kubectl-edit"]


def test_a_look_back_shows_what_was(lab: Any) -> None:
    created = lab.cluster.create(config_map() | {"data": {"k": "1"}})
    lab.cluster.patch("cm", "a", {"data": {"k": "2"}})
    version = created["metadata"]["resourceVersion"]
    assert lab.cluster.get("cm", "a", at=version)["data"] == {"k": "1"}


def test_a_client_pays_for_its_requests(lab: Any) -> None:
    client = lab.cluster.client("agent", qps=1.0, burst=2, latency=0.1)
    for _ in range(4):
        client.list("cm")
    assert client.account.take() == pytest.approx(2 + 0.4, abs=0.5)
    assert client.account.take() == 0


def test_a_client_gets_copies_unless_it_is_to_share(lab: Any) -> None:
    lab.cluster.create(config_map())
    copied = lab.cluster.client("agent").get("cm", "a")
    copied["metadata"]["labels"] = {"mine": "yes"}
    assert "labels" not in lab.cluster.get("cm", "a")["metadata"]
    sharing = lab.cluster.client("agent", shares=True)
    assert sharing.get("cm", "a") is sharing.list("cm", "default")[0]


def test_controllers_change_nothing_that_the_store_shares_with_them(
    lab: Any, workload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[tuple[Any, str]] = []
    put = Store.put

    def keep(store: Store, *args: Any, **options: Any) -> Any:
        stored = put(store, *args, **options)
        kept.append((stored, json.dumps(stored)))
        return stored

    monkeypatch.setattr(Store, "put", keep)
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        lab.cluster.create(workload(kind, kind.lower()))
    lab.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "busy"}})
    lab.cluster.create(config_map(namespace="busy"))
    lab.run(120)
    lab.cluster.patch("deployment", "deployment", {"spec": {"replicas": 1}})
    lab.cluster.delete("statefulset", "statefulset")
    lab.cluster.delete("namespace", "busy")
    lab.run(120)
    assert len(kept) > 100
    for stored, text in kept:
        assert json.dumps(stored) == text


def test_a_cluster_without_controllers_is_an_api_with_nodes() -> None:
    clock = VirtualClock()
    journal = Journal(clock)
    images = Registry(clock, journal)
    cluster = SimulatedCluster("dev", clock, journal, None, images, nodes=2, controllers=False)
    clock.run(3600)
    assert cluster.controllers == {}
    assert len(cluster.list("nodes")) == 2
    assert cluster.list("storageclasses") == []


def test_too_many_nodes_are_refused() -> None:
    clock = VirtualClock()
    journal = Journal(clock)
    with pytest.raises(LabError, match="choose 0 to 250"):
        SimulatedCluster("dev", clock, journal, None, Registry(clock, journal), nodes=1000)


def test_logs_are_refused_in_the_servers_words(lab: Any) -> None:
    lab.create_pod("shop/web:missing")
    lab.run(30)
    with pytest.raises(BadRequestError) as refused:
        lab.cluster.logs("web")
    assert str(refused.value) == (
        'container "main" in pod "web" is waiting to start: trying and failing to pull image'
    )
    with pytest.raises(BadRequestError, match="container other is not valid for pod web"):
        lab.cluster.logs("web", container="other")
    with pytest.raises(BadRequestError, match="previous terminated container"):
        lab.cluster.logs("web", previous=True)


def test_an_idle_cluster_costs_nothing(lab: Any) -> None:
    lab.run(600)
    events, facts = lab.clock.events, len(lab.journal)
    lab.run(30 * 86_400)
    assert (lab.clock.events, len(lab.journal)) == (events, facts)


def test_two_processes_with_other_hash_seeds_tell_the_same_history() -> None:
    told = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", HISTORY],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        told.add(done.stdout)
    assert len(told) == 1
    assert int(told.pop().split()[0]) > 100
