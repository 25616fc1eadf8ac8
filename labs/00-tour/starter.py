"""What a learner begins with: time passes, nothing was done yet."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Let time pass."""
    lab.run("5m")
