"""The reference: declare it in the overlay that staging follows."""

from gitops_sim import Lab

OVERLAY = "overlays/staging/kustomization.yaml"


def answer(lab: Lab) -> None:
    """Add three replicas of cart to the overlay and let Flux find the commit."""
    shop = lab.forge.repository("shop")
    text = shop.read(OVERLAY) + "replicas:\n- name: cart\n  count: 3\n"
    shop.commit({OVERLAY: text}, "Run three carts in staging")
    lab.run("5m")
