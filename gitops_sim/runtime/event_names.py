"""Names of Events: the object's name and the moment in nanoseconds, as client-go makes them."""

from __future__ import annotations

from datetime import datetime

from gitops_sim.protocols import Clock

__all__ = ["EventNames"]

_NANOSECONDS_IN_MS = 1_000_000


class EventNames:
    """Names of one component's events; those of one moment sort in the order they were given.

    Args:
        clock: Gives the moment, and what is below its milliseconds.
        component: Whose random stream that is.
    """

    def __init__(self, clock: Clock, component: str) -> None:
        self._clock = clock
        self._epoch = datetime.fromisoformat(clock.timestamp(0.0)).timestamp()
        self._random = clock.random(f"events/{component}")
        self._last = 0

    def next(self, about: str) -> str:
        """Return a name for an event about an object of that name: `web-1.18ea9e9f0a97cfb9`."""
        moment = self._epoch + self._clock.now()
        nanoseconds = int(moment * 1000) * _NANOSECONDS_IN_MS + self._random.randrange(500_000)
        self._last = max(nanoseconds, self._last + self._random.randrange(1_000, 5_000))
        return f"{about}.{self._last:x}"
