"""The pump: a thread that lets virtual time pass beside wall time while a lab is served.

So `kubectl rollout status` in a cell works while the cell blocks. The lock of the door is held for
one stretch at a time; whoever runs the clock by hand meanwhile only moves it ahead.
"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from typing import Any

from gitops_sim.clock import Door, VirtualClock
from gitops_sim.errors import LabError

__all__ = ["Pump"]

_TICK = 0.05
"""Wall seconds between two looks when nothing wakes the pump."""


class Pump:
    """Runs a clock at a speed.

    Args:
        clock: Is run, through the door.
        door: Logs how far, so that a saved lab repeats it.
        speed: Virtual seconds per wall second, above 0.
    """

    def __init__(self, clock: VirtualClock, door: Door, *, speed: float = 1.0) -> None:
        if speed <= 0:
            raise LabError(f"a speed of {speed}", "use a number above 0, such as 60")
        self._clock, self._door, self._speed = clock, door, speed
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gitops-sim-pump", daemon=True)
        self._began, self._virtual = 0.0, 0.0

    def start(self) -> None:
        """Begin here and now."""
        self._rebase()
        self._thread.start()

    def stop(self) -> None:
        """Let time stand still; returns when the thread has ended."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def wake(self) -> None:
        """Look again at once: something may have become due."""
        self._wake.set()

    def catch_up(self) -> None:
        """Bring the clock to the present; the caller holds the lock of the door.

        Nothing happens while a step of the clock waits for a webhook.
        """
        if self._clock.now() > self._present():
            self._rebase()
        present = self._present()
        if not self._door.is_inside and not self._clock.running and present > self._clock.now():
            with self._door.running():
                self._clock.run(present)

    def _run(self) -> None:
        lock: AbstractContextManager[Any] = self._door.lock
        while not self._stopped.is_set():
            with lock:
                if self._clock.next_event() <= self._present():
                    self.catch_up()
                due = self._clock.next_event()
                wait = (due - self._virtual) / self._speed - (time.monotonic() - self._began)
            self._wake.wait(min(max(wait, 0.001), _TICK))
            self._wake.clear()

    def _present(self) -> float:
        return self._virtual + (time.monotonic() - self._began) * self._speed

    def _rebase(self) -> None:
        self._began, self._virtual = time.monotonic(), self._clock.now()
