"""What a learner begins with: nothing is rebuilt."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Let time pass."""
    lab.run("5m")
