"""What one controller sees of a kind: a cache, and what has changed in it.

What is handed out is shared and read-only: copy an object (`fresh_copy`) before changing it. The
informers of a cluster share their caches, as those of one manager do; each has news of its own,
and when these are held back on their way (a fault), it sees what was there before.

Source: k8s.io/client-go, tools/cache (shared_informer.go).
Differs: a read first takes in what the watch has, so a reconciler sees its own writes; the cache of
client-go lags by network time, and controllers bridge that by expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from gitops_sim.apimachinery.labels import Selector
from gitops_sim.errors import ApiError
from gitops_sim.runtime.cache_source import CacheSource
from gitops_sim.runtime.object_cache import (
    CacheChange,
    IndexFunction,
    ObjectCache,
    Place,
    place_of,
)
from gitops_sim.runtime.requests import Watched
from gitops_sim.types import Manifest

__all__ = ["CacheChange", "IndexFunction", "Informer"]


class Informer:
    """The present objects of one watched kind.

    Args:
        source: Has the cache.
        watched: Which.
        wake: Is called, once until `drain`, when that has something to do. It must not drain at
            once: somebody may be writing.
    """

    def __init__(
        self, source: CacheSource, watched: Watched, wake: Callable[[Informer], None]
    ) -> None:
        self.watched = watched
        self._source = source
        self._reflector = source.reflector(watched)
        self._cache = ObjectCache()
        self._must_list = True
        self._is_listed = False
        self._held: list[tuple[Place, CacheChange]] | None = None
        self._untold: list[CacheChange] = []
        self._is_woken = True
        self._on_wake = wake
        self._listeners: list[Callable[[CacheChange], None]] = []
        self._indexes: dict[str, IndexFunction] = {}

    def __len__(self) -> int:
        """How many objects are cached."""
        return len(self._cache.objects)

    @property
    def has_news(self) -> bool:
        """True when `drain` has something to do."""
        behind = self._held is None and self._reflector.is_behind
        return self._must_list or behind or bool(self._untold)

    def get(self, name: str, namespace: str = "") -> Manifest | None:
        """Return an object, shared; None when there is none."""
        self._refresh()
        return self._cache.objects.get((namespace, name))

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
            return self._under("namespace", _namespace, namespace)
        return self._cache.in_order()

    def by_owner(self, uid: str) -> Sequence[Manifest]:
        """Return the objects that name an owner of this uid, shared, in order."""
        self._refresh()
        return self._under("owner", _owner_uids, uid)

    def add_index(self, name: str, keys: IndexFunction) -> None:
        """Find objects by `by_index(name, key)` from now on, the cached ones included.

        Informers that give the same function share the index.
        """
        known = self._indexes.get(name)
        self._indexes[name] = keys
        self._cache.use_index(keys)
        if known is not None:
            self._cache.drop_index(known)

    def by_index(self, name: str, key: str) -> Sequence[Manifest]:
        """Return the objects that an index has under a key, shared, in order."""
        self._refresh()
        return self._cache.under(self._indexes[name], key)

    def on_change(self, listener: Callable[[CacheChange], None]) -> None:
        """Call `listener` for each cached object, then for each change, as it comes in."""
        self._listeners.append(listener)
        for manifest in self._cache.objects.values():
            listener(CacheChange(None, manifest))

    def drain(self) -> Sequence[CacheChange]:
        """Bring the cache up to date; return what changed since the last call, oldest first.

        Raises:
            ApiError: The API does not answer a list; the cache stays as it was.
        """
        if self._must_list:
            self._list()
        elif self._held is None:
            self._reflector.refresh()
        self._is_woken = False
        untold, self._untold = self._untold, []
        return untold

    def close(self) -> None:
        """Look no more."""
        if self._is_listed:
            self._source.leave(self)
            self._use(ObjectCache())
            self._reflector.leave(self)
            self._is_listed = False

    # What the cache and the way to it tell.

    def wake(self) -> None:
        """Something is new in the cache."""
        if self._held is None and not self._is_woken:
            self._is_woken = True
            self._on_wake(self)

    def take(self, place: Place, change: CacheChange) -> None:
        """This changed in the cache."""
        if self._held is None:
            self._tell(change)
            return
        if not self._held:  # the first that is not seen: from now on the two caches differ
            self._use(self._as_before(place, change.before))
        self._held.append((place, change))

    def hold(self) -> None:
        """See nothing that happens from now on, until `release`."""
        if self._is_listed and self._held is None:
            with suppress(ApiError):
                self._reflector.refresh()
            self._held = []

    def release(self) -> None:
        """See what was held back."""
        if self._held is not None and not self._must_list:
            for change in self._no_longer_held():
                self._tell(change)
            self._wake()

    def lose(self) -> None:
        """The watch is lost: see nothing until the list is answered again."""
        if self._is_listed:
            self.hold()
            self._must_list = True
            self._wake()

    def _refresh(self) -> None:
        """Bring the cache up to date for a read, which takes what is there if that fails."""
        if self._is_listed:
            if self._must_list:
                with suppress(ApiError):
                    self._list()
            elif self._held is None and self._reflector.is_behind:
                with suppress(ApiError):
                    self._reflector.refresh()

    def _list(self) -> None:
        self._source.admit_list()
        if self._is_listed:
            self._list_again()
        else:
            self._reflector.refresh()
            self._is_listed = True
            self._reflector.follow(self)
            self._use(self._reflector.cache)
            for manifest in self._cache.in_order():
                self._tell(CacheChange(None, manifest))
            self._source.join(self)
        self._must_list = False
        if not self._source.delivers:
            self.hold()

    def _list_again(self) -> None:
        """See what the shared cache has now; what came and went meanwhile is never seen."""
        with suppress(ApiError):
            self._reflector.refresh()
        past, present = self._cache.objects, self._reflector.cache.objects
        places = dict.fromkeys(place for place, _ in self._held or ())
        changes = [CacheChange(past.get(place), present.get(place)) for place in places]
        self._no_longer_held()
        for change in changes:
            if change.before is not change.after:
                self._tell(change)

    def _no_longer_held(self) -> Iterable[CacheChange]:
        held, self._held = self._held or [], None
        if held:
            self._use(self._reflector.cache)
        return [change for _, change in held]

    def _as_before(self, place: Place, before: Manifest | None) -> ObjectCache:
        """Return a cache of one's own, without the change that the shared one has just seen."""
        own = ObjectCache(self._cache.objects.values())
        own.set(place, before)
        return own

    def _use(self, cache: ObjectCache) -> None:
        """Look at another cache, by the same indexes."""
        for keys in self._indexes.values():
            cache.use_index(keys)
            self._cache.drop_index(keys)
        self._cache = cache

    def _tell(self, change: CacheChange) -> None:
        self._untold.append(change)
        for listener in self._listeners:
            listener(change)

    def _wake(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            self._on_wake(self)

    def _under(self, name: str, keys: IndexFunction, key: str) -> Sequence[Manifest]:
        if name not in self._indexes:
            self.add_index(name, keys)
        return self._cache.under(keys, key)

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
        rarest = self._cache.rarest(_label_pairs, pairs)
        return [
            manifest
            for manifest in self._cache.under(_label_pairs, rarest)
            if namespace is None or place_of(manifest)[0] == namespace
        ]


def _namespace(manifest: Manifest) -> Iterable[str]:
    return (manifest["metadata"].get("namespace", ""),)


def _owner_uids(manifest: Manifest) -> Iterable[str]:
    return [owner["uid"] for owner in manifest["metadata"].get("ownerReferences") or ()]


def _label_pairs(manifest: Manifest) -> Iterable[str]:
    labels = manifest["metadata"].get("labels") or {}
    return [_pair(key, value) for key, value in labels.items()]


def _pair(key: str, value: str) -> str:
    return f"{key}={value}"
