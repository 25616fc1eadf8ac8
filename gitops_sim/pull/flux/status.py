"""One Flux object's status, as its controller wants it, and the patches that bring it there.

A controller sets conditions and fields here and calls `patch` at the points where a real one
does. A patch is one write for the conditions that changed, and after it one for the other fields
that changed: two steps, so a crash can come between them, as in the real thing.

Source: fluxcd/pkg runtime/patch/patch.go, runtime/conditions/setter.go.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.pull.flux.names import FINALIZER, REQUESTED_AT
from gitops_sim.pull.flux.options import Pace
from gitops_sim.types import Manifest, ResourceKey, Step

__all__ = ["FluxObject", "ObjectWriter", "Work"]

Work = Generator[Any, Any, None]
"""Part of a reconcile: yields a `Step` before each write."""

_FIRST: Final = ("Stalled", "Reconciling", "Ready")


@dataclass(frozen=True, slots=True)
class ObjectWriter:
    """How a controller writes to its own objects: `kind` is exact, `manager` owns the fields."""

    client: Cluster
    clock: Clock
    kind: str
    manager: str


class FluxObject:
    """A GitRepository or a Kustomization during one pass.

    Attributes:
        manifest: The object as read: shared, read-only; its status is stale once `patch` ran.
        status: Everything in the status but the conditions; change it, then `patch`.

    Args:
        manifest: As read.
        writer: Writes it.
    """

    def __init__(self, manifest: Manifest, writer: ObjectWriter) -> None:
        self.manifest = manifest
        self.status: dict[str, Any] = fresh_copy(manifest.get("status") or {})
        self._writer = writer
        self._conditions: list[dict[str, Any]] = self.status.pop("conditions", None) or []
        self._patched_conditions = fresh_copy(self._conditions)
        self._patched_status = fresh_copy(self.status)

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """`metadata.namespace`."""
        return str(self.manifest["metadata"]["namespace"])

    @property
    def generation(self) -> int:
        """`metadata.generation`."""
        return int(self.manifest["metadata"]["generation"])

    @property
    def subject(self) -> str:
        """`Kustomization/flux-system/apps`."""
        return str(ResourceKey.of(self.manifest))

    @property
    def agent(self) -> str:
        """How facts name it: `flux:flux-system/apps`."""
        return f"flux:{self.namespace}/{self.name}"

    @property
    def requested_at(self) -> str:
        """The token of the latest request to reconcile; empty when there is none."""
        annotations = self.manifest["metadata"].get("annotations") or {}
        return str(annotations.get(REQUESTED_AT, ""))

    @property
    def has_new_request(self) -> bool:
        """True when somebody asked for a reconcile that no pass has handled yet."""
        return self.requested_at != str(self.status.get("lastHandledReconcileAt", ""))

    @property
    def observed_generation(self) -> int:
        """`status.observedGeneration`; the CRD's default is -1."""
        return int(self.status.get("observedGeneration", -1))

    def condition(self, kind: str) -> dict[str, Any]:
        """Return a condition as it is now; an empty dict when it is absent."""
        return next((entry for entry in self._conditions if entry["type"] == kind), {})

    def is_true(self, kind: str) -> bool:
        """True when the condition is there and True."""
        return self.condition(kind).get("status") == "True"

    def set(self, kind: str, status: str, reason: str, message: str) -> None:
        """Set a condition; another status, reason or message is a transition."""
        entry = {
            "lastTransitionTime": self._writer.clock.timestamp(),
            "message": message,
            "observedGeneration": self.generation,
            "reason": reason,
            "status": status,
            "type": kind,
        }
        old = self.condition(kind)
        if all(old.get(part) == entry[part] for part in ("status", "reason", "message")):
            entry["lastTransitionTime"] = old["lastTransitionTime"]
        self.remove(kind)
        self._conditions.append(entry)
        self._conditions.sort(key=_place)

    def remove(self, *kinds: str) -> None:
        """Drop conditions."""
        self._conditions = [entry for entry in self._conditions if entry["type"] not in kinds]

    def handle_request(self) -> None:
        """Note that this pass answers the latest request."""
        if self.requested_at:
            self.status["lastHandledReconcileAt"] = self.requested_at

    def patch(self) -> Work:
        """Write what changed since the last patch."""
        if self._conditions != self._patched_conditions:
            wanted = fresh_copy(self._conditions)
            yield from self._write({"conditions": wanted})
            self._patched_conditions = wanted
        changes = _changes(self._patched_status, self.status)
        if changes:
            wanted_status = fresh_copy(self.status)
            yield from self._write(changes)
            self._patched_status = wanted_status

    def _write(self, status: dict[str, Any]) -> Work:
        yield Step("patch status", Pace.STATUS, self.subject)
        self._writer.client.patch(
            self._writer.kind,
            self.name,
            {"status": status},
            self.namespace,
            subresource="status",
            field_manager=self._writer.manager,
        )

    @property
    def has_finalizer(self) -> bool:
        """True when Flux holds the object."""
        return FINALIZER in (self.manifest["metadata"].get("finalizers") or ())

    def add_finalizer(self) -> Work:
        """Hold the object, so that its deletion waits for us."""
        finalizers = [*(self.manifest["metadata"].get("finalizers") or ()), FINALIZER]
        yield from self._write_finalizers("add finalizer", finalizers)

    def remove_finalizer(self) -> Work:
        """Let the object go."""
        present = self.manifest["metadata"].get("finalizers") or ()
        rest = [finalizer for finalizer in present if finalizer != FINALIZER]
        yield from self._write_finalizers("remove finalizer", rest)

    def _write_finalizers(self, name: str, finalizers: list[str]) -> Work:
        yield Step(name, Pace.STATUS, self.subject)
        self._writer.client.patch(
            self._writer.kind,
            self.name,
            {"metadata": {"finalizers": finalizers or None}},
            self.namespace,
            field_manager=self._writer.manager,
        )


def _place(condition: dict[str, Any]) -> tuple[int, str]:
    kind = str(condition["type"])
    return (_FIRST.index(kind) if kind in _FIRST else len(_FIRST), kind)


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the merge patch between two flat statuses; what went is null."""
    changes = {name: value for name, value in after.items() if before.get(name) != value}
    return changes | {name: None for name in before if name not in after}
