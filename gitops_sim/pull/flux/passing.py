"""One pass of a Kustomization over an artifact: fetch, build, apply, prune, wait.

Each stage first says in the conditions that it begins; a failure ends the pass with a reason.

Source: fluxcd/kustomize-controller internal/controller/kustomization_controller.go (reconcile).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.clock import format_duration
from gitops_sim.delivery import Action, ChangeSet, Inventory, InventoryEntry
from gitops_sim.journal.facts import ReadyRevision, RevisionApplied
from gitops_sim.protocols import Cluster
from gitops_sim.pull.flux.applying import Applied, Applier, Owner, ServedKinds, exact_kind
from gitops_sim.pull.flux.artifacts import ArtifactTree
from gitops_sim.pull.flux.building import Builder, BuildFailure, Built, Owning
from gitops_sim.pull.flux.history import Outcome, with_outcome
from gitops_sim.pull.flux.kustomization_spec import KustomizationSpec
from gitops_sim.pull.flux.options import Pace
from gitops_sim.pull.flux.pruning import Pruned, prune
from gitops_sim.pull.flux.status import FluxObject
from gitops_sim.pull.flux.toolkit import FluxEvents, Toolkit
from gitops_sim.pull.flux.waiting import Awaited, HealthTeller, Patience, wait_for
from gitops_sim.types import Manifest, ResourceKey, Revision, Step

__all__ = ["Pass", "PassFailure", "Tools"]

_HEALTH_INTERVAL = 5.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What every pass of a controller's life shares."""

    toolkit: Toolkit
    client: Cluster
    events: FluxEvents
    kinds: ServedKinds
    builder: Builder
    health: HealthTeller


@dataclass(frozen=True, slots=True)
class PassFailure:
    """Why a pass ended early; `retry_after` in seconds, None is the spec's retryInterval."""

    reason: str
    message: str
    retry_after: float | None = None


Running = Generator[Any, Any, PassFailure | None]


class Pass:
    """One pass.

    Args:
        tools: Of the controller.
        obj: The Kustomization.
        spec: Its spec.
        artifact: `status.artifact` of its source.
    """

    def __init__(
        self, tools: Tools, obj: FluxObject, spec: KustomizationSpec, artifact: dict[str, Any]
    ) -> None:
        self._tools = tools
        self._toolkit = tools.toolkit
        self._obj = obj
        self._spec = spec
        self._artifact = artifact
        self._revision = str(artifact["revision"])
        self._digest = ""
        self._is_new_revision = obj.status.get("lastAppliedRevision") != self._revision

    def run(self) -> Running:
        """Do it all; return what went wrong, or None."""
        self._obj.remove("Stalled")
        self._obj.set("Ready", "Unknown", "Progressing", "Reconciliation in progress")
        yield from self._announce("Fetching manifests")
        yield Step("fetch artifact", Pace.FETCH, self._obj.subject)
        tree = self._fetch()
        if isinstance(tree, PassFailure):
            return tree
        self._obj.status["lastAttemptedRevision"] = self._revision
        yield from self._announce("Building manifests")
        yield Step("build", Pace.BUILD, self._obj.subject)
        owning = Owning(self._obj.name, self._obj.namespace, self._spec)
        built = self._tools.builder.build(tree, owning)
        if isinstance(built, BuildFailure):
            return PassFailure("BuildFailed", built.message)
        self._digest = built.digest
        return (yield from self._deliver(built))

    def count(self, seconds: float) -> None:
        """Enter the pass into the history, if it got as far as manifests."""
        if not self._digest:
            return
        outcome = Outcome(
            self._digest,
            self._toolkit.clock.timestamp(),
            seconds,
            self._obj.condition("Ready")["reason"],
            self._revision,
        )
        self._obj.status["history"] = with_outcome(self._obj.status.get("history", []), outcome)

    def _announce(self, doing: str) -> Generator[Any, Any, None]:
        self._obj.set("Reconciling", "True", "Progressing", self._doing(doing))
        yield from self._obj.patch()

    def _doing(self, doing: str) -> str:
        timeout = format_duration(self._spec.timeout)
        return f"{doing} for revision {self._revision} with a timeout of {timeout}"

    def _fetch(self) -> ArtifactTree | PassFailure:
        artifact = self._toolkit.storage.fetch(self._artifact["path"])
        if artifact is None:
            wait = self._toolkit.options.requeue_dependency
            text = f"retrying in {format_duration(wait)}"
            return PassFailure(
                "ArtifactFailed", f"Source is not ready, artifact not found, {text}", wait
            )
        tree = ArtifactTree(artifact)
        path = self._spec.path.removeprefix("./").strip("/")
        if ".." in path.split("/") or not tree.is_directory(path):
            folder = self._toolkit.clock.random("flux/folders").randrange(10**9, 2**32)
            place = f"/tmp/kustomization-{folder}/{path}"  # noqa: S108 - text of a message
            text = f"kustomization path not found: stat {place}: no such file or directory"
            return PassFailure("ArtifactFailed", text)
        return tree

    def _deliver(self, built: Built) -> Running:
        """Apply, prune, and wait."""
        yield from self._announce("Detecting drift")
        old = Inventory.from_status(self._obj.status.get("inventory"))
        applied = yield from self._apply(built.manifests, old)
        if applied.error:
            log = "\n".join(str(change) for change in applied.changes.changed())
            text = f"{applied.error}\n{log}" if log else applied.error
            return PassFailure("ReconciliationFailed", text)
        new = Inventory(InventoryEntry(c.subject, c.version) for c in applied.changes)
        self._obj.status["inventory"] = new.to_status()
        pruned = yield from self._prune(old.orphans(of=new))
        self._tell_applied(applied.changes, pruned.changes)
        if pruned.error:
            self._obj.status["inventory"] = new.with_entries(pruned.left).to_status()
            return PassFailure("PruneFailed", pruned.error)
        failure = yield from self._check_health(built.manifests, applied.changes)
        if failure is not None:
            return failure
        self._obj.status["lastAppliedRevision"] = self._revision
        text = f"Applied revision: {self._revision}"
        self._obj.set("Ready", "True", "ReconciliationSucceeded", text)
        return None

    def _apply(self, manifests: Sequence[Manifest], old: Inventory) -> Generator[Any, Any, Applied]:
        def drifts(key: ResourceKey) -> bool:
            """Nothing that Flux reads has changed, so it was somebody else."""
            unchanged = self._obj.generation == self._obj.observed_generation
            return unchanged and not self._is_new_revision and key in old

        owner = Owner(self._obj.agent, self._obj.subject, self._spec.force, drifts)
        applier = Applier(self._toolkit, self._tools.client, self._tools.kinds, owner)
        applied = yield from applier.apply(manifests)
        log = "\n".join(str(change) for change in applied.changes.changed())
        if log and not applied.error:
            self._tell(log)
        return applied

    def _prune(self, orphans: Sequence[InventoryEntry]) -> Generator[Any, Any, Pruned]:
        if not self._spec.prune or not orphans:
            return Pruned()
        pruned = yield from prune(
            self._tools.client, orphans, name=self._obj.name, namespace=self._obj.namespace
        )
        if len(pruned.changes):
            self._tell(str(pruned.changes))
        return pruned

    def _check_health(self, manifests: Sequence[Manifest], changes: ChangeSet) -> Running:
        if not (self._spec.wait or self._spec.health_checks):
            self._obj.remove("Healthy")
            everything = self._everything(manifests, changes)
            self._toolkit.readiness.follow(self._obj.agent, self._revision, everything)
            return None
        awaited = [Awaited(kind, key) for kind, key in self._spec.health_checks]
        if self._spec.wait:
            awaited = self._everything(manifests, changes)
        clock, was_healthy = self._toolkit.clock, self._obj.is_true("Healthy")
        text = self._doing("Running health checks")
        self._obj.set("Healthy", "Unknown", "Progressing", text)
        yield from self._announce("Running health checks")
        started = clock.now()
        patience = Patience(self._spec.timeout, _HEALTH_INTERVAL, self._obj.subject)
        problem = yield from wait_for(
            self._tools.client, clock, awaited, patience, self._tools.health
        )
        took = format_duration(clock.now() - started)
        if problem:
            self._obj.set("Healthy", "False", "HealthCheckFailed", problem)
            return PassFailure("HealthCheckFailed", f"health check failed after {took}: {problem}")
        text = f"Health check passed in {took}"
        if not was_healthy or (self._is_new_revision and changes.is_changed):
            self._tell(text)
        self._obj.set("Healthy", "True", "Succeeded", text)
        yield from self._obj.patch()
        self._toolkit.journal.record(
            ReadyRevision(self._obj.agent, self._toolkit.cluster, self._revision, self._commit())
        )
        return None

    def _everything(self, manifests: Sequence[Manifest], changes: ChangeSet) -> list[Awaited]:
        """Return all that was applied, without the Kustomization itself."""
        skipped = {change.subject for change in changes if change.action is Action.SKIPPED}
        skipped.add(ResourceKey.of(self._obj.manifest))
        return [
            Awaited(exact_kind(manifest), key, _goes_when_done(manifest))
            for manifest in manifests
            for key in (ResourceKey.of(manifest),)
            if key not in skipped
        ]

    def _tell(self, message: str) -> None:
        reason = self._obj.condition("Ready")["reason"]
        self._tools.events.info(self._obj, reason, message, {"revision": self._revision})

    def _tell_applied(self, changes: ChangeSet, pruned: ChangeSet) -> None:
        self._toolkit.journal.record(
            RevisionApplied(
                self._obj.agent,
                self._toolkit.cluster,
                self._revision,
                self._commit(),
                changes.count(Action.CREATED),
                changes.count(Action.CONFIGURED),
                changes.count(Action.UNCHANGED),
                pruned.count(Action.DELETED),
            )
        )

    def _commit(self) -> str:
        return Revision.parse(self._revision).commit


def _goes_when_done(manifest: Manifest) -> bool:
    """True for a Job that is removed after it has ended."""
    return manifest["kind"] == "Job" and "ttlSecondsAfterFinished" in manifest.get("spec", {})
