"""The queue of a controller: requests, each at most once at a time, with back-off.

Source: k8s.io/client-go, util/workqueue (queue.go, delaying_queue.go, default_rate_limiters.go).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gitops_sim.protocols import Clock, Timer
from gitops_sim.runtime.requests import Request

__all__ = ["Backoff", "WorkQueue"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a failed request waits: `base` seconds, doubled with each failure, up to `cap`.

    Differs: client-go's default limiter also allows only 10 retries a second over all requests.
    """

    base: float = 0.005
    cap: float = 1000.0

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row (0 for the first)."""
        if self.base <= 0:
            return 0.0
        doublings = min(failures, 64)
        return float(min(self.base * 2**doublings, self.cap))


class WorkQueue:
    """Requests waiting for a worker.

    A request is queued once however often it is added; added while a worker has it, it comes
    again when that worker is done. Delayed ones keep the earliest time they were asked for.

    Args:
        clock: Whose time delays are.
        wake: Is called when a request becomes ready.
        backoff: For `add_rate_limited`.
        by_priority: A request made now takes the place of a delayed one, as in controller-runtime
            (pkg/controller/priorityqueue); otherwise both come, as in client-go.
    """

    def __init__(
        self,
        clock: Clock,
        wake: Callable[[], None],
        *,
        backoff: Backoff | None = None,
        by_priority: bool = False,
    ) -> None:
        self._clock = clock
        self._wake = wake
        self._backoff = backoff or Backoff()
        self._by_priority = by_priority
        self._ready: deque[Request] = deque()
        self._dirty: set[Request] = set()
        self._processing: set[Request] = set()
        self._waiting: dict[Request, tuple[float, Timer]] = {}
        self._failures: dict[Request, int] = {}
        self._open = True

    def __len__(self) -> int:
        """How many requests are ready; delayed ones and those being worked on do not count."""
        return len(self._ready)

    def add(self, request: Request) -> None:
        """Queue a request, unless it is queued already."""
        if self._by_priority and request in self._waiting:
            self._waiting.pop(request)[1].cancel()
        if not self._open or request in self._dirty:
            return
        self._dirty.add(request)
        if request not in self._processing:
            self._ready.append(request)
            self._wake()

    def add_after(self, request: Request, delay: float) -> None:
        """Queue a request in `delay` seconds; an earlier promise stays, a later one is replaced."""
        if not self._open:
            return
        if delay <= 0:
            self.add(request)
            return
        due = self._clock.now() + delay
        known = self._waiting.get(request)
        if known is not None:
            if known[0] <= due:
                return
            known[1].cancel()
        self._waiting[request] = (
            due,
            self._clock.call_later(delay, lambda: self._is_due(request)),
        )

    def add_rate_limited(self, request: Request) -> None:
        """Queue a request that failed, after its back-off."""
        failures = self._failures.get(request, 0)
        self._failures[request] = failures + 1
        self.add_after(request, self._backoff.delay(failures))

    def forget(self, request: Request) -> None:
        """The request went well: its next failure is its first."""
        self._failures.pop(request, None)

    def failures(self, request: Request) -> int:
        """Return how often the request has failed in a row."""
        return self._failures.get(request, 0)

    def take(self) -> Request | None:
        """Return the next request for a worker, who says `done` later; None when none is ready."""
        if not self._ready:
            return None
        request = self._ready.popleft()
        self._processing.add(request)
        self._dirty.discard(request)
        return request

    def done(self, request: Request) -> None:
        """A worker is through with a request; it comes again if it was added meanwhile."""
        self._processing.discard(request)
        if request in self._dirty:
            self._ready.append(request)
            self._wake()

    def close(self) -> None:
        """Forget everything and take nothing more."""
        self._open = False
        for _, timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        self._ready.clear()
        self._dirty.clear()

    def _is_due(self, request: Request) -> None:
        self._waiting.pop(request, None)
        self.add(request)
