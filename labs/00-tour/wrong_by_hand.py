"""A wrong answer: scale the Deployment in the cluster."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Scale by hand; Flux takes it back."""
    lab.cluster("staging").kubectl("scale deployment/cart --replicas=3 -n shop")
    lab.run("15m")
