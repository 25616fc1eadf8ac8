"""The journal: what happened, in order, never changed."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar, overload

from gitops_sim.journal.facts import Fact
from gitops_sim.protocols import Clock

__all__ = ["Entry", "Journal", "as_json"]

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact with its place in the order and its time in seconds since the epoch."""

    seq: int
    time: float
    fact: Fact


class Journal:
    """Append-only facts of one lab; byte-identity of two labs is measured on `to_jsonl`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._by_kind: dict[type[Fact], list[Entry]] = {}
        self._listeners: list[Callable[[Entry], None]] = []

    def __len__(self) -> int:
        """How many facts there are."""
        return len(self._entries)

    def record(self, fact: Fact) -> None:
        """Append a fact at the present time."""
        entry = Entry(len(self._entries), self._clock.now(), fact)
        self._entries.append(entry)
        self._by_kind.setdefault(type(fact), []).append(entry)
        for listener in self._listeners:
            listener(entry)

    def subscribe(self, listener: Callable[[Entry], None]) -> None:
        """Call `listener` for each fact from now on; it must not change the lab."""
        self._listeners.append(listener)

    def after(self, number: int) -> list[Entry]:
        """Return the entries from a number on: what came since the journal had that length."""
        return self._entries[number:]

    def entries(
        self,
        *kinds: type[Fact],
        since: float | None = None,
        until: float | None = None,
    ) -> Sequence[Entry]:
        """Return entries in order.

        Args:
            kinds: Classes from `facts`; none means all.
            since: Seconds since the epoch, this moment included.
            until: Seconds since the epoch, this moment included.
        """
        found = self._entries
        if kinds:
            lists = [self._by_kind.get(kind, []) for kind in kinds]
            found = (
                lists[0]
                if len(lists) == 1
                else sorted((e for entries in lists for e in entries), key=lambda e: e.seq)
            )
        start = 0 if since is None else bisect_left(found, since, key=lambda e: e.time)
        end = len(found) if until is None else bisect_right(found, until, key=lambda e: e.time)
        return found[start:end]

    @overload
    def facts(self, kind: type[F]) -> list[F]: ...

    @overload
    def facts(self, kind: None = None) -> list[Fact]: ...

    def facts(self, kind: type[F] | None = None) -> Sequence[Fact]:
        """Return the facts of one kind, or all, without their times."""
        found = self._entries if kind is None else self._by_kind.get(kind, [])
        return [entry.fact for entry in found]

    def to_jsonl(self) -> bytes:
        """Return every entry as one line of canonical JSON; equal histories are equal bytes."""
        rows = (json.dumps(as_json(entry), sort_keys=True) for entry in self._entries)
        return "".join(f"{row}\n" for row in rows).encode()


def as_json(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain values: seq, time (s), fact (its kind), with (its fields)."""
    kind = type(entry.fact)
    values = {name: getattr(entry.fact, name) for name in (field.name for field in fields(kind))}
    return {"seq": entry.seq, "time": round(entry.time, 6), "fact": kind.__name__, "with": values}
