"""A cache of one kind, kept by list and watch.

Nothing polls: a watch wakes whoever drains. What is handed out is shared and read-only: copy an
object (`fresh_copy`) before changing it.

Source: k8s.io/client-go, tools/cache (reflector.go, thread_safe_store.go).
Differs: a read first takes in what the watch has, so a reconciler sees its own writes; the cache of
client-go lags by network time, and controllers bridge that by expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from gitops_sim.apimachinery.labels import Selector
from gitops_sim.errors import ApiError, ExpiredError
from gitops_sim.protocols import Reader, Watch
from gitops_sim.runtime.requests import Watched
from gitops_sim.types import Manifest

__all__ = ["CacheChange", "IndexFunction", "Informer"]

IndexFunction: TypeAlias = Callable[[Manifest], Iterable[str]]
"""The keys under which an index finds an object."""

_Name: TypeAlias = tuple[str, str]


class CacheChange(NamedTuple):
    """What happened to one object: `before` is None when it is new, `after` when it is gone."""

    before: Manifest | None
    after: Manifest | None


class Informer:
    """The present objects of one watched kind.

    Args:
        reader: Where from.
        watched: Which.
        wake: Is called when `drain` has something to do.
    """

    def __init__(self, reader: Reader, watched: Watched, wake: Callable[[], None]) -> None:
        self.watched = watched
        self._pending = True
        self._untold: list[CacheChange] = []
        self._listeners: list[Callable[[CacheChange], None]] = []
        self._reader = reader
        self._on_wake = wake
        self._watch: Watch | None = None
        self._objects: dict[_Name, Manifest] = {}
        self._indexes: dict[str, _Index] = {}
        self.add_index("namespace", _namespace)

    def __len__(self) -> int:
        """How many objects are cached."""
        return len(self._objects)

    @property
    def has_news(self) -> bool:
        """True when `drain` has something to do."""
        return self._pending or bool(self._untold)

    @property
    def resource_version(self) -> str:
        """How far the cache has seen; empty before the first list."""
        return "" if self._watch is None else self._watch.resource_version

    def get(self, name: str, namespace: str = "") -> Manifest | None:
        """Return an object, shared; None when there is none."""
        self._refresh()
        return self._objects.get((namespace, name))

    def list(
        self, namespace: str | None = None, *, labels: Selector | None = None
    ) -> Sequence[Manifest]:
        """Return objects, shared, in order of namespace and name.

        Args:
            namespace: Only this one; None means all.
            labels: Only objects that it selects.
        """
        self._refresh()
        if labels is not None and not labels.empty:
            return [
                manifest
                for manifest in self._with_labels(namespace, labels)
                if labels.matches(manifest["metadata"].get("labels"))
            ]
        if namespace is not None:
            return self.by_index("namespace", namespace)
        return [self._objects[name] for name in sorted(self._objects)]

    def by_owner(self, uid: str) -> Sequence[Manifest]:
        """Return the objects that name an owner of this uid, shared, in order."""
        if "owner" not in self._indexes:
            self.add_index("owner", _owner_uids)
        return self.by_index("owner", uid)

    def add_index(self, name: str, keys: IndexFunction) -> None:
        """Find objects by `by_index(name, key)` from now on, the cached ones included."""
        index = self._indexes[name] = _Index(keys)
        for place, manifest in self._objects.items():
            index.add(place, manifest)

    def on_change(self, listener: Callable[[CacheChange], None]) -> None:
        """Call `listener` for each cached object, then for each change, as it comes in."""
        self._listeners.append(listener)
        for manifest in self._objects.values():
            listener(CacheChange(None, manifest))

    def by_index(self, name: str, key: str) -> Sequence[Manifest]:
        """Return the objects that an index has under a key, shared, in order."""
        self._refresh()
        return [self._objects[place] for place in self._indexes[name].places(key)]

    def drain(self) -> Sequence[CacheChange]:
        """Bring the cache up to date; return what changed since the last call, oldest first.

        Raises:
            ApiError: The API does not answer a list; the cache stays as it was.
        """
        if self._pending:
            self._take_in()
        untold, self._untold = self._untold, []
        return untold

    def close(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _refresh(self) -> None:
        """Bring the cache up to date for a read, which takes what is there if that fails."""
        if self._pending and self._watch is not None:
            with suppress(ApiError):
                self._take_in()

    def _take_in(self) -> None:
        self._pending = False
        try:
            if self._watch is None:
                self._relist()
                return
            try:
                events = self._watch.drain()
            except ExpiredError:
                self._relist()
                return
        except ApiError:
            self._pending = True
            raise
        for event in events:
            if event.type != "BOOKMARK":
                self._set(_place(event.object), None if event.type == "DELETED" else event.object)

    def _relist(self) -> None:
        """List and watch anew: what the list lacks is gone, what it has in another version new."""
        self.close()
        watched = self.watched
        watch = self._reader.watch(watched.kind, watched.namespace, labels=watched.labels)
        listed = {_place(event.object): event.object for event in watch.drain()}
        self._watch = watch
        watch.subscribe(self._wake)
        for place in sorted(self._objects.keys() - listed.keys()):
            self._set(place, None)
        for place, manifest in listed.items():
            if _version(self._objects.get(place)) != _version(manifest):
                self._set(place, manifest)

    def _wake(self) -> None:
        if not self._pending:
            self._pending = True
            self._on_wake()

    def _set(self, place: _Name, after: Manifest | None) -> None:
        before = self._objects.get(place)
        if after is None:
            self._objects.pop(place, None)
        else:
            self._objects[place] = after
        for index in self._indexes.values():
            index.change(place, before, after)
        change = CacheChange(before, after)
        self._untold.append(change)
        for listener in self._listeners:
            listener(change)

    def _with_labels(self, namespace: str | None, labels: Selector) -> Iterable[Manifest]:
        """Return the objects under the rarest of the equalities that a selector demands."""
        pairs = [
            _pair(requirement.key, requirement.values[0])
            for requirement in labels.requirements
            if requirement.operator in ("=", "==") and requirement.values
        ]
        if not pairs:
            return self.list(namespace)
        if "labels" not in self._indexes:
            self.add_index("labels", _label_pairs)
        index = self._indexes["labels"]
        rarest = min(pairs, key=index.count)
        return [
            self._objects[place]
            for place in index.places(rarest)
            if namespace is None or place[0] == namespace
        ]


class _Index:
    """Places of objects by key."""

    def __init__(self, keys: IndexFunction) -> None:
        self._keys = keys
        self._places: dict[str, set[_Name]] = {}

    def places(self, key: str) -> Sequence[_Name]:
        """Return the places under a key in order."""
        return sorted(self._places.get(key, ()))

    def count(self, key: str) -> int:
        """How many are under a key."""
        return len(self._places.get(key, ()))

    def add(self, place: _Name, manifest: Manifest) -> None:
        """Put an object that is not there yet."""
        for key in self._keys(manifest):
            self._places.setdefault(key, set()).add(place)

    def change(self, place: _Name, before: Manifest | None, after: Manifest | None) -> None:
        """Move an object to where it belongs now."""
        old = () if before is None else tuple(self._keys(before))
        new = () if after is None else tuple(self._keys(after))
        if old == new:
            return
        for key in old:
            self._places[key].discard(place)
            if not self._places[key]:
                del self._places[key]
        for key in new:
            self._places.setdefault(key, set()).add(place)


def _place(manifest: Manifest) -> _Name:
    metadata = manifest["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _version(manifest: Manifest | None) -> str | None:
    return None if manifest is None else manifest["metadata"]["resourceVersion"]


def _namespace(manifest: Manifest) -> Iterable[str]:
    return (manifest["metadata"].get("namespace", ""),)


def _owner_uids(manifest: Manifest) -> Iterable[str]:
    return [owner["uid"] for owner in manifest["metadata"].get("ownerReferences") or ()]


def _label_pairs(manifest: Manifest) -> Iterable[str]:
    labels = manifest["metadata"].get("labels") or {}
    return [_pair(key, value) for key, value in labels.items()]


def _pair(key: str, value: str) -> str:
    return f"{key}={value}"
