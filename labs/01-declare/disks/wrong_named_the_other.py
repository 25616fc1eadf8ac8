"""A wrong answer: the right disks, and the wrong name."""

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
    """Make what is missing, and name the tool with the memory."""
    make(lab, "orders")
    return "plan_and_apply"
