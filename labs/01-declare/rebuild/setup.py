"""The shop of lesson 01, delivered by Flux, and one object that someone made by hand."""

from gitops_sim import Lab


def setup(seed: int) -> Lab:
    """Return a lab whose cluster `prod` has an object that Git has never seen."""
    lab = Lab(seed=seed)
    book = lab.forge.import_repository("samples/runbook")
    prod = lab.cluster("prod", nodes=1)
    prod.flux.bootstrap(book, path="manifests", interval="1m")
    lab.run("3m")
    prod.kubectl("create configmap opening-hours -n shop --from-literal=monday=8-18")
    lab.run("1m")
    return lab
