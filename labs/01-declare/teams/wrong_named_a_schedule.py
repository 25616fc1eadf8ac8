"""A wrong answer: what runs every night changes every night."""

from gitops_sim import Lab


def answer(lab: Lab) -> set[str]:
    """Name the florist."""
    return {"florist", "fishmonger", "grocer"}
