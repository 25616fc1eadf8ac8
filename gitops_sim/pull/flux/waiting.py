"""Waiting until objects are what was asked for, as kstatus judges them.

Source: fluxcd/pkg ssa/manager_wait.go.
Differs: the error of an object that failed early stands beside those still in progress in the
order of the inventory; the real one's order is that of a map.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.delivery import Health, HealthStatus, assess_health
from gitops_sim.errors import NotFoundError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import HealthChanged
from gitops_sim.protocols import Clock, Reader
from gitops_sim.types import Manifest, ResourceKey, Step

__all__ = ["Awaited", "HealthTeller", "Patience", "assess_all", "wait_for"]


@dataclass(frozen=True, slots=True)
class Awaited:
    """An object to wait for: its exact kind, its key, and whether its absence means it is done."""

    kind: str
    key: ResourceKey
    done_when_gone: bool = False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and how often to look, in seconds; `subject` is on whose behalf."""

    timeout: float
    interval: float
    subject: str


class HealthTeller:
    """Tells the journal when an object's health is another than at the last look.

    Args:
        journal: Is told.
        cluster: As facts name it.
    """

    def __init__(self, journal: Journal, cluster: str) -> None:
        self._journal = journal
        self._cluster = cluster
        self._last: dict[ResourceKey, HealthStatus] = {}

    def look(self, key: ResourceKey, health: Health) -> None:
        """Note how an object is now."""
        if self._last.get(key) is not health.status:
            self._last[key] = health.status
            fact = HealthChanged(self._cluster, str(key), str(health.status), health.reason)
            self._journal.record(fact)


def assess_all(
    reader: Reader, awaited: Sequence[Awaited], now: str
) -> list[tuple[Awaited, Health]]:
    """Return the health of each object, in order; one whose kind is not served is not found."""
    return [(item, _assess(reader, item, now)) for item in awaited]


def wait_for(
    reader: Reader,
    clock: Clock,
    awaited: Sequence[Awaited],
    patience: Patience,
    teller: HealthTeller | None = None,
) -> Generator[Any, Any, str]:
    """Look until all are current, one has failed, or time is up.

    Returns:
        What went wrong, in Flux's words; empty when all are current.
    """
    deadline = clock.now() + patience.timeout
    while True:
        states = assess_all(reader, awaited, clock.timestamp())
        for item, health in states:
            if teller is not None:
                teller.look(item.key, health)
        waiting = [(item, health) for item, health in states if not health.is_current]
        if not waiting:
            return ""
        late = clock.now() >= deadline
        if late or any(health.status is HealthStatus.FAILED for _, health in waiting):
            words = "timeout waiting for" if late else "failed early due to stalled resources"
            named = ", ".join(f"{item.key} status: '{health.status}'" for item, health in waiting)
            return f"{words}: [{named}]"
        pause = min(patience.interval, deadline - clock.now())
        yield Step("wait for health", pause, patience.subject)


def _assess(reader: Reader, item: Awaited, now: str) -> Health:
    manifest: Manifest | None
    try:
        manifest = reader.get(item.kind, item.key.name, item.key.namespace or None)
    except NotFoundError:
        if item.done_when_gone:
            return Health(HealthStatus.CURRENT, "", "Resource was removed after it was done")
        manifest = None
    return assess_health(manifest, now=now)
