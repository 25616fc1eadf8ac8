"""Another right answer: teach the tool what is there, then run it."""

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
    """Import the database into the state."""
    database = lab.cluster("cloud").list("PersistentVolumeClaim", "shop", labels="disk=database")[0]
    state = {"database": database["metadata"]["name"]}
    for disk in ("database", "orders"):
        if disk not in state:
            make(lab, disk)
    return "Reconciler"
