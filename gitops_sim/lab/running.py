"""What `lab.run` tells: when it stopped, and what happened meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_sim.clock import format_duration
from gitops_sim.journal import Journal, facts

__all__ = ["Ran", "summarise"]

_TOLD: tuple[tuple[type[facts.Fact], str, str], ...] = (
    (facts.CommitMade, "commit", "commits"),
    (facts.PipelineDone, "pipeline run", "pipeline runs"),
    (facts.RevisionApplied, "revision applied", "revisions applied"),
    (facts.DriftRepaired, "drift repaired", "drifts repaired"),
    (facts.ObjectChanged, "object write", "object writes"),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run went; true if what was waited for came to be.

    Attributes:
        reached: False when `until` did not hold within the timeout.
        seconds: Virtual seconds that passed.
        now: When it stopped, for people: `09:05:00`.
        told: What happened meanwhile, in one line.
    """

    reached: bool
    seconds: float
    now: str
    told: str

    def __bool__(self) -> bool:
        """Return True unless what was waited for did not happen."""
        return self.reached

    def __repr__(self) -> str:
        """Return one line for a notebook."""
        late = "" if self.reached else "; what was waited for did not happen"
        return f"{self.now} ({format_duration(self.seconds)} passed): {self.told}{late}"


def summarise(journal: Journal, since_entry: int) -> str:
    """Return what the journal gained from its entry number `since_entry` on, in one line."""
    counts: dict[type[facts.Fact], int] = {}
    warnings = 0
    for entry in journal.entries()[since_entry:]:
        kind = type(entry.fact)
        counts[kind] = counts.get(kind, 0) + 1
        if isinstance(entry.fact, facts.EventSeen) and entry.fact.type == "Warning":
            warnings += 1
    parts = [
        f"{counts[kind]} {one if counts[kind] == 1 else many}"
        for kind, one, many in _TOLD
        if counts.get(kind)
    ]
    if warnings:
        parts.append(f"{warnings} {'warning' if warnings == 1 else 'warnings'}")
    return ", ".join(parts) or "nothing happened"
