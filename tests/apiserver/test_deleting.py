"""Deletion: what holds an object, what frees it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient
from gitops_sim.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError


def config_map(name: str = "a", finalizers: tuple[str, ...] = ()) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "finalizers": list(finalizers)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def pod(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "web:1"}]} | spec,
    }


def test_what_nothing_holds_is_gone(client: InProcessClient) -> None:
    client.create(config_map())
    client.delete("ConfigMap", "a", "default")
    with pytest.raises(NotFoundError):
        client.get("ConfigMap", "a", "default")
    with pytest.raises(NotFoundError):
        client.delete("ConfigMap", "a", "default")


def test_a_finalizer_holds_it_until_it_is_taken_off(client: InProcessClient) -> None:
    client.create(config_map(finalizers=("example.com/hold",)))
    marked = client.delete("ConfigMap", "a", "default")
    assert marked["metadata"]["deletionTimestamp"] == "2026-01-05T09:00:00Z"
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    assert client.delete("ConfigMap", "a", "default") == marked
    freed = client.patch("ConfigMap", "a", {"metadata": {"finalizers": None}}, "default")
    assert "finalizers" not in freed["metadata"]
    with pytest.raises(NotFoundError):
        client.get("ConfigMap", "a", "default")


def test_a_deleting_object_gets_no_new_finalizers(client: InProcessClient) -> None:
    client.create(config_map(finalizers=("example.com/hold",)))
    client.delete("ConfigMap", "a", "default")
    body = {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}
    with pytest.raises(InvalidError, match="no new finalizers can be added"):
        client.patch("ConfigMap", "a", body, "default")


@pytest.mark.parametrize(
    ("propagation", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_propagation_is_left_to_the_garbage_collector(
    client: InProcessClient, propagation: Any, finalizer: str
) -> None:
    client.create(config_map())
    marked = client.delete("ConfigMap", "a", "default", propagation=propagation)
    assert marked["metadata"]["finalizers"] == [finalizer]
    assert "deletionTimestamp" in client.get("ConfigMap", "a", "default")["metadata"]


def test_a_bound_pod_has_its_grace_and_an_unscheduled_one_none(client: InProcessClient) -> None:
    client.create(pod())
    client.delete("Pod", "p", "default")
    with pytest.raises(NotFoundError):
        client.get("Pod", "p", "default")
    client.create(pod(nodeName="node-1"))
    marked = client.delete("Pod", "p", "default")["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 30
    assert marked["deletionTimestamp"] == "2026-01-05T09:00:30Z"
    assert marked["generation"] == 2
    client.delete("Pod", "p", "default", grace_period=0)
    with pytest.raises(NotFoundError):
        client.get("Pod", "p", "default")


def test_preconditions_are_told_as_the_server_tells_them(client: InProcessClient) -> None:
    stored = client.create(config_map())["metadata"]
    with pytest.raises(ConflictError) as refused:
        client.delete("ConfigMap", "a", "default", uid="other")
    assert str(refused.value) == (
        'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does '
        f"not match the UID in record ({stored['uid']}). The object might have been deleted and "
        "then recreated"
    )
    with pytest.raises(ConflictError, match="The object might have been modified"):
        client.delete("ConfigMap", "a", "default", resource_version="1")
    client.delete(
        "ConfigMap", "a", "default", uid=stored["uid"], resource_version=stored["resourceVersion"]
    )


def test_a_dry_run_deletes_nothing(client: InProcessClient) -> None:
    client.create(config_map())
    client.delete("ConfigMap", "a", "default", dry_run=True)
    assert "deletionTimestamp" not in client.get("ConfigMap", "a", "default")["metadata"]


def test_a_namespace_terminates_and_takes_nothing_new(client: InProcessClient) -> None:
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    marked = client.delete("Namespace", "n")
    assert marked["status"]["phase"] == "Terminating"
    late = config_map()
    late["metadata"]["namespace"] = "n"
    with pytest.raises(ForbiddenError, match="because it is being terminated"):
        client.create(late)


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_first_namespaces_stay(client: InProcessClient, name: str) -> None:
    with pytest.raises(ForbiddenError, match="this namespace may not be deleted"):
        client.delete("Namespace", name)
    assert client.get("Namespace", name)["status"]["phase"] == "Active"


def test_volumes_and_claims_are_protected(client: InProcessClient) -> None:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/x"},
    }
    metadata = {"name": "v"}
    client.create(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}
    )
    held = client.delete("PersistentVolume", "v")
    assert held["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    assert client.get("PersistentVolume", "v") == held
