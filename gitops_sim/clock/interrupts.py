"""Ctrl-C, held back until the clock stands between two events.

An interrupt may come at any moment: an object half written, a controller in the middle of its
stretch. So while an input is worked on it waits: the clock raises it before it takes its next
event, or the door when the work is done, and the log says after how many events. A second one comes
at once, for a function of the learner's that never ends; what was done by then nobody can know.

Only the main thread of a program is interrupted, and only where nobody else has taken over the
signal.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupts"]


class Interrupts:
    """The interrupts of one input.

    Args:
        stop_at: How many events the clock has taken when it stops; infinity: never. A replay stops
            where the person did.

    Attributes:
        at_rest: True when the clock raised one: the work was broken off between two events.
    """

    __slots__ = ("_is_due", "at_rest", "stop_at")

    def __init__(self, stop_at: float = math.inf) -> None:
        self.stop_at = stop_at
        self.at_rest = False
        self._is_due = False

    def check(self, events: int) -> None:
        """Raise an interrupt that waits: the clock has taken so many events, and is at rest.

        Raises:
            KeyboardInterrupt: One waits.
        """
        if events >= self.stop_at:
            self._is_due, self.at_rest = False, True
            raise KeyboardInterrupt

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Hold interrupts back meanwhile; one that was not raised by then is raised at the end.

        Raises:
            KeyboardInterrupt: The work is done, and was interrupted.
        """
        before = signal.getsignal(signal.SIGINT)
        if before is not signal.default_int_handler or not self._listen():
            yield
            return
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
        if self._is_due:
            raise KeyboardInterrupt

    def _listen(self) -> bool:
        try:
            signal.signal(signal.SIGINT, self._interrupted)
        except ValueError:  # another thread than the main one
            return False
        return True

    def _interrupted(self, _: int, __: FrameType | None) -> None:
        if self._is_due:
            self._is_due = False
            raise KeyboardInterrupt
        self._is_due, self.stop_at = True, -1
