"""Flux as people handle it: the verbs of the `flux` command line, and crashes of controllers.

Every verb writes to the cluster what the command line writes; the controllers do the rest.

Source: fluxcd/flux2 cmd/flux.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitops_sim.clock import Door, outside, parse_duration
from gitops_sim.errors import LabError, NotFoundError
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.pull.flux import printing
from gitops_sim.pull.flux.manifests import create_missing
from gitops_sim.pull.flux.names import (
    GIT_REPOSITORY,
    KUSTOMIZATION,
    KUSTOMIZE_GROUP,
    REQUESTED_AT,
    SOURCE_GROUP,
    SYSTEM,
)
from gitops_sim.runtime import Controller
from gitops_sim.types import Manifest

__all__ = ["Flux"]

_KINDS: Mapping[str, str] = {
    "kustomization": KUSTOMIZATION,
    "kustomizations": KUSTOMIZATION,
    "ks": KUSTOMIZATION,
    "gitrepository": GIT_REPOSITORY,
    "gitrepositories": GIT_REPOSITORY,
    "source git": GIT_REPOSITORY,
    "sources git": GIT_REPOSITORY,
}


class Flux:
    """Flux in one cluster.

    Args:
        cluster: The cluster's name.
        clock: Virtual time.
        client: Writes in the name of the `flux` command line.
        controllers: By name.
        door: The lab's door; None for a lab that nobody replays.

    Attributes:
        controllers: source-controller and kustomize-controller.
    """

    def __init__(
        self,
        cluster: str,
        clock: Clock,
        client: Cluster,
        controllers: Mapping[str, Controller],
        door: Door | None,
    ) -> None:
        self.controllers = controllers
        self._clock = clock
        self._client = client
        self._door = door
        self._address = f"cluster/{cluster}/flux"
        if door is not None:
            door.register(self._address, self)

    def __repr__(self) -> str:
        alive = [name for name, controller in self.controllers.items() if controller.alive]
        return f"<Flux {self._address}: {', '.join(alive) or 'no controller'} running>"

    @outside
    def bootstrap(
        self,
        url: str,
        *,
        path: str = "",
        branch: str = "main",
        interval: str = "1m",
        sync_interval: str = "10m",
        name: str = SYSTEM,
        ignore: str = "",
        target_namespace: str = "",
        wait: bool = False,
    ) -> None:
        """Write the GitRepository and the Kustomization that `flux bootstrap` ends with.

        The namespace and the definitions come back first, if someone deleted them.

        Args:
            url: The repository, such as `https://git.example.com/shop.git`.
            path: The directory of this cluster in it.
            branch: Which branch.
            interval: How often to look at Git.
            sync_interval: How often to apply again without news: the longest life of drift.
            name: Of both resources, in `flux-system`.
            ignore: `spec.ignore` of the source: gitignore patterns.
            target_namespace: `spec.targetNamespace`: for manifests that name no namespace.
            wait: `spec.wait`: ready means that everything applied is healthy.

        Differs: `flux bootstrap` first commits its own manifests to the repository, so that Flux
            keeps itself up to date; here only what it then creates is written.
        """
        for text in (interval, sync_interval):
            parse_duration(text)
        source: Manifest = {
            "apiVersion": f"{SOURCE_GROUP}/v1",
            "kind": "GitRepository",
            "metadata": {"name": name, "namespace": SYSTEM},
            "spec": {"interval": interval, "ref": {"branch": branch}, "url": url},
        }
        if ignore:
            source["spec"]["ignore"] = ignore
        kustomization: Manifest = {
            "apiVersion": f"{KUSTOMIZE_GROUP}/v1",
            "kind": "Kustomization",
            "metadata": {"name": name, "namespace": SYSTEM},
            "spec": {
                "interval": sync_interval,
                "path": f"./{path.strip('/').removeprefix('./')}",
                "prune": True,
                "sourceRef": {"kind": "GitRepository", "name": name},
            },
        }
        if target_namespace:
            kustomization["spec"]["targetNamespace"] = target_namespace
        if wait:
            kustomization["spec"]["wait"] = True
        create_missing(self._client)
        for manifest in (source, kustomization):
            self._client.apply(manifest, field_manager="flux", force=True)

    @outside
    def suspend(self, kind: str, name: str, *, namespace: str = SYSTEM) -> str:
        """Stop reconciling a resource (`flux suspend kustomization apps`); return what it says."""
        self._write(kind, name, namespace, {"spec": {"suspend": True}})
        return f"► suspending {kind} {name} in {namespace} namespace\n✔ {kind} suspended"

    @outside
    def resume(self, kind: str, name: str, *, namespace: str = SYSTEM) -> str:
        """Go on reconciling a resource (`flux resume kustomization apps`)."""
        self._write(kind, name, namespace, {"spec": {"suspend": False}})
        return f"► resuming {kind} {name} in {namespace} namespace\n✔ {kind} resumed"

    @outside
    def reconcile(
        self, kind: str, name: str, *, namespace: str = SYSTEM, with_source: bool = False
    ) -> str:
        """Ask for a pass now (`flux reconcile kustomization apps --with-source`).

        Differs: the command line waits for the end of the pass; here time passes with `lab.run`.
        """
        said = []
        if with_source:
            found = self._find(kind, name, namespace)
            source = found["spec"]["sourceRef"]
            inside = source.get("namespace") or namespace
            said.append(self._request("source git", source["name"], inside))
        said.append(self._request(kind, name, namespace))
        return "\n".join(said)

    def receive(self, url: str) -> int:
        """Poll the GitRepositories of a repository now, since a webhook told of a push to it.

        Args:
            url: The repository that was pushed to, as `spec.url` names it.

        Returns:
            How many there are that are not suspended.

        Source: fluxcd/notification-controller internal/server/receiver_handlers.go.
        Differs: in Flux a Receiver and notification-controller do this; here whoever has the
            webhook calls it, and all GitRepositories with the URL are meant.
        """
        told = 0
        for source in self._client.list(GIT_REPOSITORY):
            spec, metadata = source["spec"], source["metadata"]
            if _same_repository(spec["url"], url) and not spec.get("suspend"):
                self._request("source git", metadata["name"], metadata["namespace"])
                told += 1
        return told

    @outside
    def kill(self, controller: str) -> None:
        """Crash a controller: `source-controller` or `kustomize-controller`."""
        self._controller(controller).kill()

    @outside
    def start(self, controller: str) -> None:
        """Start a controller that was killed."""
        self._controller(controller).start()

    def get(self, kind: str = "kustomizations", *, namespace: str | None = SYSTEM) -> str:
        """Return the table of `flux get kustomizations` or `flux get sources git`.

        Args:
            kind: Which kind.
            namespace: Where; None means all namespaces.
        """
        found = self._client.list(_exact(kind), namespace)
        return printing.status_table(found, all_namespaces=namespace is None)

    def tree(self, name: str = SYSTEM, *, namespace: str = SYSTEM) -> str:
        """Return the text of `flux tree kustomization <name>`: what it applied, level by level."""
        return printing.inventory_tree(self._client, name, namespace)

    def _request(self, kind: str, name: str, namespace: str) -> str:
        found = self._find(kind, name, namespace)
        if found["spec"].get("suspend"):
            raise LabError("resource is suspended", f"flux.resume({kind!r}, {name!r}) first")
        annotation = {REQUESTED_AT: self._clock.timestamp_micro()}
        self._write(kind, name, namespace, {"metadata": {"annotations": annotation}})
        word = found["kind"]
        return f"► annotating {word} {name} in {namespace} namespace\n✔ {word} annotated"

    def _write(self, kind: str, name: str, namespace: str, patch: Manifest) -> None:
        self._find(kind, name, namespace)
        self._client.patch(_exact(kind), name, patch, namespace, field_manager="flux")

    def _find(self, kind: str, name: str, namespace: str) -> Manifest:
        try:
            return self._client.get(_exact(kind), name, namespace)
        except NotFoundError:
            names = [
                found["metadata"]["name"] for found in self._client.list(_exact(kind), namespace)
            ]
            raise LabError(
                f"no {kind} {name!r} in namespace {namespace}",
                f"there are: {', '.join(names) or 'none'}",
            ) from None

    def _controller(self, name: str) -> Controller:
        found = self.controllers.get(name)
        if found is None:
            known = ", ".join(self.controllers)
            raise LabError(f"Flux has no controller {name!r} here", f"name one of: {known}")
        return found


def _same_repository(one: str, other: str) -> bool:
    return one.removesuffix(".git") == other.removesuffix(".git")


def _exact(kind: str) -> str:
    found = _KINDS.get(kind.lower())
    if found is None:
        raise LabError(f"Flux has no kind {kind!r} here", 'use "kustomization" or "source git"')
    return found
