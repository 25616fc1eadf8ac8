"""A wrong answer: commit the whole dump."""

import json

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Commit what `kubectl get -o json` prints."""
    book = lab.forge.repository("runbook")
    found = lab.cluster("prod").get("ConfigMap", "opening-hours", "shop")
    book.commit({"manifests/4-hours.yaml": json.dumps(found)}, "Declare the opening hours")
    rebuilt = lab.cluster("rebuilt")
    rebuilt.flux.bootstrap(book, path="manifests", interval="1m")
    lab.run("5m")
