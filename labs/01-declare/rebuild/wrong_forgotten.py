"""A wrong answer: rebuild from what Git knows."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Forget what Git never saw."""
    book = lab.forge.repository("runbook")
    rebuilt = lab.cluster("rebuilt")
    rebuilt.flux.bootstrap(book, path="manifests", interval="1m")
    lab.run("5m")
