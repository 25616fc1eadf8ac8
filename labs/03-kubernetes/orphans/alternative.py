"""Another right answer: the same by the API, and the ReplicaSet goes too."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Orphan twice."""
    demo = lab.cluster("demo")
    demo.delete("Deployment", "web", "shop", propagation="Orphan")
    lab.run("1m")
    name = demo.list("ReplicaSet", "shop")[0]["metadata"]["name"]
    demo.delete("ReplicaSet", name, "shop", propagation="Orphan")
    lab.run("1h")
