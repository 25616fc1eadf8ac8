"""What a cluster is put together from: one table of controllers, and its nodes.

Differs: the Lease of a node is written when the node is registered, and not renewed.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from gitops_sim.cluster.controlling import MANAGER, Context, ControllerSpec, build
from gitops_sim.cluster.housekeeping import (
    HOUSEKEEPING,
    PROVISIONER,
    VOLUME_RESIZER,
    autoscaler,
)
from gitops_sim.cluster.network import NETWORK
from gitops_sim.cluster.network.demand import Traffic
from gitops_sim.cluster.network.load_balancers import LOAD_BALANCERS
from gitops_sim.cluster.network.users import USERS_WATCHES, Seen, Users
from gitops_sim.cluster.nodes.kubelet import KUBELET_WATCHES, Kubelet
from gitops_sim.cluster.nodes.kwok import KWOK_WATCHES, Kwok, kwok_node
from gitops_sim.cluster.nodes.machines import DEFAULT_CAPACITY, Machines, node_manifest
from gitops_sim.cluster.nodes.node_lifecycle import NODE_LIFECYCLE_WATCHES, NodeLifecycle
from gitops_sim.cluster.nodes.scheduler import SCHEDULER_WATCHES, Scheduler
from gitops_sim.cluster.nodes.taint_eviction import TAINT_EVICTION_WATCHES, TaintEviction
from gitops_sim.cluster.workloads import WORKLOADS
from gitops_sim.journal import Journal
from gitops_sim.protocols import Clock, Cluster, ImageSource
from gitops_sim.runtime import Caches, Controller
from gitops_sim.types import Manifest

__all__ = ["Site", "make_controllers", "make_provider", "make_users", "register_nodes"]

_MANAGERS = {
    "kubelet": "kubelet",
    "kwok": "kwok",
    "kube-scheduler": "kube-scheduler",
    "service-lb-controller": "cloud-controller-manager",
}
"""Field managers of those that are no part of the controller manager."""
_MOST_WORKERS = 8


class Site(Protocol):
    """What controllers are put into."""

    clock: Clock
    journal: Journal
    machines: Machines
    traffic: Traffic

    def client(
        self,
        name: str,
        *,
        component: str = "",
        qps: float = 0.0,
        burst: int = 0,
        latency: float = 0.0,
        shares: bool = False,
    ) -> Cluster:
        """Return a client with an account."""


def make_controllers(site: Site, images: ImageSource | None) -> dict[str, Controller]:
    """Return the controllers of a cluster by name, in the order in which they start.

    Args:
        site: The cluster.
        images: Where kubelets pull from; None: KWOK is in the place of kubelets.
    """
    specs = {**HOUSEKEEPING, **WORKLOADS, **NETWORK, **_node_side(site, images)}
    if images is None:  # with KWOK nothing makes volumes, and nothing measures pods
        del specs[PROVISIONER.name], specs[VOLUME_RESIZER.name]
    else:
        scaler = autoscaler(metrics=site.traffic.usage)
        specs[scaler.name] = scaler
    return {name: _build(site, spec) for name, spec in specs.items()}


def make_provider(site: Site) -> dict[str, Controller]:
    """Return the controllers of a simulated cloud by name."""
    return {spec.name: _build(site, spec) for spec in (LOAD_BALANCERS,)}


def _build(site: Site, spec: ControllerSpec) -> Controller:
    manager = _MANAGERS.get(spec.name, MANAGER)
    client = partial(site.client, manager, component=spec.name, shares=True)
    return build(spec, site.clock, site.journal, client)


def make_users(site: Site, name: str) -> Controller:
    """Return the users of a cluster: they are no part of it, and cannot be killed."""
    seen = Seen(name, site.journal)

    def make_reconcile(client: Cluster, caches: Caches) -> Users:
        return Users(caches, site.clock, site.machines, site.traffic, seen)

    client = partial(site.client, "users")
    return Controller("users", site.clock, site.journal, client, make_reconcile, USERS_WATCHES)


def register_nodes(site: Site, *, kwok: bool) -> None:
    """Let the kubelet of each machine, or KWOK, make its Node."""
    client = site.client("kwok" if kwok else "kubelet")
    make = kwok_node if kwok else node_manifest
    for machine in site.machines:
        node = make(machine, DEFAULT_CAPACITY, site.clock.timestamp())
        stored = client.create(node)
        client.patch("v1/Node", machine.name, {"status": node["status"]}, subresource="status")
        client.create(_lease(stored, "kwok" if kwok else machine.name, site.clock))


def _lease(node: Manifest, holder: str, clock: Clock) -> Manifest:
    """Return the Lease by which a node tells that it lives."""
    name = node["metadata"]["name"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    renewed = clock.timestamp().removesuffix("Z") + ".000000Z"
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": "kube-node-lease",
            "ownerReferences": [owner],
        },
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 40, "renewTime": renewed},
    }


def _pod_side(site: Site, images: ImageSource | None) -> ControllerSpec:
    """Return what runs pods."""
    if images is None:

        def kwok(context: Context) -> Kwok:
            return Kwok(context.client, context.caches, context.clock)

        return ControllerSpec("kwok", KWOK_WATCHES, kwok)
    source = images

    def kubelet(context: Context) -> Kubelet:
        return Kubelet(context.client, context.caches, context.clock, site.machines, source)

    workers = max(1, min(len(list(site.machines)), _MOST_WORKERS))
    return ControllerSpec("kubelet", KUBELET_WATCHES, kubelet, workers=workers)


def _node_side(site: Site, images: ImageSource | None) -> dict[str, ControllerSpec]:
    def scheduler(context: Context) -> Scheduler:
        return Scheduler(context.client, context.caches, context.clock)

    def lifecycle(context: Context) -> NodeLifecycle:
        return NodeLifecycle(context, site.machines)

    specs = (
        ControllerSpec(
            "node-lifecycle-controller",
            NODE_LIFECYCLE_WATCHES,
            lifecycle,
            component="node-controller",
        ),
        ControllerSpec("taint-eviction-controller", TAINT_EVICTION_WATCHES, TaintEviction),
        ControllerSpec("kube-scheduler", SCHEDULER_WATCHES, scheduler),
        _pod_side(site, images),
    )
    return {spec.name: spec for spec in specs}
