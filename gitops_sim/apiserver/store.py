"""The store: every version of every object, under one global revision, as etcd keeps them.

A put names the version it expects and fails if another came first. Objects are never changed in
place; each new version shares with the one before whatever stayed equal, so history is cheap and
a read at an old revision is a look-up. Watchers read a log per kind from where they stand.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gitops_sim.apimachinery.kinds import Kind
from gitops_sim.apimachinery.sharing import shared
from gitops_sim.apimachinery.status_errors import (
    too_large_resource_version,
    too_old_resource_version,
)
from gitops_sim.types import Manifest

__all__ = ["Change", "Kind", "Store", "StoreConflictError", "Table"]


class Change(NamedTuple):
    """One entry of the log: `before` is None when the object is new, `after` when it is gone.

    A deletion's `before` carries the revision of the deletion, as a watch event does.
    """

    revision: int
    before: Manifest | None
    after: Manifest | None


class StoreConflictError(Exception):
    """A put or delete expected another revision than the stored one."""


_Name = tuple[str, str]
_NEAR = 16
"""So many changes back from the end of a log are looked at one by one: most readers stand there."""


@dataclass(slots=True)
class Table:
    """All objects of one kind, of whatever version: present ones, their past, log of changes."""

    present: dict[_Name, Manifest] = field(default_factory=dict)
    names: list[_Name] = field(default_factory=list)
    past: dict[_Name, list[tuple[int, Manifest | None]]] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def between(self, namespace: str | None, after: _Name | None = None) -> list[_Name]:
        """Return the names of the present objects, of one namespace or (None) of all, in order.

        Args:
            namespace: Which.
            after: Names up to this one are left out.
        """
        start, end = 0, len(self.names)
        if namespace is not None:
            start = bisect_left(self.names, (namespace, ""))
            end = bisect_left(self.names, (namespace + "\0", ""))
        if after is not None:
            start = max(start, bisect_right(self.names, after))
        return self.names[start:end]


class Store:
    """Objects by kind, namespace and name, with a global revision and all of the past.

    What is handed out is shared: callers copy before they change.
    """

    def __init__(self) -> None:
        self.revision = 1
        self.compacted = 0
        self._tables: dict[Kind, Table] = {}
        self._times: list[tuple[int, float]] = [(1, 0.0)]

    def table(self, kind: Kind) -> Table:
        """Return the table of a kind; it comes to be when first asked for."""
        found = self._tables.get(kind)
        if found is None:
            found = self._tables[kind] = Table()
        return found

    def kinds(self) -> Iterator[Kind]:
        """Return the kinds that hold or held objects, in order of first use."""
        return iter(self._tables)

    def holds(self, kind: Kind) -> bool:
        """True when there is any object of a kind."""
        table = self._tables.get(kind)
        return table is not None and bool(table.names)

    def get(
        self, kind: Kind, namespace: str, name: str, *, at: int | None = None
    ) -> Manifest | None:
        """Return one object, now or as it was at a revision; None when there is (was) none."""
        table = self.table(kind)
        if at is None:
            return table.present.get((namespace, name))
        self._check(at)
        return _as_of(table.past.get((namespace, name), ()), at)

    def page(
        self, kind: Kind, namespace: str | None, *, after: _Name | None, limit: int
    ) -> tuple[list[Manifest], int]:
        """Return the first of the present objects, and how many more there are.

        Args:
            kind: Which table.
            namespace: Of one namespace, or (None) of all.
            after: Namespace and name; objects up to this one are left out.
            limit: How many; above 0.
        """
        table = self.table(kind)
        names = table.between(namespace, after)
        return [table.present[name] for name in names[:limit]], max(len(names) - limit, 0)

    def objects(
        self, kind: Kind, namespace: str | None = None, *, at: int | None = None
    ) -> list[Manifest]:
        """Return objects in order of namespace and name, now or as they were at a revision."""
        table = self.table(kind)
        if at is None:
            return [table.present[name] for name in table.between(namespace)]
        self._check(at)
        names = sorted(n for n in table.past if namespace is None or n[0] == namespace)
        found = (_as_of(table.past[name], at) for name in names)
        return [manifest for manifest in found if manifest is not None]

    def put(
        self,
        kind: Kind,
        manifest: Manifest,
        *,
        expected: str | None,
        time: float,
        shares: bool = False,
    ) -> Manifest:
        """Store a new version; its resourceVersion becomes the new global revision.

        Args:
            kind: Which table.
            manifest: Is taken over: the caller must not change it any more. It may share parts
                with the stored version.
            expected: resourceVersion that the stored object must have; None: there must be none.
            time: Now, in seconds since the epoch.
            shares: It shares with the stored version all that is equal; otherwise it is made to.

        Raises:
            StoreConflictError: Another version is stored.
        """
        table = self.table(kind)
        metadata = manifest["metadata"]
        name = (metadata.get("namespace") or "", metadata["name"])
        before = table.present.get(name)
        if (None if before is None else before["metadata"]["resourceVersion"]) != expected:
            raise StoreConflictError(name)
        self._advance(time)
        manifest = manifest | {"metadata": metadata | {"resourceVersion": str(self.revision)}}
        if before is None:
            insort(table.names, name)
            after = manifest
        else:
            after = manifest if shares else shared(before, manifest)
        table.present[name] = after
        table.past.setdefault(name, []).append((self.revision, after))
        self._log(table, Change(self.revision, before, after))
        return after

    def delete(self, kind: Kind, namespace: str, name: str, *, time: float) -> Manifest | None:
        """Remove an object; return its last state, with the revision of the deletion."""
        table = self.table(kind)
        before = table.present.pop((namespace, name), None)
        if before is None:
            return None
        self._advance(time)
        table.names.pop(bisect_left(table.names, (namespace, name)))
        last = before | {"metadata": before["metadata"] | {"resourceVersion": str(self.revision)}}
        table.past[namespace, name].append((self.revision, None))
        self._log(table, Change(self.revision, last, None))
        return last

    def revision_at(self, time: float) -> int:
        """Return the global revision at a moment, in seconds since the epoch."""
        index = bisect_right(self._times, time, key=lambda entry: entry[1])
        return self._times[max(index - 1, 0)][0]

    def changes(self, kind: Kind, since: int) -> list[Change]:
        """Return the log of a kind after a revision.

        Raises:
            ExpiredError: The log no longer reaches back to it.
        """
        if since < self.compacted:
            raise too_old_resource_version(since, self.compacted)
        log = self.table(kind).log
        place = len(log)
        near = max(0, place - _NEAR)
        while place > near and log[place - 1].revision > since:
            place -= 1
        if place == near:
            place = bisect_right(log, since, hi=near, key=lambda change: change.revision)
        return log[place:]

    def compact(self, revision: int) -> None:
        """Forget what was before a revision: logs, and versions that nobody can read any more."""
        self.compacted = max(self.compacted, min(revision, self.revision))
        for table in self._tables.values():
            cut = bisect_right(table.log, self.compacted, key=lambda change: change.revision)
            del table.log[:cut]
            for name, versions in list(table.past.items()):
                kept = bisect_right(versions, self.compacted, key=lambda version: version[0])
                del versions[: max(kept - 1, 0)]
                if len(versions) == 1 and versions[0][1] is None:
                    del table.past[name]

    def _check(self, at: int) -> None:
        if at > self.revision:
            raise too_large_resource_version(at, self.revision)
        if at < self.compacted:
            raise too_old_resource_version(at, self.compacted)

    def _advance(self, time: float) -> None:
        self.revision += 1
        if self._times[-1][1] == time:
            self._times[-1] = (self.revision, time)
        else:
            self._times.append((self.revision, time))

    def _log(self, table: Table, change: Change) -> None:
        table.log.append(change)
        for listener in list(table.listeners):
            listener()


def _as_of(versions: Any, at: int) -> Manifest | None:
    index = bisect_right(versions, at, key=lambda version: version[0])
    found: Manifest | None = versions[index - 1][1] if index else None
    return found
