"""Watches: a place in the log of a kind, and a filter."""

from __future__ import annotations

from collections.abc import Callable

from gitops_sim.apimachinery.fields import FieldSelector
from gitops_sim.apimachinery.labels import Selector
from gitops_sim.apiserver.store import Change, Kind, Store
from gitops_sim.types import Manifest, WatchEvent

__all__ = ["Filter", "StoreWatch"]


class Filter:
    """What a list or watch asks for: a namespace, labels and fields; any may be absent."""

    __slots__ = ("_fields", "_labels", "_namespace", "all")

    def __init__(
        self, namespace: str | None, labels: Selector | None, fields: FieldSelector | None
    ) -> None:
        self._namespace = namespace
        self._labels = labels
        self._fields = fields
        self.all = namespace is None and labels is None and fields is None

    @property
    def selects(self) -> bool:
        """True when labels or fields are asked for."""
        return self._labels is not None or self._fields is not None

    def matches(self, manifest: Manifest) -> bool:
        """True when the object is asked for."""
        metadata = manifest["metadata"]
        if self._namespace is not None and metadata.get("namespace", "") != self._namespace:
            return False
        if self._labels is not None and not self._labels.matches(metadata.get("labels")):
            return False
        return self._fields is None or self._fields.matches(manifest)


class StoreWatch:
    """An open watch on one kind: nothing is buffered, `drain` reads the log from its place.

    An object that begins to match the filter is ADDED, one that stops is DELETED.
    """

    def __init__(
        self,
        store: Store,
        kind: Kind,
        wanted: Filter,
        since: int | None,
        relabel: Callable[[Manifest], Manifest],
    ) -> None:
        self._store = store
        self._kind = kind
        self._wanted = wanted
        self._relabel = relabel
        self._place = store.revision if since is None else since
        self._initial: list[Manifest] = []
        self._wakes: list[Callable[[], None]] = []
        self._open = True
        if since is None:
            self._initial = [m for m in store.objects(kind) if wanted.all or wanted.matches(m)]

    @property
    def resource_version(self) -> str:
        """Where to resume: the version up to which this watch has been drained."""
        return str(self._place)

    def drain(self) -> list[WatchEvent]:
        """Return the events since the last call, oldest first.

        Raises:
            ExpiredError: The log no longer reaches back to where this watch stands.
        """
        if not self._open:
            return []
        events = [self._event("ADDED", m, m["metadata"]["resourceVersion"]) for m in self._initial]
        self._initial = []
        changes = self._store.changes(self._kind, self._place)
        self._place = self._store.revision
        for change in changes:
            event = self._seen(change)
            if event is not None:
                events.append(event)
        return events

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something of this kind changed, and at once if events wait."""
        self._wakes.append(wake)
        self._store.table(self._kind).listeners.append(wake)
        if self._initial:
            wake()

    def close(self) -> None:
        """Stop; later drains return nothing."""
        self._open = False
        listeners = self._store.table(self._kind).listeners
        for wake in self._wakes:
            if wake in listeners:
                listeners.remove(wake)
        self._wakes = []

    def _seen(self, change: Change) -> WatchEvent | None:
        before, after = change.before, change.after
        revision = str(change.revision)
        wanted = self._wanted
        if wanted.all:
            was, is_now = before is not None, after is not None
        else:
            was = before is not None and wanted.matches(before)
            is_now = after is not None and wanted.matches(after)
        if is_now and after is not None:
            return self._event("MODIFIED" if was else "ADDED", after, revision)
        if not was or before is None:
            return None
        # What left the selection is told as it was last seen, under the event's own version.
        last = before | {"metadata": before["metadata"] | {"resourceVersion": revision}}
        return self._event("DELETED", last, revision)

    def _event(self, kind: str, manifest: Manifest, revision: str) -> WatchEvent:
        return WatchEvent(kind, self._relabel(manifest), revision)
