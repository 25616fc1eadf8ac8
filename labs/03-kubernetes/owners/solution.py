"""The reference: two levels of owners."""

from gitops_sim import Lab


def answer(lab: Lab) -> dict[str, str]:
    """Predict that the ReplicaSet stands between Deployment and pods."""
    return {"ReplicaSet": "Deployment", "Pod": "ReplicaSet"}
