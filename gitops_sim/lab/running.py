"""What `lab.run` tells: when it stopped, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_sim.clock import format_duration
from gitops_sim.journal import Journal, facts

__all__ = ["Ran", "summarise"]

_TOLD: tuple[tuple[type[facts.Fact], str, str], ...] = (
    (facts.CommitMade, "commit", "commits"),
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


def summarise(journal: Journal, since_entry: int, *, last_told: int) -> str:
    """Return what the journal gained, in one line.

    Args:
        journal: What happened.
        since_entry: The number of the first entry of this run.
        last_told: The number of the first entry after the run before: a pipeline that fails at
            once, because its file is wrong, does so between two runs.
    """
    counts: dict[type[facts.Fact], int] = {}
    told = [entry.fact for entry in journal.after(since_entry)]
    for fact in told:
        counts[type(fact)] = counts.get(type(fact), 0) + 1
    parts = _pipelines([entry.fact for entry in journal.after(last_told)])
    parts += [
        f"{counts[kind]} {one if counts[kind] == 1 else many}"
        for kind, one, many in _TOLD
        if counts.get(kind)
    ]
    warnings = _standing(told)
    if warnings:
        reasons = ", ".join(sorted({warning.reason for warning in warnings}))
        many = "warning" if len(warnings) == 1 else "warnings"
        parts.append(f"{len(warnings)} {many} ({reasons})")
    return ", ".join(parts) or "nothing happened"


def _pipelines(told: Sequence[facts.Fact]) -> list[str]:
    runs = [fact for fact in told if isinstance(fact, facts.PipelineDone)]
    if not runs:
        return []
    failed = sum(run.status == "failure" for run in runs)
    many = "1 pipeline run" if len(runs) == 1 else f"{len(runs)} pipeline runs"
    return [f"{many} ({failed} failed)" if failed else many]


def _standing(told: Sequence[facts.Fact]) -> list[facts.EventSeen]:
    """Return the warnings that are not over: a pod that got ready since has nothing to warn of.

    Every healthy start has some: the first readiness probe comes before the program listens.
    """
    found: dict[tuple[str, str], list[facts.EventSeen]] = {}
    for fact in told:
        if isinstance(fact, facts.EventSeen) and fact.type == "Warning":
            found.setdefault((fact.cluster, fact.subject), []).append(fact)
        elif isinstance(fact, facts.ConditionChanged) and (fact.type, fact.status) == (
            "Ready",
            "True",
        ):
            found.pop((fact.cluster, fact.subject), None)
    return [warning for warnings in found.values() for warning in warnings]
