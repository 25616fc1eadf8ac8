"""When to look again: intervals with jitter, so that a fleet does not knock all at once."""

from __future__ import annotations

from gitops_sim.protocols import RandomStream

__all__ = ["jittered"]


def jittered(interval: float, stream: RandomStream, share: float) -> float:
    """Return an interval (s) moved by up to `share` of itself, rounded to the millisecond.

    Source: fluxcd/pkg runtime/jitter/jitter.go: `d * (1 + p*(2r-1))`.
    """
    if share <= 0:
        return interval
    return round(interval * (1 + share * (2 * stream.random() - 1)), 3)
