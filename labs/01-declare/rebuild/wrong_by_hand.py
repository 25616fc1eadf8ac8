"""A wrong answer: carry it over by hand."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Create the opening hours in the new cluster."""
    book = lab.forge.repository("runbook")
    rebuilt = lab.cluster("rebuilt")
    rebuilt.flux.bootstrap(book, path="manifests", interval="1m")
    lab.run("5m")
    rebuilt.kubectl("create configmap opening-hours -n shop --from-literal=monday=8-18")
    lab.run("1m")
