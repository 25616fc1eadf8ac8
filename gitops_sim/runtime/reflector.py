"""One list and one watch, which keep a cache up to date for all who look at it.

Nothing polls: a watch wakes the informers, and the first of them that looks takes in what is new.

Source: k8s.io/client-go, tools/cache/reflector.go, tools/cache/shared_informer.go.
"""

from __future__ import annotations

from typing import Protocol

from gitops_sim.errors import ApiError, ExpiredError
from gitops_sim.protocols import Reader, Watch
from gitops_sim.runtime.object_cache import CacheChange, ObjectCache, Place, place_of
from gitops_sim.runtime.requests import Watched
from gitops_sim.types import Manifest

__all__ = ["Follower", "Reflector"]


class Follower(Protocol):
    """Who looks at a cache and wants to hear of its changes."""

    def wake(self) -> None:
        """Something is new; it is not taken in yet. Short: somebody is writing."""

    def take(self, place: Place, change: CacheChange) -> None:
        """This was taken in."""


class Reflector:
    """The cache of one kind as a reader has it.

    Args:
        reader: Where from.
        watched: Kind, namespace and labels.

    Attributes:
        cache: The objects, as far as they are taken in.
        is_behind: Whether something waits to be taken in.
    """

    def __init__(self, reader: Reader, watched: Watched) -> None:
        self.cache = ObjectCache()
        self.is_behind = True
        self._reader = reader
        self._watched = watched
        self._watch: Watch | None = None
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """Tell a follower of changes from now on."""
        self._followers.append(follower)

    def leave(self, follower: Follower) -> None:
        """Tell it no more; without any follower the watch ends, and nothing is kept."""
        self._followers = [other for other in self._followers if other is not follower]
        if not self._followers:
            self._close()
            self.cache = ObjectCache()

    def refresh(self) -> None:
        """Take in what is new, and tell the followers.

        Raises:
            ApiError: The API does not answer a list; the cache stays as it was.
        """
        if not self.is_behind:
            return
        self.is_behind = False
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
            self.is_behind = True
            raise
        for event in events:
            if event.type != "BOOKMARK":
                gone = event.type == "DELETED"
                self._set(place_of(event.object), None if gone else event.object)

    def _relist(self) -> None:
        """List and watch anew: what the list lacks is gone, what it has in another version new."""
        self._close()
        watched, objects = self._watched, self.cache.objects
        watch = self._reader.watch(watched.kind, watched.namespace, labels=watched.labels)
        listed = {place_of(event.object): event.object for event in watch.drain()}
        self._watch = watch
        watch.subscribe(self._wake)
        for place in sorted(objects.keys() - listed.keys()):
            self._set(place, None)
        for place, manifest in listed.items():
            if _version(objects.get(place)) != _version(manifest):
                self._set(place, manifest)

    def _close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None
            self.is_behind = True

    def _wake(self) -> None:
        if not self.is_behind:
            self.is_behind = True
            for follower in self._followers:
                follower.wake()

    def _set(self, place: Place, after: Manifest | None) -> None:
        change = self.cache.set(place, after)
        for follower in self._followers:
            follower.take(place, change)


def _version(manifest: Manifest | None) -> str | None:
    return None if manifest is None else manifest["metadata"]["resourceVersion"]
