"""What a learner begins with: nothing predicted yet."""

from gitops_sim import Lab


def answer(lab: Lab) -> dict[str, str]:
    """Predict nothing."""
    return {}
