"""The caches of one controller, by kind.

Source: sigs.k8s.io/controller-runtime, pkg/cache (a cache makes informers as they are asked for).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gitops_sim.protocols import Reader
from gitops_sim.runtime.informer import Informer
from gitops_sim.runtime.requests import Watched

__all__ = ["CacheSet"]


class CacheSet(Mapping[str, Informer]):
    """Informers by the kind as their `Watched` writes it: `caches["v1/Pod"]`.

    A controller that looks after kinds which come and go, such as the garbage collector, watches
    more, or fewer, while it runs.

    Args:
        reader: Where from.
        wake: Is called when any of them has news.
    """

    def __init__(self, reader: Reader, wake: Callable[[], None]) -> None:
        self._reader = reader
        self._on_wake = wake
        self._has_news = False
        self._informers: dict[str, Informer] = {}

    def __getitem__(self, kind: str) -> Informer:
        """Return the cache of a kind; KeyError when it is not watched."""
        return self._informers[kind]

    def __iter__(self) -> Iterator[str]:
        """The kinds, in the order in which they came."""
        return iter(self._informers)

    def __len__(self) -> int:
        """How many kinds are watched."""
        return len(self._informers)

    def with_news(self) -> list[Informer]:
        """Return the caches that have something to drain, in order; the caller drains them."""
        if not self._has_news:
            return []
        self._has_news = False
        return [informer for informer in self._informers.values() if informer.has_news]

    def note_news(self) -> None:
        """Look at all caches next time: one has news, or could not be drained."""
        self._has_news = True

    def _wake(self) -> None:
        self._has_news = True
        self._on_wake()

    def watch(self, watched: Watched) -> None:
        """Cache one more kind; what is there already asks for its requests."""
        self.unwatch(watched.kind)
        self._informers[watched.kind] = Informer(self._reader, watched, self._wake)
        self._wake()

    def unwatch(self, kind: str) -> None:
        """Forget a kind; nothing when it is not watched."""
        informer = self._informers.pop(kind, None)
        if informer is not None:
            informer.close()
