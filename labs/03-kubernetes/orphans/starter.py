"""What a learner begins with: an hour passes."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Let time pass."""
    lab.run("1h")
