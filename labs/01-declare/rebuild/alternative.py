"""Another right answer: rebuild, see what is missing, and commit that."""

import json

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Commit afterwards, from what is in prod."""
    book = lab.forge.repository("runbook")
    rebuilt = lab.cluster("rebuilt")
    rebuilt.flux.bootstrap(book, path="manifests", interval="1m")
    lab.run("5m")
    found = lab.cluster("prod").get("ConfigMap", "opening-hours", "shop")
    metadata = {"name": "opening-hours", "namespace": "shop"}
    hours = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": found["data"]}
    book.commit({"manifests/hours.yaml": json.dumps(hours)}, "Declare the opening hours")
    lab.run("5m")
