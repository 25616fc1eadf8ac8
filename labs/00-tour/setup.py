"""The lab of the tour as its exercise finds it."""

from gitops_sim import Lab


def setup(seed: int) -> Lab:
    """Return a lab in which staging follows Git and someone has edited `web` by hand before."""
    lab = Lab(seed=seed)
    shop = lab.forge.import_repository("samples/shop")
    staging = lab.cluster("staging")
    staging.flux.bootstrap(shop, path="overlays/staging", interval="1m")
    lab.run("5m")
    staging.kubectl("scale deployment/web --replicas=9 -n shop")
    lab.run("15m")
    return lab
