"""The lab of lesson 01 as its exercises find it."""

from gitops_sim import Lab


def claim(disk: str) -> dict[str, object]:
    """Return a claim for a disk; the server makes up the end of its name."""
    metadata = {"generateName": f"{disk}-", "namespace": "shop", "labels": {"disk": disk}}
    resources = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": resources}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": spec,
    }


def setup(seed: int) -> Lab:
    """Return a lab with an empty home, and a cloud that has a database."""
    lab = Lab(seed=seed)
    lab.forge.import_repository("samples/runbook")
    lab.forge.import_repository("samples/teams")
    lab.cluster("home")
    cloud = lab.cluster("cloud", nodes=1)
    cloud.kubectl("create namespace shop")
    cloud.create(claim("database"))
    return lab
