"""A wrong answer: the Deployment makes and owns everything itself."""

from gitops_sim import Lab


def answer(lab: Lab) -> dict[str, str]:
    """Leave no work to the ReplicaSet."""
    return {"ReplicaSet": "Deployment", "Pod": "Deployment"}
