"""The reference: a date, a random password, a number that counts."""

from gitops_sim import Lab


def answer(lab: Lab) -> set[str]:
    """Name the three."""
    return {"dairy", "fishmonger", "grocer"}
