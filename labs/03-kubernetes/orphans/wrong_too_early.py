"""A wrong answer: look at once."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Orphan the pods, and give nobody the time to collect them."""
    lab.cluster("demo").kubectl("delete deployment web -n shop --cascade=orphan")
