"""A wrong answer: create, twice."""

from gitops_sim import Lab
from gitops_sim.lab import CommandOutput


def answer(lab: Lab) -> CommandOutput:
    """Create what is there already."""
    home, book = lab.cluster("home"), lab.forge.repository("runbook")
    home.kubectl("create -f manifests", repository=book)
    return home.kubectl("create -f manifests", repository=book)
