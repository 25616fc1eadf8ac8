"""What a learner begins with: time passes."""

from gitops_sim import Lab


def answer(lab: Lab) -> str:
    """Do nothing yet."""
    lab.run("1m")
    return ""
