"""kustomize-controller: an artifact becomes objects in the cluster, again and again.

One Kustomization, pass by pass: its source has an artifact, its dependencies are ready; the
directory is built, applied in stages, what left Git is pruned, health is awaited, and the status
says so. Then it sleeps for its interval, or until its spec, a request or its source's revision
wakes it. The objects that it applied are not watched: drift is found at the next pass.

Source: fluxcd/kustomize-controller internal/controller/kustomization_controller.go.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from gitops_sim.clock import format_duration
from gitops_sim.delivery import Inventory
from gitops_sim.errors import GitOpsSimError, NotFoundError
from gitops_sim.protocols import Cluster
from gitops_sim.pull.flux.applying import ServedKinds
from gitops_sim.pull.flux.building import Builder
from gitops_sim.pull.flux.dependencies import unmet_dependency
from gitops_sim.pull.flux.jitter import jittered
from gitops_sim.pull.flux.kustomization_spec import KustomizationSpec
from gitops_sim.pull.flux.names import (
    KUSTOMIZATION,
    KUSTOMIZE_CONTROLLER,
    KUSTOMIZE_GROUP,
    SOURCE_GROUP,
    STATUS_MANAGER,
)
from gitops_sim.pull.flux.passing import Pass, PassFailure, Tools
from gitops_sim.pull.flux.pruning import prune
from gitops_sim.pull.flux.status import FluxObject, ObjectWriter, Work
from gitops_sim.pull.flux.toolkit import FluxEvents, Toolkit
from gitops_sim.pull.flux.waiting import Awaited, HealthTeller
from gitops_sim.runtime import Caches, Request
from gitops_sim.types import Manifest, Result, Step

__all__ = ["KustomizeReconciler"]

_TERMINATION_POLL = 2.0


class KustomizeReconciler:
    """The reconcile function of kustomize-controller, from one start to the next.

    Args:
        toolkit: The world.
        client: Reads sources, applies objects, writes status and events.
        caches: Holds the Kustomizations.
    """

    def __init__(self, toolkit: Toolkit, client: Cluster, caches: Caches) -> None:
        self._toolkit = toolkit
        self._client = client
        self._cache = caches[KUSTOMIZATION]
        self._writer = ObjectWriter(client, toolkit.clock, KUSTOMIZATION, STATUS_MANAGER)
        events = FluxEvents(client, KUSTOMIZE_CONTROLLER, KUSTOMIZE_GROUP, toolkit.clock)
        strict = toolkit.options.strict_substitutions
        self._tools = Tools(
            toolkit,
            client,
            events,
            ServedKinds(client),
            Builder(client, toolkit.renderer, strict=strict),
            HealthTeller(toolkit.journal, toolkit.cluster),
        )

    def reconcile(self, request: Request) -> Generator[Any, Any, Result | None]:
        """Bring the cluster to what one Kustomization says."""
        manifest = self._cache.get(request.name, request.namespace)
        if manifest is None:
            return None
        obj = FluxObject(manifest, self._writer)
        spec = KustomizationSpec.from_manifest(manifest)
        started = self._toolkit.clock.now()
        if manifest["metadata"].get("deletionTimestamp"):
            if obj.has_finalizer:
                yield from self._finalize(obj, spec)
                self._tell_finished(obj, spec, started)
            return None
        if not obj.has_finalizer:
            yield from obj.add_finalizer()
            return Result(self._toolkit.options.min_retry_delay)
        if spec.suspend:
            yield from self._close(obj)
            return None
        if spec.unsupported:
            yield from self._stall(obj, f"spec.{spec.unsupported} is not supported in this lab")
            return None
        return (yield from self._with_source(obj, spec, started))

    def _with_source(
        self, obj: FluxObject, spec: KustomizationSpec, started: float
    ) -> Generator[Any, Any, Result | None]:
        """Go on when there is an artifact and every dependency is ready."""
        options = self._toolkit.options
        if options.no_cross_namespace_refs and spec.source.namespace != obj.namespace:
            text = f"can't access '{spec.source}', cross-namespace references have been blocked"
            yield from self._stall(obj, text, reason="AccessDenied")
            return None
        try:
            artifact = self._artifact(spec)
        except NotFoundError as error:
            obj.set("Ready", "False", "ArtifactFailed", str(error))
            yield from self._close(obj)
            return Result(spec.retry_interval)
        wait_text = f"retrying in {format_duration(options.requeue_dependency)}"
        if artifact is None:
            text = f"Source artifact not found, {wait_text}"
            obj.set("Ready", "False", "ArtifactFailed", text)
            yield from self._close(obj)
            return Result(options.requeue_dependency)
        unmet = unmet_dependency(self._client, spec, artifact["revision"])
        if unmet:
            obj.set("Ready", "False", "DependencyNotReady", unmet)
            text = f"Dependencies do not meet ready condition, {wait_text}"
            self._tell(obj, artifact["revision"], text)
            yield from self._close(obj)
            return Result(options.requeue_dependency)
        return (yield from self._pass(obj, spec, artifact, started))

    def _artifact(self, spec: KustomizationSpec) -> dict[str, Any] | None:
        """Return the artifact of the source, None while it has none; NotFoundError without one."""
        kind = f"{SOURCE_GROUP}/v1/{spec.source.kind}"
        source = self._client.get(kind, spec.source.name, spec.source.namespace)
        artifact: dict[str, Any] | None = (source.get("status") or {}).get("artifact")
        return artifact

    def _pass(
        self,
        obj: FluxObject,
        spec: KustomizationSpec,
        artifact: dict[str, Any],
        started: float,
    ) -> Generator[Any, Any, Result | None]:
        clock, options = self._toolkit.clock, self._toolkit.options
        work = Pass(self._tools, obj, spec, artifact)
        failure: PassFailure | None = yield from work.run()
        if failure is not None:
            obj.set("Ready", "False", failure.reason, failure.message)
            meta = {"revision": artifact["revision"]}
            self._tools.events.error(obj, failure.reason, failure.message, meta)
            yield from self._close(obj, work=work, seconds=clock.now() - started)
            wait = spec.retry_interval if failure.retry_after is None else failure.retry_after
            return Result(wait)
        yield from self._close(obj, work=work, seconds=clock.now() - started)
        self._tell_finished(obj, spec, started)
        stream = clock.random(f"jitter/{obj.agent}")
        return Result(jittered(spec.interval, stream, options.interval_jitter))

    def _close(self, obj: FluxObject, *, work: Pass | None = None, seconds: float = 0.0) -> Work:
        """End a pass: tidy the conditions, then write what is left to write."""
        reconciling = obj.condition("Reconciling")
        if obj.is_true("Ready"):
            obj.remove("Reconciling")
            obj.status["observedGeneration"] = obj.generation
        elif reconciling.get("reason") == "Progressing":
            message = reconciling["message"]
            obj.set("Reconciling", "True", "ProgressingWithRetry", message)
        obj.handle_request()
        if work is not None:
            work.count(seconds)
        yield from obj.patch()

    def _stall(self, obj: FluxObject, problem: str, *, reason: str = "FeatureGateDisabled") -> Work:
        """Give up until the spec changes."""
        message = f"Reconciliation failed terminally due to configuration error: {problem}"
        obj.remove("Reconciling")
        obj.set("Stalled", "True", reason, message)
        obj.set("Ready", "False", reason, message)
        obj.status["observedGeneration"] = obj.generation
        obj.handle_request()
        self._tools.events.error(obj, reason, message)
        yield from obj.patch()

    def _tell(self, obj: FluxObject, revision: str, message: str, **meta: str) -> None:
        reason = obj.condition("Ready").get("reason", "Progressing")
        about = {**meta, "revision": revision} if revision else dict(meta)
        self._tools.events.info(obj, reason, message, about)

    def _tell_finished(self, obj: FluxObject, spec: KustomizationSpec, started: float) -> None:
        if not obj.is_true("Ready"):
            return
        took = format_duration(self._toolkit.clock.now() - started)
        revision = str(obj.status.get("lastAppliedRevision", ""))
        text = f"Reconciliation finished in {took}, next run in {format_duration(spec.interval)}"
        self._tell(obj, revision, text, commit_status="update")

    def _finalize(self, obj: FluxObject, spec: KustomizationSpec) -> Work:
        """Delete what was applied, if the policy says so, and let the Kustomization go."""
        inventory = Inventory.from_status(obj.status.get("inventory"))
        revision = str(obj.status.get("lastAppliedRevision", ""))
        if spec.deletes_its_objects and not spec.suspend and len(inventory):
            pruned = yield from prune(
                self._client, inventory, name=obj.name, namespace=obj.namespace
            )
            if pruned.error:
                self._tools.events.error(obj, "PruneFailed", pruned.error)
                raise GitOpsSimError(pruned.error)  # comes again after its back-off
            if pruned.changes.is_changed:
                self._tell(obj, revision, str(pruned.changes))
            if spec.deletion_policy == "WaitForTermination":
                yield from self._await_termination(obj, spec, inventory)
        yield from obj.remove_finalizer()

    def _await_termination(
        self, obj: FluxObject, spec: KustomizationSpec, inventory: Inventory
    ) -> Work:
        clock = self._toolkit.clock
        deadline = clock.now() + spec.timeout
        awaited = [Awaited(entry.kind, entry.key) for entry in inventory]
        while any(self._get(item) is not None for item in awaited):
            if clock.now() >= deadline:
                text = "failed to wait for resources termination: timed out"
                self._tools.events.error(obj, "PruneFailed", text)
                return
            yield Step("wait for termination", _TERMINATION_POLL, obj.subject)

    def _get(self, item: Awaited) -> Manifest | None:
        try:
            return self._client.get(item.kind, item.key.name, item.key.namespace or None)
        except NotFoundError:
            return None
