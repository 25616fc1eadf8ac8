"""A wrong answer: the default."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Delete the Deployment and everything below."""
    lab.cluster("demo").kubectl("delete deployment web -n shop")
    lab.run("1h")
