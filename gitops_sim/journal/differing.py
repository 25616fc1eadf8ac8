"""Where two histories part: the first fact that one has and the other has not.

Steps and reconciles are left out: they are how something comes to be, and so many that the first
of them would say little.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from gitops_sim.journal.facts import Fact, ReconcileDone, StepTaken
from gitops_sim.journal.journal import Entry, Journal

__all__ = ["Parting", "first_difference", "in_words"]

_LONGEST = 100
_INNER = (StepTaken, ReconcileDone)


@dataclass(frozen=True, slots=True)
class Parting:
    """Where two histories part.

    Attributes:
        time: The last moment until which they are the same, in seconds since the epoch.
        here: What comes next in the first; None: nothing.
        there: What comes next in the second; None: nothing.
    """

    time: float
    here: Entry | None
    there: Entry | None


def first_difference(one: Journal, two: Journal, *, until: float) -> Parting | None:
    """Return where two histories part; None: they are the same up to `until` (seconds)."""
    here, there = (
        [e for e in journal.entries(until=until) if not isinstance(e.fact, _INNER)]
        for journal in (one, two)
    )
    for left, right in zip(here, there, strict=False):
        if (left.time, left.fact) != (right.time, right.fact):
            return Parting(min(left.time, right.time), left, right)
    if len(here) == len(there):
        return None
    shared = min(len(here), len(there))
    rest = [entries[shared] if len(entries) > shared else None for entries in (here, there)]
    return Parting(next(entry.time for entry in rest if entry is not None), rest[0], rest[1])


def in_words(fact: Fact) -> str:
    """Return a fact in a line: `object changed: staging apply Deployment shop web`."""
    name = re.sub(r"(?<!^)(?=[A-Z])", " ", type(fact).__name__).lower()
    values = (getattr(fact, field.name) for field in fields(fact))
    told = " ".join(
        str(value) for value in values if value and isinstance(value, str | int | float)
    )
    told = " ".join(told.split())
    return f"{name}: {told}" if len(told) <= _LONGEST else f"{name}: {told[: _LONGEST - 1]}…"
