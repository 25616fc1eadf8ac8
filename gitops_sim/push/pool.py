"""Runners and the queue before them: a job waits until one is free, first come, first served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["RunnerPool", "Waiting"]


@dataclass(slots=True, eq=False)
class Waiting:
    """One job in the queue; `start` is called with the name of its runner."""

    start: Callable[[str], None]


class RunnerPool:
    """The runners of a lab, shared by all repositories.

    Args:
        count: How many there are, at least 1.
    """

    def __init__(self, count: int) -> None:
        self.names = [f"runner-{number}" for number in range(1, count + 1)]
        self._free = list(self.names)
        self._queue: list[Waiting] = []

    @property
    def queued(self) -> int:
        """Jobs that wait."""
        return len(self._queue)

    @property
    def free(self) -> list[str]:
        """Runners that have nothing to do."""
        return list(self._free)

    def submit(self, waiting: Waiting) -> None:
        """Put a job at the end of the queue, and start it at once if a runner is free."""
        self._queue.append(waiting)
        self._assign()

    def withdraw(self, waiting: Waiting) -> None:
        """Take a job out of the queue; nothing if it has a runner already."""
        self._queue = [other for other in self._queue if other is not waiting]

    def release(self, runner: str) -> None:
        """Take a runner back; the next job gets it."""
        self._free.append(runner)
        self._free.sort(key=self.names.index)
        self._assign()

    def _assign(self) -> None:
        while self._free and self._queue:
            waiting, runner = self._queue.pop(0), self._free.pop(0)
            waiting.start(runner)
