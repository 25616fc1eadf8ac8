"""The lab of lesson 03 as its exercises find it."""

from gitops_sim import Lab


def setup(seed: int) -> Lab:
    """Return a lab whose cluster `demo` runs one Deployment, `web` in namespace `shop`."""
    lab = Lab(seed=seed)
    demo = lab.cluster("demo")
    demo.kubectl("create namespace shop")
    demo.kubectl("create deployment web --image=shop/web:1.0.0 --replicas=2 -n shop")
    lab.run("1m")
    return lab
