"""Installs Flux into a cluster: definitions, namespace, and the two controllers.

Source: fluxcd/flux2 manifests; `flux install`.
Differs: the controllers run beside the cluster, not as Deployments in it; RBAC, network policies
and the notification and helm controllers are not installed. HelmRelease, OCIRepository, Bucket
and the like are not served: an object of such a kind meets `no matches for kind`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gitops_sim.clock import Door
from gitops_sim.journal import Journal
from gitops_sim.protocols import Clock, Cluster, GitRemote
from gitops_sim.pull.flux.artifacts import ArtifactStorage
from gitops_sim.pull.flux.facade import Flux
from gitops_sim.pull.flux.kustomize_controller import KustomizeReconciler
from gitops_sim.pull.flux.manifests import create_missing
from gitops_sim.pull.flux.names import KUSTOMIZE_CONTROLLER, SOURCE_CONTROLLER
from gitops_sim.pull.flux.options import FluxOptions
from gitops_sim.pull.flux.readiness import Readiness
from gitops_sim.pull.flux.source_controller import SourceReconciler
from gitops_sim.pull.flux.toolkit import Toolkit
from gitops_sim.pull.flux.triggers import KUSTOMIZE_WATCHES, SOURCE_WATCHES
from gitops_sim.render import Renderer
from gitops_sim.runtime import Backoff, Controller

__all__ = ["Host", "install"]

_SOURCE_WORKERS, _KUSTOMIZE_WORKERS = 2, 4


class Host(Protocol):
    """What Flux needs of the cluster that it is installed in."""

    name: str

    def client(
        self,
        name: str,
        *,
        qps: float = 0.0,
        burst: int = 0,
        latency: float = 0.0,
        shares: bool = False,
    ) -> Cluster:
        """Return a client of a user of that name, with an account of its own."""


def install(
    host: Host,
    clock: Clock,
    journal: Journal,
    find_remote: Callable[[str], GitRemote],
    renderer: Renderer,
    *,
    options: FluxOptions | None = None,
    door: Door | None = None,
) -> Flux:
    """Install Flux and start its controllers.

    Args:
        host: The cluster.
        clock: Virtual time.
        journal: Where facts go.
        find_remote: The Git repository behind a URL.
        renderer: Builds directories.
        options: Flags of the controllers.
        door: The lab's door: what people do to Flux is an input of the lab.

    Returns:
        Flux as people handle it; everything else is done by its custom resources.
    """
    flags = options or FluxOptions()
    people = host.client("flux")
    create_missing(people)
    storage = ArtifactStorage(clock)
    readiness = Readiness(clock, journal, host.name, host.client("flux-readiness", shares=True))
    toolkit = Toolkit(clock, journal, host.name, find_remote, renderer, storage, readiness, flags)

    def client(name: str) -> Cluster:
        return host.client(name, qps=flags.kube_api_qps, burst=flags.kube_api_burst, shares=True)

    backoff = Backoff(flags.min_retry_delay, flags.max_retry_delay)
    source = Controller(
        SOURCE_CONTROLLER,
        clock,
        journal,
        lambda: client(SOURCE_CONTROLLER),
        lambda cluster, caches: SourceReconciler(toolkit, cluster, caches).reconcile,
        SOURCE_WATCHES,
        workers=_SOURCE_WORKERS,
        backoff=backoff,
        by_priority=True,
    )
    kustomize = Controller(
        KUSTOMIZE_CONTROLLER,
        clock,
        journal,
        lambda: client(KUSTOMIZE_CONTROLLER),
        lambda cluster, caches: KustomizeReconciler(toolkit, cluster, caches).reconcile,
        KUSTOMIZE_WATCHES,
        workers=_KUSTOMIZE_WORKERS,
        backoff=backoff,
        by_priority=True,
    )
    controllers = {controller.name: controller for controller in (source, kustomize)}
    for controller in controllers.values():
        controller.start()
    return Flux(host.name, clock, people, controllers, door)
