"""The virtual clock: SimPy's event queue, and everything else that must repeat with the seed.

A call enters (`run`), events are taken in order of time, and at equal times in the order in which
they were scheduled; each runs a callback, most of them the next stretch of a job. A day is as
long as its events, not as its seconds. Nothing else in the project imports SimPy.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import simpy
from simpy.events import NORMAL, EventPriority

from gitops_sim.clock.account import Account
from gitops_sim.clock.durations import parse_duration
from gitops_sim.clock.garbage import EVENTS_BETWEEN, collect, collecting_seldom
from gitops_sim.clock.interrupts import Interrupts
from gitops_sim.clock.jobs import RunningJob, WakeSignal
from gitops_sim.clock.streams import Streams
from gitops_sim.errors import LabError
from gitops_sim.protocols import Job, RandomStream
from gitops_sim.types import Step

__all__ = ["EPOCH", "VirtualClock"]

EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When every lab begins, a Monday morning: histories repeat, so the date does too."""
_SECONDS_KEPT = 256
"""Timestamps are asked for again and again, of now and of moments a little ago."""


class _Due(simpy.Event):
    """A call that is due later: an event that has happened already when it is scheduled.

    As `simpy.Timeout`, it sets what `simpy.Event` would, without the calls in between: there is
    one of these for each step of each job.
    """

    def __init__(self, env: simpy.Environment, callback: Callable[[], None]) -> None:
        self.env = env
        self.callbacks = [self._run]
        self._ok, self._value = True, None
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Make it not happen."""
        self._callback = None

    def _run(self, _: object) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class VirtualClock:
    """Virtual seconds since the lab's epoch, jobs, random streams and ids.

    Args:
        seed: Of all random streams.
        epoch: What second 0 is called, in UTC.
        shuffle: Tests only: a seed that puts events of equal time in random order. The final
            state of a lab must not depend on it.
    """

    def __init__(
        self, seed: int = 0, *, epoch: datetime = EPOCH, shuffle: int | None = None
    ) -> None:
        self.seed = seed
        self.events = 0
        self.interrupts = Interrupts()
        self.on_step: list[Callable[[str, Step, float, float], None]] = []
        self._epoch = epoch
        self._env = simpy.Environment()
        self._streams = Streams(seed)
        self._order = None if shuffle is None else random.Random(shuffle)  # noqa: TID251, S311
        self._running = False
        self._collects = False
        self._seconds: dict[int, str] = {}

    @property
    def running(self) -> bool:
        """True while events are taken; it cannot be made to run then."""
        return self._running

    def now(self) -> float:
        """Seconds since the epoch."""
        return float(self._env.now)

    def timestamp(self, at: float | None = None) -> str:
        """Return `at` (default now) as RFC 3339 UTC with whole seconds, rounded down."""
        second = int(self.now() if at is None else at)
        text = self._seconds.get(second)
        if text is None:
            moment = self._epoch + timedelta(seconds=second)
            text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            if len(self._seconds) >= _SECONDS_KEPT:
                self._seconds.clear()
            self._seconds[second] = text
        return text

    def timestamp_micro(self, at: float | None = None) -> str:
        """Return the same with six digits of a second (Kubernetes MicroTime)."""
        moment = self._epoch + timedelta(seconds=self.now() if at is None else at)
        return f"{moment.isoformat(timespec='microseconds')[:26]}Z"

    def parse_time(self, text: str) -> float:
        """Return the moment that a text means, in seconds since the epoch.

        Args:
            text: `10:32` or `10:32:05` (the latest such moment that has passed), `+90s` after the
                epoch, or RFC 3339 such as `2026-01-05T10:32:00Z`.

        Raises:
            LabError: It is none of these.
        """
        if not isinstance(text, str):
            raise _no_moment(text)
        if text.startswith("+"):
            return parse_duration(text[1:])
        try:
            if "T" not in text:
                return self._time_of_day(text)
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise _no_moment(text) from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - self._epoch).total_seconds()

    def coming_time(self, text: str) -> float:
        """Return the same; a time of day that has passed is meant of tomorrow."""
        moment = self.parse_time(text)
        if ":" in text and "T" not in text and moment < self.now():
            moment += 86400.0
        return moment

    def _time_of_day(self, text: str) -> float:
        form = "%H:%M:%S" if text.count(":") == 2 else "%H:%M"
        wanted = datetime.strptime(text, form).replace(tzinfo=UTC)
        here = self._epoch + timedelta(seconds=self.now())
        moment = here.replace(
            hour=wanted.hour, minute=wanted.minute, second=wanted.second, microsecond=0
        )
        while moment > here:
            moment -= timedelta(days=1)
        return (moment - self._epoch).total_seconds()

    def random(self, name: str) -> RandomStream:
        """Return the random stream of that name, the same object each time."""
        return self._streams.random(name)

    def uid(self, name: str) -> str:
        """Return the next UUID of the stream of that name."""
        return self._streams.uid(name)

    def call_later(self, delay: float, callback: Callable[[], None]) -> _Due:
        """Call `callback` in `delay` seconds; it must not take time itself."""
        if delay < 0:
            raise LabError(f"a delay of {delay} s: time only runs forward", "use 0 or more")
        due = _Due(self._env, callback)
        priority = NORMAL
        if self._order is not None:
            priority = EventPriority(self._order.randrange(1, 1 << 30))
        self._env.schedule(due, priority, delay)
        return due

    def spawn(self, name: str, job: Job, *, account: Account | None = None) -> RunningJob:
        """Run a job from now on; what its client `account` owes is charged at each yield."""
        return RunningJob(self, name, job, account)

    def signal(self) -> WakeSignal:
        """Return a new signal to park on."""
        return WakeSignal()

    def tell_step(self, job: str, step: Step, charged: float) -> None:
        """Tell `on_step` that a job begins a step; `charged` seconds come on top of it."""
        for listener in self.on_step:
            listener(job, step, self.now(), charged)

    def next_event(self) -> float:
        """Return when the next event is due, in seconds since the epoch; infinity if none is."""
        return float(self._env.peek())

    def run(self, until: float) -> None:
        """Let time pass to `until`, events at `until` included.

        Raises:
            LabError: `until` is past, or the clock runs already.
        """
        with self._taking_events(until):
            while self._env.peek() <= until:
                self._step()
        self._jump(until)

    def run_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """Let time pass until the predicate holds; look again after each event.

        Returns:
            False if it does not hold after `timeout` seconds; then that time has passed.
        """
        deadline = self.now() + timeout
        with self._taking_events(deadline):
            while not predicate():
                if self._env.peek() > deadline:
                    break
                self._step()
            else:
                return True
        self._jump(deadline)
        return False

    def advance(self, events: int, until: float) -> None:
        """Take exactly `events` events, then let time pass to `until` without any: for replay."""
        with self._taking_events(until):
            for _ in range(events):
                self._step()
        if self._env.peek() < until:
            raise LabError(
                f"replay went another way: something is due before {self.timestamp(until)}",
                "load it with the version that saved it",
            )
        self._jump(until)

    @contextmanager
    def _taking_events(self, until: float) -> Iterator[None]:
        if self._running:
            raise LabError("the clock runs already", "let the running call end first")
        if until < self.now():
            raise LabError(
                f"{self.timestamp(until)} is past: it is {self.timestamp()} in the lab",
                "choose a later moment, or look back with lab.at(...)",
            )
        self.interrupts.check(self.events)
        self._running = True
        try:
            with collecting_seldom() as self._collects:
                yield
        finally:
            self._running = False

    def _step(self) -> None:
        if self.events >= self.interrupts.stop_at:
            self.interrupts.check(self.events)
        self.events += 1
        if self.events % EVENTS_BETWEEN == 0 and self._collects:
            collect(self.events)
        self._env.step()

    def _jump(self, until: float) -> None:
        # No event is due before: SimPy's own run would schedule one of its own to stop at.
        self._env._now = max(self._env._now, until)  # noqa: SLF001


def _no_moment(text: object) -> LabError:
    return LabError(f"{text!r} is no moment", 'write "10:32", "+90s" or "2026-01-05T10:32:00Z"')
