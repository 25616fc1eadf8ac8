"""Server-side apply in stages, with a dry run of each object first: drift is what it shows.

One stage: every object is read and applied in a dry run; any refusal, and nothing of the stage is
applied. Claims of kubectl are taken over meanwhile. Then those that differ are applied, one write
and one step each, so that a crash can leave the rest undone for the next pass.

Source: fluxcd/pkg ssa/manager_apply.go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gitops_sim.delivery import Action, Change, ChangeSet, apply_stages, diff
from gitops_sim.errors import ApiError, ConflictError, InvalidError, NotFoundError
from gitops_sim.journal import who_set
from gitops_sim.journal.facts import DriftFound, DriftRepaired
from gitops_sim.protocols import Cluster
from gitops_sim.pull.flux import ownership
from gitops_sim.pull.flux.names import ENABLED, KUSTOMIZE_CONTROLLER
from gitops_sim.pull.flux.options import Pace
from gitops_sim.pull.flux.toolkit import Toolkit
from gitops_sim.pull.flux.waiting import Awaited, Patience, wait_for
from gitops_sim.types import Manifest, ResourceKey, Step

__all__ = ["Applied", "Applier", "Owner", "ServedKinds", "exact_kind"]

_STAGE_TIMEOUT, _STAGE_INTERVAL = 60.0, 2.0
_PARALLEL: Final = 4
"""Dry runs at a time."""
_NO_KIND: Final = "no matches for kind"


def exact_kind(manifest: Manifest) -> str:
    """Return the kind as a Reader takes it exactly: `apps/v1/Deployment`."""
    return f"{manifest['apiVersion']}/{manifest['kind']}"


class ServedKinds:
    """Which kinds have a namespace; asks the API again when it meets one that it does not know.

    Args:
        client: Asked.
    """

    def __init__(self, client: Cluster) -> None:
        self._client = client
        self._namespaced: dict[tuple[str, str], bool] = {}

    def is_namespaced(self, manifest: Manifest) -> bool | None:
        """Return whether objects of the kind have a namespace; None when it is not served."""
        key = (str(manifest["apiVersion"]), str(manifest["kind"]))
        if key not in self._namespaced:
            for served in self._client.discover():
                group = f"{served['group']}/" if served["group"] else ""
                version = f"{group}{served['version']}"
                self._namespaced[version, served["kind"]] = served["namespaced"]
        return self._namespaced.get(key)


@dataclass(frozen=True, slots=True)
class Owner:
    """For which Kustomization objects are applied; `drifts` says which changes count as drift."""

    agent: str
    subject: str
    force: bool
    drifts: Callable[[ResourceKey], bool]


@dataclass(slots=True)
class Applied:
    """What an apply did; `error` is what stopped it, empty when nothing did."""

    changes: ChangeSet = field(default_factory=ChangeSet)
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Planned:
    """An object that is to be applied."""

    manifest: Manifest
    action: Action
    has_drifted: bool


class _RefusedError(Exception):
    """Inside: an object was refused; the text is Flux's. Never leaves this module."""


class Applier:
    """Applies the objects of one pass.

    Args:
        toolkit: The world.
        client: Writes.
        kinds: Which kinds are served.
        owner: On whose behalf.
    """

    def __init__(self, toolkit: Toolkit, client: Cluster, kinds: ServedKinds, owner: Owner) -> None:
        self._toolkit = toolkit
        self._client = client
        self._kinds = kinds
        self._owner = owner

    def apply(self, manifests: Sequence[Manifest]) -> Generator[Any, Any, Applied]:
        """Apply all objects, stage by stage; stop at the first stage that fails."""
        applied = Applied()
        custom = self._toolkit.options.custom_apply_stage_kinds
        stages = apply_stages(manifests, custom_kinds=custom)
        try:
            for number, stage in enumerate(stages, 1):
                yield from self._stage(stage, applied.changes)
                if number < len(stages):
                    yield from self._wait(stage, applied.changes)
        except _RefusedError as refused:
            applied.error = str(refused)
        return applied

    def _stage(self, stage: Sequence[Manifest], changes: ChangeSet) -> Generator[Any, Any, None]:
        plan: list[_Planned | Change] = []
        rounds = -(-len(stage) // _PARALLEL)
        yield Step("dry run", Pace.DRY_RUN * rounds, self._owner.subject)
        for manifest in stage:
            planned = yield from self._plan(manifest)
            plan.append(planned)
        for todo in plan:
            if isinstance(todo, Change):
                changes.add(todo)
            else:
                yield from self._write(todo)
                changes.add(_change(todo.manifest, todo.action))

    def _wait(self, stage: Sequence[Manifest], changes: ChangeSet) -> Generator[Any, Any, None]:
        skipped = {change.subject for change in changes if change.action is Action.SKIPPED}
        awaited = [
            Awaited(exact_kind(manifest), ResourceKey.of(manifest))
            for manifest in stage
            if ResourceKey.of(manifest) not in skipped
        ]
        patience = Patience(_STAGE_TIMEOUT, _STAGE_INTERVAL, self._owner.subject)
        problem = yield from wait_for(self._client, self._toolkit.clock, awaited, patience)
        if problem:
            raise _RefusedError(problem)

    def _plan(self, manifest: Manifest) -> Generator[Any, Any, _Planned | Change]:
        """Find out by a dry run what is to be done with one object."""
        self._check_namespace(manifest)
        live = self._get(manifest)
        if ownership.is_left_alone(manifest, live):
            return _change(manifest, Action.SKIPPED)
        try:
            result = self._apply(manifest, dry_run=True)
        except ApiError as error:
            if live is None or not self._may_recreate(manifest, live, error):
                raise _RefusedError(_dry_run_text(manifest, error)) from None
            yield from self._remove(manifest)
            return _Planned(manifest, Action.CREATED, has_drifted=False)
        if live is None:
            drifted = self._note_drift(manifest, [], "")
            return _Planned(manifest, Action.CREATED, has_drifted=drifted)
        taken_over = yield from self._take_over(manifest, live)
        paths = [found.path for found in diff(result, live)]
        if not paths and not taken_over:
            return _change(manifest, Action.UNCHANGED)
        paths, manager = _blame(live, paths, taken_over)
        drifted = self._note_drift(manifest, paths, manager)
        return _Planned(manifest, Action.CONFIGURED, has_drifted=drifted)

    def _check_namespace(self, manifest: Manifest) -> None:
        if self._kinds.is_namespaced(manifest) and not manifest["metadata"].get("namespace"):
            text = "the server could not find the requested resource"
            raise _RefusedError(f"{ResourceKey.of(manifest)} namespace not specified: {text}")

    def _get(self, manifest: Manifest) -> Manifest | None:
        metadata = manifest["metadata"]
        try:
            return self._client.get(
                exact_kind(manifest), metadata["name"], metadata.get("namespace")
            )
        except NotFoundError:
            return None

    def _apply(self, manifest: Manifest, *, dry_run: bool) -> Manifest:
        return self._client.apply(
            manifest, field_manager=KUSTOMIZE_CONTROLLER, force=True, dry_run=dry_run
        )

    def _write(self, planned: _Planned) -> Generator[Any, Any, None]:
        subject = str(ResourceKey.of(planned.manifest))
        yield Step("apply", Pace.WRITE, subject)
        try:
            self._apply(planned.manifest, dry_run=False)
        except ApiError as error:
            raise _RefusedError(f"{subject} apply failed: {error}") from None
        if planned.has_drifted:
            agent, cluster = self._owner.agent, self._toolkit.cluster
            self._toolkit.journal.record(DriftRepaired(agent, cluster, subject))

    def _take_over(
        self, manifest: Manifest, live: Manifest
    ) -> Generator[Any, Any, Sequence[str] | None]:
        """Displace kubectl's claims; return whose they were, None when there was nothing to do."""
        if ownership.keeps_foreign_fields(manifest, live):
            return None
        patch = ownership.cleanup_patch(live)
        if not patch:
            return None
        key = ResourceKey.of(manifest)
        yield Step("take over fields", Pace.WRITE, str(key))
        try:
            self._client.patch(
                exact_kind(manifest),
                key.name,
                patch,
                key.namespace or None,
                type="json",
                field_manager=KUSTOMIZE_CONTROLLER,
            )
        except ApiError as error:
            raise _RefusedError(f"{key} metadata.managedFields cleanup failed: {error}") from None
        return ownership.displaced_managers(live)

    def _may_recreate(self, manifest: Manifest, live: Manifest, error: ApiError) -> bool:
        immutable = isinstance(error, ConflictError | InvalidError) or any(
            words in str(error) for words in ("is immutable", "immutable field")
        )
        return immutable and (
            self._owner.force
            or ownership.has_switch(manifest, "force", ENABLED)
            or ownership.has_switch(live, "force", ENABLED)
        )

    def _remove(self, manifest: Manifest) -> Generator[Any, Any, None]:
        """Delete an object that cannot be changed, and wait until it is gone."""
        key = ResourceKey.of(manifest)
        yield Step("delete", Pace.WRITE, str(key))
        kind, namespace = exact_kind(manifest), key.namespace or None
        try:
            self._client.delete(kind, key.name, namespace, propagation="Background")
        except ApiError as error:
            raise _RefusedError(
                f"{key} immutable field detected, failed to delete object: {error}"
            ) from None
        deadline = self._toolkit.clock.now() + _STAGE_TIMEOUT
        while self._get(manifest) is not None:
            if self._toolkit.clock.now() >= deadline:
                raise _RefusedError(f"{key} timeout waiting for deletion")
            yield Step("wait for deletion", _STAGE_INTERVAL, self._owner.subject)

    def _note_drift(self, manifest: Manifest, paths: Sequence[str], manager: str) -> bool:
        key = ResourceKey.of(manifest)
        if not self._owner.drifts(key):
            return False
        found = DriftFound(
            self._owner.agent, self._toolkit.cluster, str(key), tuple(paths), manager
        )
        self._toolkit.journal.record(found)
        return True


def _change(manifest: Manifest, action: Action) -> Change:
    _, _, version = str(manifest["apiVersion"]).rpartition("/")
    return Change(ResourceKey.of(manifest), action, version)


def _blame(
    live: Manifest, paths: Sequence[str], taken_over: Sequence[str] | None
) -> tuple[list[str], str]:
    """Return the fields that were not as declared, and the manager who set them last.

    To the fields that differ come those that only a displaced manager had claimed.
    """
    setters = who_set(live)
    foreign = [
        path
        for path, claims in setters.items()
        if taken_over
        and ownership.LAST_APPLIED not in path
        and all(claim.manager in taken_over for claim in claims)
    ]
    found = sorted({*paths, *foreign})
    latest = ("", "")
    for path in found:
        for claim in _claims(setters, path):
            if claim.manager != KUSTOMIZE_CONTROLLER or claim.operation != "Apply":
                latest = max(latest, (claim.time, claim.manager))
    return found, latest[1] or next(iter(taken_over or ()), "")


def _claims(setters: Mapping[str, Sequence[Any]], path: str) -> list[Any]:
    """Return the claims on a field, on what it holds, or on what holds it."""
    return [
        claim
        for other, claims in setters.items()
        if other == path
        or other.startswith((f"{path}.", f"{path}["))
        or path.startswith((f"{other}.", f"{other}["))
        for claim in claims
    ]


def _dry_run_text(manifest: Manifest, error: ApiError) -> str:
    """Return Flux's words for a refused dry run. Source: fluxcd/pkg ssa/errors/dry_run.go."""
    key = ResourceKey.of(manifest)
    if isinstance(error, NotFoundError) and not str(error).startswith(_NO_KIND):
        what = "not found" if key.namespace else "namespace not specified"
        return f"{key} {what}: {error}"
    reason = "" if str(error).startswith(_NO_KIND) else f" ({error.reason})"
    return f"{key} dry-run failed{reason}: {error}"
