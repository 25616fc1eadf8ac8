"""Jobs and signals: generators that the clock drives, and what they park on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gitops_sim.errors import LabError
from gitops_sim.protocols import Job, Timer
from gitops_sim.types import Step

if TYPE_CHECKING:
    from gitops_sim.clock.account import Account
    from gitops_sim.clock.virtual import VirtualClock

__all__ = ["RunningJob", "Waiting", "WakeSignal"]


class WakeSignal:
    """A level-triggered signal: set while nobody waits, it wakes the next one who does."""

    def __init__(self) -> None:
        self._is_set = False
        self._parked: list[Callable[[], None]] = []

    def set(self) -> None:
        """Wake everyone parked here; with nobody parked, the next wait returns at once."""
        if not self._parked:
            self._is_set = True
            return
        parked, self._parked = self._parked, []
        for wake in parked:
            wake()

    def wait(self, timeout: float | None = None) -> Waiting:
        """Return what a job yields to park until `set`, or until `timeout` virtual seconds."""
        return Waiting(self, timeout)

    def take(self) -> bool:
        """Return True and forget it, if it was set while nobody waited."""
        was_set, self._is_set = self._is_set, False
        return was_set

    def park(self, wake: Callable[[], None]) -> None:
        """Call `wake` once at the next `set`."""
        self._parked.append(wake)

    def leave(self, wake: Callable[[], None]) -> None:
        """Do not call `wake` any more."""
        # Equal, not identical: a bound method is another object each time it is asked for.
        self._parked = [other for other in self._parked if other != wake]


class Waiting:
    """A job's request to park on a signal."""

    __slots__ = ("signal", "timeout")

    def __init__(self, signal: WakeSignal, timeout: float | None) -> None:
        self.signal = signal
        self.timeout = timeout


class RunningJob:
    """A generator that the clock drives: each `Step` takes its time, each wait parks it.

    What the client's `account` owes is charged at each yield, before anything else happens.
    """

    def __init__(
        self, clock: VirtualClock, name: str, job: Job, account: Account | None = None
    ) -> None:
        self.name = name
        self.alive = True
        self._clock = clock
        self._job = job
        self._account = account
        self._timer: Timer | None = None
        self._parked_on: WakeSignal | None = None
        self._running = False
        self._timer = clock.call_later(0.0, self._resume)

    def kill(self) -> None:
        """Crash it: it never runs again, not even to clean up after a write was revoked."""
        if not self.alive:
            return
        self.alive = False
        self._unpark()
        if not self._running:
            self._job.close()

    def _unpark(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._parked_on is not None:
            self._parked_on.leave(self._wake)
            self._parked_on = None

    def _wake(self) -> None:
        """Run again at this time, after what is due already."""
        self._unpark()
        self._timer = self._clock.call_later(0.0, self._resume)

    def _resume(self) -> None:
        self._unpark()
        if not self.alive:
            return
        self._running = True
        try:
            yielded = next(self._job)
        except StopIteration:
            self.alive = False
            return
        except BaseException:
            self.alive = False
            raise
        finally:
            self._running = False
        self._park_or_close(yielded)

    def _park_or_close(self, yielded: Any) -> None:
        if self.alive:
            self._park(yielded)
        else:  # it killed itself
            self._job.close()

    def _park(self, yielded: Any) -> None:
        owed = self._account.take() if self._account is not None else 0.0
        if isinstance(yielded, Step):
            self._clock.tell_step(self.name, yielded, owed)
            self._timer = self._clock.call_later(yielded.takes + owed, self._resume)
        elif isinstance(yielded, Waiting):
            if owed:
                self._timer = self._clock.call_later(owed, lambda: self._wait(yielded))
            else:
                self._wait(yielded)
        else:
            self.alive = False
            raise LabError(
                f"job {self.name!r} yielded {yielded!r}",
                "yield a Step(name, takes=seconds) or signal.wait(timeout)",
            )

    def _wait(self, waiting: Waiting) -> None:
        self._timer = None
        if waiting.signal.take():
            self._timer = self._clock.call_later(0.0, self._resume)
            return
        self._parked_on = waiting.signal
        waiting.signal.park(self._wake)
        if waiting.timeout is not None:
            self._timer = self._clock.call_later(waiting.timeout, self._resume)
