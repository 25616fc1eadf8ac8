"""A watch as it is sent: events as JSON lines, bookmarks, and the error that ends it.

Source: k8s.io/apiserver, pkg/endpoints/handlers/watch.go and pkg/storage/cacher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gitops_sim.apiserver.watching import StoreWatch
from gitops_sim.errors import ApiError
from gitops_sim.server.answers import compact
from gitops_sim.types import Manifest, WatchEvent

__all__ = ["WatchStream"]

_INITIAL_END = "k8s.io/initial-events-end"
_EARLY, _MINUTE, _BEFORE_END = 1.0, 60.0, 1.5


class WatchStream:
    """One client's watch; nothing is sent before someone asks for chunks.

    Args:
        watch: Gives the events.
        shape: Turns an object into the form that the client wants.
        empty: Apiversion and kind of a bookmark's object.
        bookmarks: True when the client allows them.
        ends_initial: True when the end of the initial events is to be marked.
        seconds: How long it lasts, in wall time.
    """

    def __init__(
        self,
        watch: StoreWatch,
        shape: Callable[[Manifest], Any],
        empty: Manifest,
        *,
        bookmarks: bool = False,
        ends_initial: bool = False,
        seconds: float = 1800.0,
    ) -> None:
        self.seconds = seconds
        self.ended = False
        self._watch = watch
        self._shape = shape
        self._empty = empty
        self._bookmarks = bookmarks
        self._ends_initial = ends_initial

    def next_chunks(self) -> Sequence[bytes]:
        """Return the events since the last call, one line each."""
        if self.ended:
            return []
        try:
            events = self._watch.drain()
        except ApiError as error:
            self.ended = True
            self.close()
            status = error.status()
            status.pop("details", None)
            return [compact({"type": "ERROR", "object": status})]
        chunks = [self._line(event) for event in events]
        if self._ends_initial:
            self._ends_initial = False
            if self._bookmarks:
                chunks.append(self._mark({_INITIAL_END: "true"}))
        return chunks

    def bookmark_times(self) -> Iterator[float]:
        """Yield the seconds after the start at which bookmarks are due.

        A minute apart, once shortly before the end, and early where initial events were asked for.
        """
        if not self._bookmarks:
            return
        if self._ends_initial:
            yield _EARLY
        last = self.seconds - _BEFORE_END
        moment = _MINUTE
        while moment < last:
            yield moment
            moment += _MINUTE
        if last > _EARLY / 2:
            yield last

    def bookmark(self) -> bytes:
        """Return a bookmark of where the watch stands; nothing when the client wants none."""
        return self._mark() if self._bookmarks and not self.ended else b""

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something of this kind changed."""
        self._watch.subscribe(wake)

    def close(self) -> None:
        """Stop."""
        self._watch.close()

    def _line(self, event: WatchEvent) -> bytes:
        return compact({"type": event.type, "object": self._shape(event.object)})

    def _mark(self, annotations: dict[str, str] | None = None) -> bytes:
        metadata: dict[str, Any] = {"resourceVersion": self._watch.resource_version}
        if annotations:
            metadata["annotations"] = annotations
        marked = self._empty | {"metadata": metadata}
        return compact({"type": "BOOKMARK", "object": marked})
