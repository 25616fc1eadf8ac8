"""Measures of delivery, computed from the journal alone.

Sources: DORA (deployment frequency, lead time for changes); drift exposure is the integral of the
number of drifted objects over time, in object-seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitops_sim.journal.facts import (
    BranchMoved,
    CommitMade,
    DriftFound,
    DriftRepaired,
    ReadyRevision,
    RevisionApplied,
)
from gitops_sim.journal.journal import Journal

__all__ = [
    "Delivered",
    "convergence",
    "deployment_frequency",
    "drift_exposure",
    "lead_times",
]


@dataclass(frozen=True, slots=True)
class Delivered:
    """How far a commit came with one agent; times are seconds since the epoch, None: not yet.

    `committed` is when it was made, `merged` when its branch first pointed to it, `applied` when
    the agent had applied it, `ready` when all its objects were healthy.
    """

    commit: str
    message: str
    agent: str
    committed: float
    merged: float | None = None
    applied: float | None = None
    ready: float | None = None

    @property
    def convergence(self) -> float | None:
        """Seconds from the moment it could be delivered until all its objects were healthy."""
        if self.ready is None:
            return None
        return self.ready - (self.committed if self.merged is None else self.merged)


def convergence(journal: Journal, *, branch: str = "main") -> list[Delivered]:
    """Return one entry per commit and agent that applied it, in order of commits.

    A commit that no agent applied has one entry with an empty agent.
    """
    made: dict[str, tuple[float, str]] = {}
    merged: dict[str, float] = {}
    for entry in journal.entries(CommitMade, BranchMoved):
        fact = entry.fact
        if isinstance(fact, CommitMade):
            made.setdefault(fact.commit, (entry.time, fact.message))
        elif isinstance(fact, BranchMoved) and fact.branch == branch:
            merged.setdefault(fact.new, entry.time)
    found: dict[tuple[str, str], Delivered] = {}
    for entry in journal.entries(RevisionApplied, ReadyRevision):
        fact = entry.fact
        if not isinstance(fact, RevisionApplied | ReadyRevision) or fact.commit not in made:
            continue
        time, message = made[fact.commit]
        key = (fact.commit, fact.agent)
        so_far = found.get(key) or Delivered(
            fact.commit, message, fact.agent, time, merged.get(fact.commit)
        )
        if isinstance(fact, RevisionApplied) and so_far.applied is None:
            so_far = replace(so_far, applied=entry.time)
        elif isinstance(fact, ReadyRevision) and so_far.ready is None:
            so_far = replace(so_far, ready=entry.time)
        found[key] = so_far
    order = {commit: index for index, commit in enumerate(made)}
    applied = {commit for commit, _ in found}
    alone = [
        Delivered(commit, message, "", time, merged.get(commit))
        for commit, (time, message) in made.items()
        if commit not in applied
    ]
    return sorted(
        [*found.values(), *alone], key=lambda delivered: (order[delivered.commit], delivered.agent)
    )


def drift_exposure(journal: Journal, *, until: float, cluster: str = "") -> float:
    """Return the object-seconds during which agents knew that objects had drifted.

    From `DriftFound` to `DriftRepaired` of the same object, or to `until` (seconds since the
    epoch). Differs: drift counts from when an agent sees it; the picture of the two lanes counts
    from when it arose, which needs the desired state beside the live one.
    """
    open_since: dict[tuple[str, str, str], float] = {}
    total = 0.0
    for entry in journal.entries(DriftFound, DriftRepaired, until=until):
        fact = entry.fact
        if not isinstance(fact, DriftFound | DriftRepaired):
            continue
        if cluster and fact.cluster != cluster:
            continue
        key = (fact.agent, fact.cluster, fact.subject)
        if isinstance(fact, DriftFound):
            open_since.setdefault(key, entry.time)
        elif key in open_since:
            total += entry.time - open_since.pop(key)
    return total + sum(until - since for since in open_since.values())


def deployment_frequency(journal: Journal, *, since: float, until: float) -> float:
    """Return how many revisions with changes were applied, per day of virtual time."""
    if until <= since:
        return 0.0
    applied = sum(
        1
        for entry in journal.entries(RevisionApplied, since=since, until=until)
        if isinstance(entry.fact, RevisionApplied)
        and entry.fact.created + entry.fact.configured + entry.fact.pruned
    )
    return applied / ((until - since) / 86400.0)


def lead_times(journal: Journal) -> list[float]:
    """Return, per commit and agent, the seconds from the commit until it was ready, in order."""
    return [
        delivered.ready - delivered.committed
        for delivered in convergence(journal)
        if delivered.ready is not None
    ]
