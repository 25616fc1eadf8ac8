"""Claims that wait for a node, and nodes that a volume cannot be used from."""

from __future__ import annotations

from typing import Any

import pytest

HOST = "kubernetes.io/hostname"


def storage_class(provisioner: str) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "late"},
        "provisioner": provisioner,
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def claim(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "late",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def local_volume(name: str, node: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": HOST, "operator": "In", "values": [node]}]}]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "local": {"path": "/disk"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
            "storageClassName": "late",
        },
    }


def mounts(name: str) -> dict[str, Any]:
    return {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]}


def message(lab: Any, name: str = "web") -> str:
    return str(lab.condition("PodScheduled", name)["message"])


def test_a_volume_is_made_when_the_first_pod_has_found_its_node(lab: Any) -> None:
    lab.cluster.create(storage_class("lab.gitops-sim.io/disk"))
    lab.cluster.create(claim("data"))
    lab.run(10)
    assert lab.events("data") == [
        ("WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    ]
    lab.create_pod("shop/web:1", **mounts("data"))
    lab.run(10)
    assert "WaitForPodScheduled" not in lab.reasons("data")
    data = lab.cluster.get("v1/PersistentVolumeClaim", "data", "default")
    assert data["status"]["phase"] == "Bound"
    chosen = data["metadata"]["annotations"]["volume.kubernetes.io/selected-node"]
    assert lab.places() == {"web": chosen}
    assert lab.is_ready()


def test_a_pod_goes_where_the_local_volume_is(lab: Any) -> None:
    lab.cluster.create(storage_class("kubernetes.io/no-provisioner"))
    lab.cluster.create(local_volume("disk", "node-3"))
    lab.cluster.create(claim("data"))
    lab.create_pod("shop/web:1", **mounts("data"))
    lab.run(10)
    assert lab.places() == {"web": "node-3"}
    disk = lab.cluster.get("v1/PersistentVolume", "disk")
    assert disk["status"]["phase"] == "Bound"
    assert disk["spec"]["claimRef"]["name"] == "data"


def test_without_a_volume_to_bind_a_pod_waits(lab: Any) -> None:
    lab.cluster.create(storage_class("kubernetes.io/no-provisioner"))
    lab.cluster.create(claim("data"))
    lab.create_pod("shop/web:1", **mounts("data"))
    lab.run(5)
    assert message(lab).startswith(
        "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind."
    )
    lab.cluster.create(local_volume("disk", "node-2"))
    lab.run(5)
    assert lab.places() == {"web": "node-2"}


def test_another_pod_of_a_bound_local_volume_stays_on_its_node(lab: Any) -> None:
    lab.cluster.create(storage_class("kubernetes.io/no-provisioner"))
    lab.cluster.create(local_volume("disk", "node-3"))
    lab.cluster.create(claim("data"))
    lab.create_pod("shop/web:1", **mounts("data"))
    lab.run(5)
    lab.create_pod("shop/web:1", "other", nodeSelector={HOST: "node-1"}, **mounts("data"))
    lab.run(2)
    assert message(lab, "other").startswith(
        "0/3 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, "
        "2 node(s) didn't match Pod's node affinity/selector."
    )


def test_a_claim_tells_which_pod_has_no_node_yet(lab: Any) -> None:
    lab.cluster.create(storage_class("lab.gitops-sim.io/disk"))
    lab.cluster.create(claim("data"))
    lab.create_pod("shop/web:1", nodeSelector={"disk": "ssd"}, **mounts("data"))
    lab.run(20)
    assert lab.events("data")[-1] == (
        "WaitForPodScheduled",
        "waiting for pod web to be scheduled",
    )


@pytest.mark.parametrize("controller", ["kube-scheduler", "persistentvolume-binder-controller"])
def test_binding_goes_on_when_who_binds_comes_back(lab: Any, controller: str) -> None:
    lab.cluster.create(storage_class("lab.gitops-sim.io/disk"))
    lab.cluster.create(claim("data"))
    lab.create_pod("shop/web:1", **mounts("data"))
    lab.run(0.02)
    lab.cluster.kill(controller)
    lab.run(10)
    lab.cluster.start(controller)
    lab.run(10)
    assert lab.is_ready()
