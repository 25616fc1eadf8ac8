"""The reference: apply, and apply again."""

from gitops_sim import Lab
from gitops_sim.lab import CommandOutput


def answer(lab: Lab) -> CommandOutput:
    """Hand in what the second call printed."""
    home, book = lab.cluster("home"), lab.forge.repository("runbook")
    home.kubectl("apply -f manifests", repository=book)
    return home.kubectl("apply -f manifests", repository=book)
