"""What an apply or a prune did, object by object: a list that prints itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from gitops_sim.types import ResourceKey

__all__ = ["Action", "Change", "ChangeSet"]


class Action(StrEnum):
    """What was done with one object.

    Source: fluxcd/pkg ssa/changeset.go.
    """

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One object and what was done with it; `version` is its API version without the group."""

    subject: ResourceKey
    action: Action
    version: str = ""

    def __str__(self) -> str:
        """Print as `Deployment/shop/web configured`."""
        return f"{self.subject} {self.action}"


@dataclass(slots=True)
class ChangeSet:
    """The changes of one pass, in the order in which they were made."""

    entries: list[Change] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Append one change."""
        self.entries.append(change)

    def __iter__(self) -> Iterator[Change]:
        """Go through the entries in order."""
        return iter(self.entries)

    def __len__(self) -> int:
        """How many objects were looked at."""
        return len(self.entries)

    def count(self, action: Action) -> int:
        """Return how many objects had this done."""
        return sum(change.action is action for change in self.entries)

    @property
    def is_changed(self) -> bool:
        """True if anything was created, configured or deleted."""
        return any(change.action in _CHANGES for change in self.entries)

    def changed(self) -> list[Change]:
        """Return the entries worth telling: created, configured, deleted."""
        return [change for change in self.entries if change.action in _CHANGES]

    def __str__(self) -> str:
        """Print one line per object, `Kind/namespace/name action`, as Flux's events do."""
        return "\n".join(str(change) for change in self.entries)


_CHANGES = frozenset((Action.CREATED, Action.CONFIGURED, Action.DELETED))
