"""The reference: delete and orphan."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Delete the Deployment alone, and wait."""
    demo = lab.cluster("demo")
    demo.kubectl("delete deployment web -n shop --cascade=orphan")
    lab.run("1h")
