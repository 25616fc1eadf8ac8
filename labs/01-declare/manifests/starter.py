"""What a learner begins with: no manifests yet."""

from gitops_sim import Lab


def answer(lab: Lab) -> str:
    """Hand in nothing."""
    return ""
