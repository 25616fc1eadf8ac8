"""When an applied revision became ready, for Kustomizations that do not wait for that themselves.

Flux looks at health only with `wait` or `healthChecks`. So that convergence can be measured
without them, the lab looks on after an apply without writing anything: once a second at first,
and the longer it takes, the more rarely, so that the moment is known to a tenth of the wait.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from gitops_sim.journal import Journal
from gitops_sim.journal.facts import ReadyRevision
from gitops_sim.protocols import Clock, JobHandle, Reader
from gitops_sim.pull.flux.waiting import Awaited, HealthTeller, assess_all
from gitops_sim.types import Revision

__all__ = ["Readiness"]

_SHORTEST, _LONGEST = 1.0, 60.0
"""Seconds between two looks."""


class Readiness:
    """Looks on until what was applied is current.

    Args:
        clock: Virtual time.
        journal: Is told.
        cluster: As facts name it.
        reader: Looks.
    """

    def __init__(self, clock: Clock, journal: Journal, cluster: str, reader: Reader) -> None:
        self._clock = clock
        self._journal = journal
        self._cluster = cluster
        self._reader = reader
        self._health = HealthTeller(journal, cluster)
        self._told: dict[str, str] = {}
        self._followed: dict[str, tuple[str, tuple[Awaited, ...]]] = {}
        self._jobs: dict[str, JobHandle] = {}

    def follow(self, agent: str, revision: str, awaited: Sequence[Awaited]) -> None:
        """Tell the journal when all these objects are current; at once, if they are.

        Nothing for a revision that was told already, or is looked at; another one of the same
        agent takes its place.
        """
        wanted = (revision, tuple(awaited))
        job = self._jobs.get(agent)
        is_looking = job is not None and job.alive and self._followed.get(agent) == wanted
        if is_looking or self._told.get(agent) == revision:
            return
        if job is not None:
            job.kill()
        self._followed[agent] = wanted
        if not self._is_ready(agent, *wanted):
            looking = self._look(agent, *wanted)
            self._jobs[agent] = self._clock.spawn(f"readiness of {agent}", looking)

    def _look(
        self, agent: str, revision: str, awaited: Sequence[Awaited]
    ) -> Generator[Any, Any, None]:
        pause, began = self._clock.signal(), self._clock.now()
        is_ready = False
        while not is_ready:
            elapsed = self._clock.now() - began
            yield pause.wait(min(max(elapsed / 10, _SHORTEST), _LONGEST))
            is_ready = self._is_ready(agent, revision, awaited)

    def _is_ready(self, agent: str, revision: str, awaited: Sequence[Awaited]) -> bool:
        states = assess_all(self._reader, awaited, self._clock.timestamp())
        for item, health in states:
            self._health.look(item.key, health)
        if not all(health.is_current for _, health in states):
            return False
        self._told[agent] = revision
        commit = Revision.parse(revision).commit
        self._journal.record(ReadyRevision(agent, self._cluster, revision, commit))
        return True
