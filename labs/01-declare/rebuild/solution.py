"""The reference: commit what Git never saw, then rebuild."""

from gitops_sim import Lab

HOURS = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: opening-hours
  namespace: shop
data:
  monday: 8-18
"""


def answer(lab: Lab) -> None:
    """Declare the opening hours, and let Flux build the new cluster."""
    book = lab.forge.repository("runbook")
    book.commit({"manifests/4-hours.yaml": HOURS}, "Declare the opening hours")
    rebuilt = lab.cluster("rebuilt")
    rebuilt.flux.bootstrap(book, path="manifests", interval="1m")
    lab.run("5m")
