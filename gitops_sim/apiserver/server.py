"""The API server in process: kinds, store, admission and facts; the verbs are beside it.

A write comes in by a client, is decoded and defaulted by its schema, admitted, gets its
managedFields, and is put into the store under the resourceVersion it expects; watchers are woken
and the journal told. There is no transport here: HTTPS is a skin over the same verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from sys import intern
from typing import ParamSpec

from gitops_sim.apimachinery.kind_table import KindTable
from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.schemas import Schemas
from gitops_sim.apimachinery.status_errors import already_exists, conflict, not_found
from gitops_sim.apiserver.changed_paths import changed_paths
from gitops_sim.apiserver.conversion import in_version, storage_kind, to_storage
from gitops_sim.apiserver.custom_conversion import CustomConversion
from gitops_sim.apiserver.store import Store, StoreConflictError
from gitops_sim.apiserver.users import Caller
from gitops_sim.apiserver.webhook_backends import WebhookBackends
from gitops_sim.errors import AlreadyExistsError, BadRequestError, ConflictError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import ConditionChanged, EventSeen, ObjectChanged
from gitops_sim.protocols import Clock
from gitops_sim.types import Manifest

__all__ = [
    "AdmissionHook",
    "ApiServer",
    "OvertakenError",
    "Write",
    "revision_of",
    "storage_kind",
    "tried_again",
]


P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Write:
    """One write on its way: what admission and the store need to know about it.

    `verb` is create, update, patch, apply or delete; `before` is None for a create.
    """

    verb: str
    resource_type: ResourceType
    manager: str
    subresource: str = ""
    dry_run: bool = False
    before: Manifest | None = None


AdmissionHook = Callable[[Write, Manifest], None]
"""Changes the object in place, or refuses it by raising an ApiError."""


class OvertakenError(ConflictError):
    """Another write came first, while a webhook was asked."""


_ATTEMPTS = 5


def tried_again(verb: Callable[P, Manifest]) -> Callable[P, Manifest]:
    """Let a verb look and write again when another write overtook it.

    A verb that names a resourceVersion then finds that it is not the stored one any more.
    """

    @wraps(verb)
    def attempts(*args: P.args, **kwargs: P.kwargs) -> Manifest:
        for _ in range(_ATTEMPTS - 1):
            try:
                return verb(*args, **kwargs)
            except OvertakenError:
                continue
        return verb(*args, **kwargs)

    return attempts


class ApiServer:
    """One simulated Kubernetes API.

    Args:
        clock: Gives times, uids and names.
        journal: Is told every change.
        name: The cluster, as facts name it.

    Attributes:
        admission: What looks at each write, and may change it in the name of who writes.
        strategies: What the registry itself adds after that; nobody comes to own it.
        judges: What looks at the object as it is to be stored, valid, and may only refuse it.
        webhooks: Who answers reviews of admission and conversion.
        custom: Converts custom resources.
        after_write: Is told each write that was stored; the object is None when it is gone.
    """

    def __init__(self, clock: Clock, journal: Journal, *, name: str = "cluster") -> None:
        self.clock = clock
        self.journal = journal
        self.name = name
        self.store = Store()
        self.kinds = KindTable()
        self.schemas = Schemas()
        self.admission: list[AdmissionHook] = []
        self.strategies: list[AdmissionHook] = []
        self.judges: list[AdmissionHook] = []
        self.after_write: list[Callable[[Write, Manifest | None], None]] = []
        self.webhooks = WebhookBackends(self.store)
        self.custom = CustomConversion(self.webhooks, lambda: clock.uid(f"conversions/{name}"))
        self.writes = 0
        self.caller = Caller()

    @contextmanager
    def called_by(self, caller: Caller) -> Iterator[None]:
        """Let verbs and admission see who asks, for one request; else it is the lab itself."""
        before, self.caller = self.caller, caller
        try:
            yield
        finally:
            self.caller = before

    def find(
        self, resource_type: ResourceType, namespace: str, name: str, *, at: str | None = None
    ) -> Manifest:
        """Return the stored object, shared, in the version asked for.

        Raises:
            NotFoundError: There is (was) none.
        """
        found = self.store.get(storage_kind(resource_type), namespace, name, at=revision_of(at))
        if found is None:
            raise not_found(resource_type, name)
        return self.in_version(resource_type, found)

    def in_version(self, resource_type: ResourceType, manifest: Manifest) -> Manifest:
        """Return an object in the version of a type; shares what is the same.

        Raises:
            UnknownError: A webhook should convert it, and fails.
        """
        if manifest.get("apiVersion") == resource_type.api_version:
            return manifest
        if self.custom.stored_version(resource_type):
            return self.in_versions(resource_type, [manifest])[0]
        return in_version(resource_type, manifest)

    def in_versions(
        self, resource_type: ResourceType, manifests: Sequence[Manifest]
    ) -> list[Manifest]:
        """Return objects in the version of a type; a webhook is asked about all at once."""
        if self.custom.stored_version(resource_type):
            return self.custom.convert(resource_type, manifests, resource_type.api_version)
        return [in_version(resource_type, manifest) for manifest in manifests]

    def to_storage(self, resource_type: ResourceType, manifest: Manifest) -> Manifest:
        """Return an object that came in by a type in the version in which it is stored."""
        stored = self.custom.stored_version(resource_type)
        if stored:
            return self.custom.convert(resource_type, [manifest], stored)[0]
        return to_storage(resource_type, manifest)

    def commit(self, write: Write, manifest: Manifest, *, shares: bool = False) -> Manifest:
        """Put a prepared object into the store, unless it is a dry run; return it, shared.

        Args:
            write: How it came.
            manifest: The object; is taken over.
            shares: It was made to share with `write.before` all that is equal.

        Raises:
            AlreadyExistsError: A create of a name that is taken.
            ConflictError: Another write came first.
        """
        resource_type, before = write.resource_type, write.before
        name = manifest["metadata"]["name"]
        namespace = manifest["metadata"].get("namespace", "")
        kind = storage_kind(resource_type)
        if before is None:
            self._refuse_taken(resource_type, self.store.get(kind, namespace, name))
        if write.dry_run:
            return manifest
        expected = None if before is None else before["metadata"]["resourceVersion"]
        try:
            put = self.to_storage(resource_type, manifest)
            stored = self.store.put(
                kind,
                put,
                expected=expected,
                time=self.clock.now(),
                shares=shares and put is manifest,
            )
        except StoreConflictError:
            if before is None:
                self._refuse_taken(resource_type, self.store.get(kind, namespace, name))
            raise OvertakenError(*conflict(resource_type, name).args) from None
        self._tell(write, stored, stored)
        return self.in_version(resource_type, stored)

    @staticmethod
    def _refuse_taken(resource_type: ResourceType, present: Manifest | None) -> None:
        if present is None:
            return
        error = already_exists(resource_type, present["metadata"]["name"])
        if "deletionTimestamp" in present["metadata"]:
            raise AlreadyExistsError(f"object is being deleted: {error.message}", error.details)
        raise error

    def remove(self, write: Write, manifest: Manifest) -> Manifest:
        """Take an object out of the store, unless it is a dry run; return its last state."""
        if write.dry_run:
            return manifest
        metadata = manifest["metadata"]
        kind = storage_kind(write.resource_type)
        last = self.store.delete(
            kind, metadata.get("namespace", ""), metadata["name"], time=self.clock.now()
        )
        if last is None:
            raise not_found(write.resource_type, metadata["name"])
        self._tell(write, last, None)
        return last

    def _tell(self, write: Write, manifest: Manifest, after: Manifest | None) -> None:
        self.writes += 1
        metadata = manifest["metadata"]
        kind = write.resource_type.kind
        if kind == "Event":
            self._tell_event(manifest)
        else:
            self.journal.record(
                ObjectChanged(
                    self.name,
                    write.verb if after is not None else "delete",
                    kind,
                    metadata.get("namespace", ""),
                    metadata["name"],
                    metadata["resourceVersion"],
                    write.manager,
                    changed_paths(write.before, after),
                    int(metadata.get("generation", 0)),
                )
            )
            if after is not None:
                self._tell_conditions(write.before, after)
        for listener in self.after_write:
            listener(write, after)

    def _tell_event(self, event: Manifest) -> None:
        about = event.get("involvedObject") or event.get("regarding") or {}
        source = event.get("reportingComponent") or (event.get("source") or {}).get("component")
        parts = (about.get("kind"), about.get("namespace"), about.get("name"))
        self.journal.record(
            EventSeen(
                self.name,
                intern("/".join(part for part in parts if part)),
                str(event.get("type", "")),
                str(event.get("reason", "")),
                str(event.get("message") or event.get("note") or ""),
                str(source or event.get("reportingController") or ""),
            )
        )

    def _tell_conditions(self, before: Manifest | None, after: Manifest) -> None:
        status = after.get("status")
        was = (before or {}).get("status") or {}
        if not isinstance(status, dict) or status is was:
            return
        now, old = status.get("conditions"), was.get("conditions")
        if not isinstance(now, list) or now is old:
            return
        known = {c.get("type"): c for c in old or () if isinstance(c, dict)}
        metadata = after["metadata"]
        parts = (after["kind"], metadata.get("namespace"), metadata["name"])
        subject = intern("/".join(part for part in parts if part))
        for condition in now:
            last = known.get(condition.get("type"), {})
            if all(last.get(key) == condition.get(key) for key in ("status", "reason")):
                continue
            told = (str(condition.get(k, "")) for k in ("type", "status", "reason", "message"))
            self.journal.record(ConditionChanged(self.name, subject, *told))


def revision_of(resource_version: str | None) -> int | None:
    """Return a resourceVersion as a number; None stays None.

    Raises:
        BadRequestError: It is none.
    """
    if resource_version is None:
        return None
    if not resource_version.isdigit():
        raise BadRequestError(f'invalid resource version "{resource_version}"')
    return int(resource_version)
