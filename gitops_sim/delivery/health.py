"""The health of an object as kstatus judges it, with kstatus' own words.

Every object passes the same questions first (deleted? generation seen? Reconciling? Stalled?),
then those of its kind, and in the end its condition `Ready`.

Source: fluxcd/cli-utils pkg/kstatus/status/{status,generic,core}.go; the Job rule is that of
fluxcd/pkg runtime/statusreaders/job.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gitops_sim.delivery import health_kinds
from gitops_sim.types import Manifest

__all__ = ["Health", "HealthStatus", "assess_health", "worst"]


class HealthStatus(StrEnum):
    """The six states of kstatus."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Health:
    """A judgement: the state, a CamelCase reason (empty when there is nothing to add), and text."""

    status: HealthStatus
    reason: str = ""
    message: str = ""

    @property
    def is_current(self) -> bool:
        """True when what was asked for is reached."""
        return self.status is HealthStatus.CURRENT


def assess_health(manifest: Manifest | None, *, now: str = "") -> Health:
    """Judge one object.

    Args:
        manifest: As read from the API; None when it is not there.
        now: The time, RFC 3339; without it an unschedulable Pod counts as young (in progress).

    Returns:
        `NotFound` for None, otherwise one of the other five.

    Example:
        >>> assess_health({"kind": "ConfigMap", "metadata": {"name": "settings"}}).status
        <HealthStatus.CURRENT: 'Current'>
    """
    if manifest is None:
        return Health(HealthStatus.NOT_FOUND, "NotFound", "Resource not found")
    generic = _generic(manifest)
    if generic is not None:
        return generic
    rule = health_kinds.rule_for(manifest)
    if rule is not None:
        state, reason, message = rule(manifest, now)
        return Health(HealthStatus(state), reason, message)
    return _by_ready_condition(manifest)


def worst(healths: Iterable[Health]) -> HealthStatus:
    """Return the state of several objects together, as Flux waits for them.

    Any `Failed` makes all failed, any `Unknown` unknown; all `Current` is current; else the
    whole is in progress. Nothing at all is current.

    Source: fluxcd/cli-utils pkg/kstatus/polling/aggregator.
    """
    states = {health.status for health in healths}
    for state in (HealthStatus.FAILED, HealthStatus.UNKNOWN):
        if state in states:
            return state
    return HealthStatus.CURRENT if states <= {HealthStatus.CURRENT} else HealthStatus.IN_PROGRESS


def _generic(manifest: Manifest) -> Health | None:
    metadata = manifest.get("metadata") or {}
    if metadata.get("deletionTimestamp"):
        message = "Resource scheduled for deletion"
        return Health(HealthStatus.TERMINATING, "", message)
    observed = (manifest.get("status") or {}).get("observedGeneration")
    generation = metadata.get("generation")
    if observed is not None and generation is not None and observed != generation:
        message = (
            f"{manifest.get('kind', '')} generation is {generation}, "
            f"but latest observed generation is {observed}"
        )
        return Health(HealthStatus.IN_PROGRESS, "LatestGenerationNotObserved", message)
    for kind, state in (
        ("Reconciling", HealthStatus.IN_PROGRESS),
        ("Stalled", HealthStatus.FAILED),
    ):
        condition = _condition(manifest, kind)
        if condition.get("status") == "True":
            return _from(condition, state)
    return None


def _by_ready_condition(manifest: Manifest) -> Health:
    condition = _condition(manifest, "Ready")
    if not condition:
        return Health(HealthStatus.CURRENT, "", "Resource is current")
    if condition.get("status") == "True":
        return Health(HealthStatus.CURRENT, "", "Resource is Ready")
    return _from(condition, HealthStatus.IN_PROGRESS)


def _from(condition: dict[str, Any], state: HealthStatus) -> Health:
    return Health(state, str(condition.get("reason", "")), str(condition.get("message", "")))


def _condition(manifest: Manifest, kind: str) -> dict[str, Any]:
    for condition in (manifest.get("status") or {}).get("conditions") or ():
        if isinstance(condition, dict) and condition.get("type") == kind:
            return condition
    return {}
