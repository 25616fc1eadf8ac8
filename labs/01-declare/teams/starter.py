"""What a learner begins with: nobody named."""

from gitops_sim import Lab


def answer(lab: Lab) -> set[str]:
    """Name nobody."""
    return set()
