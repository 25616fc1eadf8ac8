"""A wrong answer: begin with a clean table."""

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
    """Delete the database, then make both."""
    cloud = lab.cluster("cloud")
    for found in cloud.list("PersistentVolumeClaim", "shop"):
        cloud.delete("PersistentVolumeClaim", found["metadata"]["name"], "shop")
    lab.run("1m")
    for disk in ("database", "orders"):
        make(lab, disk)
    return "reconcile"
