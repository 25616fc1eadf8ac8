"""A wrong answer: commit, and look at once."""

from gitops_sim import Lab

OVERLAY = "overlays/staging/kustomization.yaml"


def answer(lab: Lab) -> None:
    """Declare it, and give nobody the time to deliver it."""
    shop = lab.forge.repository("shop")
    text = shop.read(OVERLAY) + "replicas:\n- name: cart\n  count: 3\n"
    shop.commit({OVERLAY: text}, "Run three carts in staging")
