"""Live pacing: virtual time beside wall time, for projectors and for tools that wait."""

from __future__ import annotations

from collections.abc import Callable

from gitops_sim.clock.virtual import VirtualClock
from gitops_sim.errors import LabError

__all__ = ["pace"]


def pace(
    clock: VirtualClock,
    until: float,
    *,
    speed: float,
    wall: Callable[[], float],
    sleep: Callable[[float], None],
    tick: float = 0.05,
) -> None:
    """Run the clock to `until` so that `speed` virtual seconds take one second of `wall`.

    The history is the same as that of `clock.run(until)`; only the person sees a difference. Work
    that takes longer than its time is caught up with, never skipped.

    Args:
        clock: Is run.
        until: Virtual seconds since the epoch.
        speed: Virtual seconds per wall second, above 0.
        wall: A monotonic clock in seconds.
        sleep: Waits that many seconds.
        tick: Wall seconds between two looks, so that pictures and interrupts come through.

    Raises:
        LabError: The speed is not above 0.
    """
    if speed <= 0:
        raise LabError(f"a speed of {speed}", "use a number above 0, such as 60")
    began, virtual = wall(), clock.now()
    while clock.now() < until:
        reached = virtual + (wall() - began) * speed
        if reached > clock.now():
            clock.run(min(until, reached))
        if clock.now() < until:
            due = min(until, clock.next_event())
            wait = (due - virtual) / speed - (wall() - began)
            sleep(min(tick, max(wait, 0.001)))
