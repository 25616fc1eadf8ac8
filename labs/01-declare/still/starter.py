"""What a learner begins with: applied once, nothing handed in."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Apply once."""
    home, book = lab.cluster("home"), lab.forge.repository("runbook")
    home.kubectl("apply -f manifests", repository=book)
