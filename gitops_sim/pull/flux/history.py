"""`status.history` of a Kustomization: what was applied lately, newest first.

Source: fluxcd/pkg apis/meta/history.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gitops_sim.clock import format_duration

__all__ = ["Outcome", "with_outcome"]

_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass ended: digest of the manifests, RFC 3339 time, seconds, Ready reason, revision."""

    digest: str
    time: str
    seconds: float
    reason: str
    revision: str


def with_outcome(history: Sequence[dict[str, Any]], outcome: Outcome) -> list[dict[str, Any]]:
    """Return the history with a pass counted in: in its entry, or in a new one at the front."""
    key = (outcome.digest, outcome.reason)
    known = next((e for e in history if (e["digest"], e["lastReconciledStatus"]) == key), None)
    entry = {
        "digest": outcome.digest,
        "firstReconciled": known["firstReconciled"] if known else outcome.time,
        "lastReconciled": outcome.time,
        "lastReconciledDuration": format_duration(outcome.seconds),
        "lastReconciledStatus": outcome.reason,
        "metadata": {"revision": outcome.revision},
        "totalReconciliations": (known["totalReconciliations"] if known else 0) + 1,
    }
    return [entry, *(old for old in history if old is not known)][:_MOST]
