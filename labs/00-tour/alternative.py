"""Another right answer: the base, by a merge request, so that every environment has it."""

from gitops_sim import Lab

FILE = "base/cart.yaml"


def answer(lab: Lab) -> None:
    """Change the base on a branch, merge it, and let Flux find the merge."""
    shop = lab.forge.repository("shop")
    shop.create_branch("three-carts")
    text = shop.read(FILE).replace("replicas: 1", "replicas: 3")
    shop.commit({FILE: text}, "Run three carts", branch="three-carts")
    shop.open_merge_request("three-carts").merge()
    lab.run("5m")
