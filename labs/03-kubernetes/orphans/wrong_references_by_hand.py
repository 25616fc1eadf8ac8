"""A wrong answer: take the owners off by hand."""

from gitops_sim import Lab


def answer(lab: Lab) -> None:
    """Edit every pod, then delete the Deployment."""
    demo = lab.cluster("demo")
    for pod in demo.list("Pod", "shop"):
        no_owner = {"metadata": {"ownerReferences": None}}
        demo.patch("Pod", pod["metadata"]["name"], no_owner, "shop")
    demo.kubectl("delete deployment web -n shop")
    lab.run("1h")
