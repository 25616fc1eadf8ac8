"""A wrong answer: what the first call printed."""

from gitops_sim import Lab
from gitops_sim.lab import CommandOutput


def answer(lab: Lab) -> CommandOutput:
    """Apply twice, and hand in the first output."""
    home, book = lab.cluster("home"), lab.forge.repository("runbook")
    first = home.kubectl("apply -f manifests", repository=book)
    home.kubectl("apply -f manifests", repository=book)
    return first
