"""A wrong answer: a generated name looks like chance."""

from gitops_sim import Lab


def answer(lab: Lab) -> set[str]:
    """Name the bakery."""
    return {"bakery", "dairy", "fishmonger"}
