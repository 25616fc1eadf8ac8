"""Python's garbage collection while time passes: of what is new often, of everything seldom.

What a lab keeps, its history above all, only grows, and hardly any of it is ever garbage. Left to
itself, CPython looks through all of it whenever it has grown by a quarter: a sixth of the time that
a large roll-out takes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["EVENTS_BETWEEN", "collect", "collecting_seldom"]

EVENTS_BETWEEN = 4096
"""So many events of a clock are between two collections of what is new."""
_EVENTS_BETWEEN_FULL = 1 << 20


@contextmanager
def collecting_seldom() -> Iterator[bool]:
    """Let nothing be collected but by `collect`; tells whether that is wanted at all."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield was_on
    finally:
        if was_on:
            gc.enable()


def collect(events: int) -> None:
    """Collect what is garbage, when a clock has taken so many events."""
    gc.collect(1 if events % _EVENTS_BETWEEN_FULL else 2)
