"""The caches of one controller, by kind.

Source: sigs.k8s.io/controller-runtime, pkg/cache (a cache makes informers as they are asked for).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gitops_sim.runtime.cache_source import CacheSource
from gitops_sim.runtime.informer import Informer
from gitops_sim.runtime.requests import Watched

__all__ = ["CacheSet"]


class CacheSet(Mapping[str, Informer]):
    """Informers by the kind as their `Watched` writes it: `caches["v1/Pod"]`.

    A controller that looks after kinds which come and go, such as the garbage collector, watches
    more, or fewer, while it runs.

    Args:
        source: Where from.
        wake: Is called when any of them has news; once until these are drained.
    """

    def __init__(self, source: CacheSource, wake: Callable[[], None]) -> None:
        self._source = source
        self._on_wake = wake
        self._with_news: list[Informer] = []
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
        """Return the caches that have something to drain; the caller drains them."""
        found, self._with_news = self._with_news, []
        return found

    def note_news(self, informer: Informer) -> None:
        """Return this one too, next time: it has news, or could not be drained."""
        self._with_news.append(informer)

    def _wake(self, informer: Informer) -> None:
        is_first = not self._with_news
        self._with_news.append(informer)
        if is_first:
            self._on_wake()

    def watch(self, watched: Watched) -> None:
        """Cache one more kind; what is there already asks for its requests."""
        self.unwatch(watched.kind)
        informer = Informer(self._source, watched, self._wake)
        self._informers[watched.kind] = informer
        self._wake(informer)

    def unwatch(self, kind: str) -> None:
        """Forget a kind; nothing when it is not watched."""
        informer = self._informers.pop(kind, None)
        if informer is not None:
            informer.close()
            self._with_news = [other for other in self._with_news if other is not informer]
