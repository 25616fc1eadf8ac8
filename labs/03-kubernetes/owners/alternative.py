"""Another right answer: read it instead of predicting it, and name the Deployment too."""

from gitops_sim import Lab


def answer(lab: Lab) -> dict[str, str]:
    """Read the owner of one object of each kind."""
    demo = lab.cluster("demo")
    owners = {"Deployment": ""}
    for kind in ("ReplicaSet", "Pod"):
        first = demo.list(kind, "shop")[0]
        owners[kind] = first["metadata"]["ownerReferences"][0]["kind"]
    return owners
