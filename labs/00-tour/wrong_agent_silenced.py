"""A wrong answer: stop Flux, then scale by hand."""

from gitops_sim import Lab

KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1/Kustomization"


def answer(lab: Lab) -> None:
    """Suspend the Kustomization, so that nobody takes the edit back."""
    staging = lab.cluster("staging")
    found = staging.list(KUSTOMIZATION)[0]["metadata"]
    staging.patch(KUSTOMIZATION, found["name"], {"spec": {"suspend": True}}, found["namespace"])
    staging.kubectl("scale deployment/cart --replicas=3 -n shop")
    lab.run("15m")
