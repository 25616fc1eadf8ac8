"""A wrong answer: run the tool without its memory."""

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
    """Make both again."""
    for disk in ("database", "orders"):
        make(lab, disk)
    return "plan_and_apply"
