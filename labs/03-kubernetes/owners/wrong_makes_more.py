"""A wrong answer: a Service comes with it."""

from gitops_sim import Lab


def answer(lab: Lab) -> dict[str, str]:
    """Expect one object more."""
    return {"ReplicaSet": "Deployment", "Pod": "ReplicaSet", "Service": "Deployment"}
