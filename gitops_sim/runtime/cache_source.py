"""Where informers have their caches from: of their controller alone, or shared in a cluster.

Source: k8s.io/client-go, informers/factory.go (SharedInformerFactory).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from gitops_sim.protocols import Clock, Reader
from gitops_sim.runtime.reflector import Reflector
from gitops_sim.runtime.requests import Watched

__all__ = ["CacheSource", "Later", "Listener", "OwnCaches", "SharedCaches"]


class Listener(Protocol):
    """Who has news from a cache by a way that can be cut."""

    def hold(self) -> None:
        """See nothing that happens from now on."""

    def release(self) -> None:
        """See what was held back."""

    def lose(self) -> None:
        """See nothing until the list is answered again."""


class CacheSource(Protocol):
    """Gives informers of one component their caches, and the way to them.

    Attributes:
        later: Makes calls when nobody is in the middle of something.
    """

    later: Later

    @property
    def delivers(self) -> bool:
        """Whether news get through at present."""

    def reflector(self, watched: Watched) -> Reflector:
        """Return who keeps the cache of what is watched."""

    def admit_list(self) -> None:
        """Pay for a list; ApiError when it is refused."""

    def join(self, listener: Listener) -> None:
        """Tell a listener when its news are held back, and when not."""

    def leave(self, listener: Listener) -> None:
        """Tell it no more."""


class Later:
    """Calls that are made at this moment of the clock, but after what is going on, in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[Callable[[], None]] = deque()

    def __call__(self, call: Callable[[], None]) -> None:
        """Make a call."""
        if not self._calls:
            self._clock.call_later(0.0, self._make_calls)
        self._calls.append(call)

    def _make_calls(self) -> None:
        calls = self._calls
        try:
            while calls:
                calls[0]()
                calls.popleft()
        except BaseException:
            calls.popleft()
            if calls:  # one that fails keeps nobody else from going on
                self._clock.call_later(0.0, self._make_calls)
            raise


class OwnCaches:
    """A cache of one's own for each informer; a `CacheSource`.

    Args:
        reader: Where from: it also pays for lists, and its watches may be cut.
        clock: Whose time it is.
    """

    delivers = True

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self.later = Later(clock)
        self._reader = reader

    def reflector(self, watched: Watched) -> Reflector:
        """Return a new one."""
        return Reflector(self._reader, watched)

    def admit_list(self) -> None:
        """Nothing: the reader is asked."""

    def join(self, listener: Listener) -> None:
        """Nothing: the reader's watch is what may be cut."""

    def leave(self, listener: Listener) -> None:
        """Nothing."""


class SharedCaches:
    """One cache of each kind, namespace and selection, for all who watch that.

    Args:
        reader: Where from; it pays for nothing.
        clock: Whose time it is.
    """

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self.later = Later(clock)
        self._reader = reader
        self._reflectors: dict[tuple[str, str | None, str | None], Reflector] = {}

    def reflector(self, watched: Watched) -> Reflector:
        """Return the one that all share."""
        place = (watched.kind, watched.namespace, watched.labels)
        found = self._reflectors.get(place)
        if found is None:
            found = self._reflectors[place] = Reflector(self._reader, watched)
        return found
