"""The garbage collector: what its owners leave behind goes with them.

It watches all kinds that can be deleted, those of CRDs too. An object none of whose owners is
there any more is deleted. An owner that is deleted in the foreground stays until the dependents
that block it are gone; one that is deleted as `Orphan` stays until its dependents have lost their
reference to it.

Requests name an object by kind: `apps/v1/ReplicaSet/web-1` in its namespace; an empty name asks
to look which kinds there are.

Source: k8s.io/kubernetes, pkg/controller/garbagecollector (garbagecollector.go, graph_builder.go).
Differs: kinds that come or go are seen with their CRD, not at a resync every 30 seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gitops_sim.cluster.controlling import Context, ControllerSpec, Steps, step
from gitops_sim.cluster.ownership import exact_kind, is_being_deleted
from gitops_sim.errors import ConflictError, NotFoundError
from gitops_sim.protocols import Propagation
from gitops_sim.runtime import Caches, ReconcileFunction, Request, Watched
from gitops_sim.runtime.requests import RequestMapper
from gitops_sim.types import Manifest

__all__ = ["GARBAGE_COLLECTOR"]

_DEFINITIONS = "apiextensions.k8s.io/v1/CustomResourceDefinition"
_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"
_NEEDED_VERBS = {"delete", "list", "watch"}
_IGNORED = {"Event"}
_KINDS = Request("", "")


def _make_reconcile(context: Context) -> ReconcileFunction:
    return _Collector(context).reconcile


def _request_for(kind: str, namespace: str, name: str) -> Request:
    return Request(namespace, f"{kind}/{name}")


def _owners(manifest: Manifest) -> Sequence[dict[str, Any]]:
    found: Sequence[dict[str, Any]] = manifest["metadata"].get("ownerReferences") or ()
    return found


def _owner_kind(reference: dict[str, Any]) -> str:
    return f"{reference['apiVersion']}/{reference['kind']}"


def _has_finalizer(manifest: Manifest, finalizer: str) -> bool:
    return finalizer in (manifest["metadata"].get("finalizers") or ())


def _waits_for_dependents(manifest: Manifest) -> bool:
    return is_being_deleted(manifest) and _has_finalizer(manifest, _FOREGROUND)


def _matters(before: Manifest | None, after: Manifest | None) -> bool:
    """Tell whether a change can make garbage, or free an owner that waits."""
    if before is None or after is None:
        return True
    old, new = before["metadata"], after["metadata"]
    watched = ("ownerReferences", "finalizers", "deletionTimestamp")
    return any(old.get(member) != new.get(member) for member in watched)


class _Collector:
    """What the collector knows between a start and a kill: which owners it saw go."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = context.client
        self._caches = context.caches
        self._kinds: dict[tuple[str, str], str] = {}
        self._namespaced: dict[str, bool] = {}
        self._gone: set[str] = set()

    def reconcile(self, request: Request) -> Steps:
        """Look at one object, or at which kinds there are."""
        if request == _KINDS or not self._kinds:
            self._follow_kinds()
        kind, _, name = request.name.rpartition("/")
        cache = self._caches.get(kind)
        item = cache.get(name, request.namespace) if cache is not None else None
        if item is None:
            return
        if is_being_deleted(item):
            if _has_finalizer(item, _ORPHAN):
                yield from self._orphan_dependents(item)
            elif _has_finalizer(item, _FOREGROUND):
                yield from self._release_when_alone(item)
        else:
            yield from self._delete_if_garbage(item)

    def _follow_kinds(self) -> None:
        """Watch every kind that can be deleted, in its preferred version."""
        kinds: dict[tuple[str, str], str] = {}
        for served in self._client.discover():
            if served["kind"] in _IGNORED or not _NEEDED_VERBS.issubset(served["verbs"]):
                continue
            group, version = served["group"], served["version"]
            api_version = f"{group}/{version}" if group else version
            exact = kinds.setdefault((group, served["kind"]), f"{api_version}/{served['kind']}")
            self._namespaced[exact] = served["namespaced"]
        known, served_now = set(self._kinds.values()), set(kinds.values())
        self._kinds = kinds
        for exact in sorted(known - served_now):
            self._caches.unwatch(exact)
        for exact in sorted(served_now - known):
            watched = Watched(exact, requests=self._mapper(exact), predicate=_matters)
            self._caches.watch(watched)

    def _mapper(self, kind: str) -> RequestMapper:
        return lambda manifest, caches: self._requests(kind, manifest)

    def _requests(self, kind: str, manifest: Manifest) -> Iterable[Request]:
        """Ask for an object that may be garbage, and for owners that wait for it.

        For one that is gone, ask for what it owned.
        """
        metadata = manifest["metadata"]
        namespace = metadata.get("namespace", "")
        if kind == _DEFINITIONS:
            yield _KINDS
        if is_being_deleted(manifest) or _owners(manifest):
            yield _request_for(kind, namespace, metadata["name"])
        for reference in _owners(manifest):
            owner = self._cached_owner(manifest, reference)
            if owner is not None and _waits_for_dependents(owner):
                yield self._request_of(owner)
        present = self._caches[kind].get(metadata["name"], namespace)
        if present is None or present["metadata"]["uid"] != metadata["uid"]:
            dependents = self._dependents(metadata["uid"])
            if dependents:
                self._gone.add(metadata["uid"])
            for dependent in dependents:
                yield self._request_of(dependent)

    def _request_of(self, manifest: Manifest) -> Request:
        metadata = manifest["metadata"]
        kind = self._exact(exact_kind(manifest))
        return _request_for(kind or "", metadata.get("namespace", ""), metadata["name"])

    def _exact(self, kind: str) -> str | None:
        """Return the version of a kind that is watched; None when the kind is not served."""
        api_version, _, word = kind.rpartition("/")
        return self._kinds.get((api_version.rpartition("/")[0], word))

    def _dependents(self, uid: str) -> list[Manifest]:
        return [found for cache in self._caches.values() for found in cache.by_owner(uid)]

    def _cached_owner(self, item: Manifest, reference: dict[str, Any]) -> Manifest | None:
        kind = self._exact(_owner_kind(reference))
        if kind is None:
            return None
        inside = item["metadata"].get("namespace", "") if self._namespaced[kind] else ""
        owner = self._caches[kind].get(reference["name"], inside)
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            return None
        return owner

    def _live_owner(self, item: Manifest, reference: dict[str, Any]) -> Manifest | None:
        """Return the owner that a reference means; None when there is none such any more.

        Raises:
            NotFoundError: Its kind is not served, so that nobody knows: it comes again.
        """
        if reference["uid"] in self._gone:
            return None
        kind = self._exact(_owner_kind(reference))
        if kind is None:
            group_version = reference["apiVersion"]
            raise NotFoundError(
                f'no matches for kind "{reference["kind"]}" in version "{group_version}"'
            )
        found = self._cached_owner(item, reference)
        if found is not None:
            return found
        inside = item["metadata"].get("namespace") if self._namespaced[kind] else None
        if inside is None and self._namespaced[kind]:
            return None  # a cluster-scoped object cannot have a namespaced owner
        try:
            live = self._client.get(kind, reference["name"], inside)
        except NotFoundError:
            return None
        return live if live["metadata"]["uid"] == reference["uid"] else None

    def _delete_if_garbage(self, item: Manifest) -> Steps:
        if not _owners(item):
            return
        solid, others, waits = False, [], False
        for reference in _owners(item):
            owner = self._live_owner(item, reference)
            if owner is not None and not _waits_for_dependents(owner):
                solid = True
                continue
            others.append(reference["uid"])
            waits = waits or owner is not None
        if solid:
            if others:
                yield from self._drop_references(item, others)
            return
        dependents = self._dependents(item["metadata"]["uid"]) if waits else ()
        if dependents:
            yield from self._break_circles(item, dependents)
            yield from self._delete(item, "Foreground")
            return
        propagation: Propagation = "Background"
        if _has_finalizer(item, _ORPHAN):
            propagation = "Orphan"
        elif _has_finalizer(item, _FOREGROUND):
            propagation = "Foreground"
        yield from self._delete(item, propagation)

    def _break_circles(self, item: Manifest, dependents: Iterable[Manifest]) -> Steps:
        """Among dependents that wait themselves, let none wait for this item."""
        if not any(_waits_for_dependents(dependent) for dependent in dependents):
            return
        references = [{**reference, "blockOwnerDeletion": False} for reference in _owners(item)]
        yield from self._patch(item, {"ownerReferences": references})

    def _release_when_alone(self, owner: Manifest) -> Steps:
        """Deleted in the foreground: let it go when no dependent blocks it any more."""
        uid = owner["metadata"]["uid"]
        dependents = self._dependents(uid)
        blocking = [d for d in dependents if _blocks(d, uid)]
        if not blocking:
            yield from self._drop_finalizer(owner, _FOREGROUND)
            return
        for dependent in dependents:
            if not is_being_deleted(dependent):
                yield from self._delete_if_garbage(dependent)

    def _orphan_dependents(self, owner: Manifest) -> Steps:
        for dependent in self._dependents(owner["metadata"]["uid"]):
            yield from self._drop_references(dependent, [owner["metadata"]["uid"]])
        yield from self._drop_finalizer(owner, _ORPHAN)

    def _drop_references(self, item: Manifest, uids: Sequence[str]) -> Steps:
        kept = [reference for reference in _owners(item) if reference["uid"] not in uids]
        yield from self._patch(item, {"ownerReferences": kept or None})

    def _drop_finalizer(self, item: Manifest, finalizer: str) -> Steps:
        kept = [name for name in item["metadata"]["finalizers"] if name != finalizer]
        yield from self._patch(item, {"finalizers": kept or None})

    def _patch(self, item: Manifest, members: dict[str, Any]) -> Steps:
        yield step("patch", item)
        metadata = item["metadata"]
        expected = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        try:
            self._client.patch(
                exact_kind(item),
                metadata["name"],
                {"metadata": {**expected, **members}},
                metadata.get("namespace"),
            )
        except NotFoundError:
            return

    def _delete(self, item: Manifest, propagation: Propagation) -> Steps:
        yield step("delete", item)
        metadata = item["metadata"]
        try:
            self._client.delete(
                exact_kind(item),
                metadata["name"],
                metadata.get("namespace"),
                propagation=propagation,
                uid=metadata["uid"],
            )
        except (NotFoundError, ConflictError):  # gone, or another object has its name now
            return


def _blocks(dependent: Manifest, uid: str) -> bool:
    return any(
        reference["uid"] == uid and reference.get("blockOwnerDeletion")
        for reference in _owners(dependent)
    )


def _kinds_request(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    """The first namespaces that are listed start it; from then on it watches them as all kinds."""
    return (_KINDS,)


GARBAGE_COLLECTOR = ControllerSpec(
    "garbage-collector-controller",
    (Watched("v1/Namespace", requests=_kinds_request),),
    _make_reconcile,
)
