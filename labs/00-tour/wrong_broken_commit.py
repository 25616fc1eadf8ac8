"""A wrong answer: a commit that cannot be built."""

from gitops_sim import Lab

OVERLAY = "overlays/staging/kustomization.yaml"


def answer(lab: Lab) -> None:
    """Misspell the field of the kustomization."""
    shop = lab.forge.repository("shop")
    text = shop.read(OVERLAY) + "replica:\n- name: cart\n  count: 3\n"
    shop.commit({OVERLAY: text}, "Run three carts in staging")
    lab.run("5m")
