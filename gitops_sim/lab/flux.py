"""Flux at hand on a cluster of the lab: `staging.flux.bootstrap(shop, path="overlays/staging")`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from gitops_sim.clock import outside
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.errors import LabError, NotFoundError
from gitops_sim.forge import Repository
from gitops_sim.journal import facts
from gitops_sim.lab.arguments import existing_directory, the_repository
from gitops_sim.lab.declared import GIT_REPOSITORY, KUSTOMIZATION
from gitops_sim.lab.parts import LabParts
from gitops_sim.pull.flux import Flux, FluxOptions, install
from gitops_sim.types import Manifest
from gitops_sim.viz import LoopStage, Picture, ReconcileLoop, draw_loop

__all__ = ["FluxHandle"]

SYSTEM = "flux-system"
F = TypeVar("F", bound=facts.Fact)


class FluxHandle:
    """Pull-based delivery to one cluster by Flux; installed by the first `bootstrap`."""

    def __init__(self, cluster: SimulatedCluster, parts: LabParts) -> None:
        self._cluster = cluster
        self._parts = parts
        self._door = parts.door
        self._address = f"flux/{cluster.name}"
        self._door.register(self._address, self)
        self._flux: Flux | None = None

    @property
    def installed(self) -> bool:
        """True when the cluster has Flux's kinds and controllers."""
        return self._flux is not None

    @outside
    def install(self, *, interval_jitter: float = 0.05) -> None:
        """Install Flux's definitions and controllers; nothing if they are there.

        Args:
            interval_jitter: Part of 1 by which intervals vary; 0 repeats exactly.
        """
        if self._flux is None:
            self._flux = install(
                self._cluster,
                self._parts.clock,
                self._parts.journal,
                self._parts.forge.remote,
                self._parts.renderer,
                options=FluxOptions(interval_jitter=interval_jitter),
                door=self._parts.door,
            )

    @outside
    def bootstrap(
        self,
        repository: Repository,
        *,
        path: str = "",
        branch: str = "",
        interval: str = "1m",
        sync_interval: str = "10m",
        name: str = SYSTEM,
        ignore: str = "",
        target_namespace: str = "",
        wait: bool = False,
    ) -> None:
        """Let Flux deliver a directory of a repository: write its GitRepository and Kustomization.

        Args:
            repository: Of the lab's forge.
            path: The directory of this cluster in it.
            branch: "" is the default branch.
            interval: How often to look at Git.
            sync_interval: How often to apply again without news: the longest life of drift.
            name: Of both resources, in namespace `flux-system`.
            ignore: Files that do not belong to the artifact, as gitignore patterns.
            target_namespace: For manifests that name no namespace.
            wait: Ready means that everything applied is healthy.

        Raises:
            LabError: `repository` is none, or has no such directory.
            UnknownRefError: It has no such branch.
        """
        source = the_repository(repository)
        existing_directory(source, branch, path)
        self.install()
        self._installed.bootstrap(
            self._parts.forge.url(source.name),
            path=path,
            branch=branch or source.default_branch,
            interval=interval,
            sync_interval=sync_interval,
            name=name,
            ignore=ignore,
            target_namespace=target_namespace,
            wait=wait,
        )

    def suspend(self, kind: str, name: str = SYSTEM, *, namespace: str = SYSTEM) -> str:
        """Stop reconciling a resource, as `flux suspend kustomization` does."""
        return self._installed.suspend(kind, name, namespace=namespace)

    def resume(self, kind: str, name: str = SYSTEM, *, namespace: str = SYSTEM) -> str:
        """Go on reconciling a resource."""
        return self._installed.resume(kind, name, namespace=namespace)

    def reconcile(
        self,
        kind: str,
        name: str = SYSTEM,
        *,
        namespace: str = SYSTEM,
        with_source: bool = False,
    ) -> str:
        """Ask for a pass now, as `flux reconcile kustomization --with-source` does."""
        return self._installed.reconcile(kind, name, namespace=namespace, with_source=with_source)

    def kill(self, controller: str) -> None:
        """Crash `source-controller` or `kustomize-controller`."""
        self._installed.kill(controller)

    def start(self, controller: str) -> None:
        """Start a controller that was killed."""
        self._installed.start(controller)

    def get(self, kind: str = "kustomizations", *, namespace: str | None = SYSTEM) -> str:
        """Return the table of `flux get kustomizations` or `flux get sources git`."""
        return self._installed.get(kind, namespace=namespace)

    def tree(self, name: str = SYSTEM, *, namespace: str = SYSTEM) -> str:
        """Return what `flux tree kustomization` prints."""
        return self._installed.tree(name, namespace=namespace)

    def loop(self, name: str = SYSTEM, *, namespace: str = SYSTEM) -> Picture:
        """Return the reconcile loop of a Kustomization, with what each stage did last.

        Raises:
            LabError: There is no such Kustomization.
        """
        try:
            found = self._cluster.get(KUSTOMIZATION, name, namespace)
        except NotFoundError:
            raise LabError(
                f"there is no Kustomization {name!r} in {namespace}", "bootstrap one first"
            ) from None
        agent = f"flux:{namespace}/{name}"
        applied = [e for e in self._entries(facts.RevisionApplied) if e[1].agent == agent]
        drifts = [e for e in self._entries(facts.DriftFound) if e[1].agent == agent]
        stages = (
            self._watched(found["spec"]["sourceRef"], namespace),
            self._compared(drifts, len(applied)),
            self._applied(applied),
            _judged(found),
        )
        spec = found["spec"]
        back = f"again after {spec['interval']}, or on a new artifact"
        if spec.get("suspend"):
            back = "suspended: it does not come back"
        active = 3 if _ready(found).get("status") == "True" else 2
        return draw_loop(ReconcileLoop(agent, stages, active, len(applied), back))

    @property
    def _installed(self) -> Flux:
        if self._flux is None:
            raise LabError(
                f"Flux is not installed in cluster {self._cluster.name}",
                "cluster.flux.bootstrap(repository, path=…) installs it and sets it up",
            )
        return self._flux

    def _entries(self, kind: type[F]) -> list[tuple[float, F]]:
        """Return the facts of a kind about this cluster, with their times."""
        found = []
        for entry in self._parts.journal.entries(kind):
            fact = entry.fact
            if isinstance(fact, kind) and getattr(fact, "cluster", None) == self._cluster.name:
                found.append((entry.time, fact))
        return found

    def _at(self, time: float) -> str:
        return self._parts.clock.timestamp(time)[11:19]

    def _watched(self, source: Mapping[str, str], namespace: str) -> LoopStage:
        """Return the stage of the source that a Kustomization names."""
        try:
            found = self._cluster.get(
                GIT_REPOSITORY, source["name"], source.get("namespace") or namespace
            )
        except NotFoundError:
            return LoopStage("watch", "no source", f"GitRepository {source['name']} is missing")
        artifact = (found.get("status") or {}).get("artifact") or {}
        told = _short(artifact.get("revision", "")) or "no artifact yet"
        return LoopStage("watch", told, f"Git is polled every {found['spec']['interval']}")

    def _compared(self, drifts: list[tuple[float, facts.DriftFound]], passes: int) -> LoopStage:
        if not drifts:
            times = "pass" if passes == 1 else "passes"
            return LoopStage("compare", "no drift seen", f"in {passes} {times}")
        time, drift = drifts[-1]
        return LoopStage("compare", f"drift: {drift.subject}", f"seen at {self._at(time)}")

    def _applied(self, applied: list[tuple[float, facts.RevisionApplied]]) -> LoopStage:
        if not applied:
            return LoopStage("apply", "nothing yet")
        time, fact = applied[-1]
        counts = f"{fact.created} new, {fact.configured} changed, {fact.pruned} pruned"
        return LoopStage("apply", f"{fact.commit[:7]} at {self._at(time)}", counts)


def _ready(manifest: Manifest) -> dict[str, str]:
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == "Ready"), {})


def _judged(manifest: Manifest) -> LoopStage:
    condition = _ready(manifest)
    if not condition:
        return LoopStage("judge", "not looked at yet")
    return LoopStage("judge", f"Ready={condition['status']}", condition.get("reason", ""))


def _short(revision: str) -> str:
    branch, _, commit = revision.partition("@sha1:")
    return f"{branch}@{commit[:7]}" if commit else revision
