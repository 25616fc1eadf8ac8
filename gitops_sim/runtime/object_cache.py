"""The present objects of one kind, and indexes that find them: plain state, shared by informers.

Source: k8s.io/client-go, tools/cache/thread_safe_store.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from gitops_sim.types import Manifest

__all__ = ["CacheChange", "IndexFunction", "ObjectCache", "Place", "place_of"]

IndexFunction: TypeAlias = Callable[[Manifest], Iterable[str]]
"""The keys under which an index finds an object."""

Place: TypeAlias = tuple[str, str]
"""Namespace and name."""


class CacheChange(NamedTuple):
    """What happened to one object: `before` is None when it is new, `after` when it is gone."""

    before: Manifest | None
    after: Manifest | None


def place_of(manifest: Manifest) -> Place:
    """Return where a cache has an object."""
    metadata = manifest["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class ObjectCache:
    """Objects by place; an index is known by its function, and lives as long as somebody uses it.

    Attributes:
        objects: By namespace and name, shared and read-only.
    """

    def __init__(self, objects: Iterable[Manifest] = ()) -> None:
        self.objects: dict[Place, Manifest] = {place_of(found): found for found in objects}
        self._indexes: dict[IndexFunction, _Index] = {}

    def in_order(self) -> list[Manifest]:
        """Return all objects in order of namespace and name."""
        objects = self.objects
        return [objects[place] for place in sorted(objects)]

    def set(self, place: Place, after: Manifest | None) -> CacheChange:
        """Put what is at a place now, None for nothing; return what that changed."""
        before = self.objects.get(place)
        if after is not None:
            self.objects[place] = after
        elif before is not None:
            del self.objects[place]
        for index in self._indexes.values():
            index.change(place, before, after)
        return CacheChange(before, after)

    def use_index(self, keys: IndexFunction) -> None:
        """Have an index by this function; who asks for it drops it later."""
        index = self._indexes.get(keys)
        if index is None:
            index = self._indexes[keys] = _Index(keys)
            for place, manifest in self.objects.items():
                index.change(place, None, manifest)
        index.users += 1

    def drop_index(self, keys: IndexFunction) -> None:
        """Have one user less; an index that nobody uses is not kept up to date any more."""
        index = self._indexes[keys]
        index.users -= 1
        if not index.users:
            del self._indexes[keys]

    def under(self, keys: IndexFunction, key: str) -> list[Manifest]:
        """Return the objects that an index has under a key, in order of namespace and name."""
        objects = self.objects
        return [objects[place] for place in sorted(self._indexes[keys].places.get(key, ()))]

    def rarest(self, keys: IndexFunction, among: Sequence[str]) -> str:
        """Return the key under which an index has the fewest objects."""
        places = self._indexes[keys].places
        return min(among, key=lambda key: len(places.get(key, ())))


class _Index:
    """Places of objects by key."""

    __slots__ = ("_keys", "places", "users")

    def __init__(self, keys: IndexFunction) -> None:
        self.places: dict[str, set[Place]] = {}
        self.users = 0
        self._keys = keys

    def change(self, place: Place, before: Manifest | None, after: Manifest | None) -> None:
        """Move an object to where it belongs now."""
        old = () if before is None else tuple(self._keys(before))
        new = () if after is None else tuple(self._keys(after))
        if old == new:
            return
        places = self.places
        for key in old:
            places[key].discard(place)
            if not places[key]:
                del places[key]
        for key in new:
            places.setdefault(key, set()).add(place)
