"""A wrong answer: declare it, but for production."""

from gitops_sim import Lab

OVERLAY = "overlays/production/kustomization.yaml"


def answer(lab: Lab) -> None:
    """Change the overlay that staging does not follow."""
    shop = lab.forge.repository("shop")
    text = shop.read(OVERLAY) + "  - name: cart\n    count: 3\n"
    shop.commit({OVERLAY: text}, "Run three carts")
    lab.run("5m")
