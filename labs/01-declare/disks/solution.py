"""The reference: look what is there, and make what is missing."""

from gitops_sim import Lab

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def make(lab: Lab, disk: str) -> None:
    """Make a disk, as both tools do."""
    metadata = {"generateName": f"{disk}-", "namespace": "shop", "labels": {"disk": disk}}
    lab.cluster("cloud").create(CLAIM | {"metadata": metadata})


def answer(lab: Lab) -> str:
    """Reconcile."""
    there = lab.cluster("cloud").list("PersistentVolumeClaim", "shop")
    known = {found["metadata"]["labels"]["disk"] for found in there}
    for disk in ("database", "orders"):
        if disk not in known:
            make(lab, disk)
    return "reconcile"
