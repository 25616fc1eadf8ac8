"""How fast an autoscaler may go: what was wanted lately, and how much it changed lately.

Without spec.behavior it takes the most that was wanted in five minutes, and at most doubles.
With it, each direction has a window in which the least (up) or the most (down) that was wanted
holds, and policies that say how much may change in a period.

Source: k8s.io/kubernetes, pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from gitops_sim.types import Manifest

__all__ = ["Memory", "Rates", "Said"]

_DOWN_WINDOW_SECONDS = 300.0
_LOWER = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
_HIGHER = (
    "ScaleDownStabilized",
    (
        "recent recommendations were higher than current one, applying the highest recent "
        "recommendation"
    ),
)
_SETTLED = ("ReadyForNewScale", "recommended size matches current size")
_WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
_TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
_TOO_FAST_UP = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
)
_TOO_FAST_DOWN = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)


class Said(NamedTuple):
    """A number of replicas, and the reason and message of the condition that tells of it."""

    replicas: int
    reason: str
    message: str


@dataclass(slots=True)
class Memory:
    """What one autoscaler did, as long as its controller lives.

    Attributes:
        recommended: When it wanted how many.
        changes: When it added how many (below zero: took away).
    """

    recommended: list[tuple[float, int]] = field(default_factory=list)
    changes: list[tuple[float, int]] = field(default_factory=list)


class Rates:
    """Holds what one look wants against what is allowed now.

    Args:
        spec: Of the autoscaler.
        memory: What it did so far; is written to.
        current: How many replicas there are.
        now: Seconds since the epoch.
    """

    def __init__(self, spec: Manifest, memory: Memory, current: int, now: float) -> None:
        self._least: int = spec.get("minReplicas", 1)
        self._most: int = spec["maxReplicas"]
        self._behavior: Mapping[str, Any] | None = spec.get("behavior")
        self._memory, self._current, self._now = memory, current, now

    def stabilized(self, wanted: int) -> Said:
        """Return what holds of what was wanted lately, and remember what is wanted now."""
        recommended = self._memory.recommended
        if self._behavior is None:
            lately = self._wanted_within(_DOWN_WINDOW_SECONDS)
            held = max([wanted, *lately])
        else:
            up = self._behavior["scaleUp"].get("stabilizationWindowSeconds") or 0
            down = self._behavior["scaleDown"].get(
                "stabilizationWindowSeconds", _DOWN_WINDOW_SECONDS
            )
            lowest = min([wanted, *self._wanted_within(up)])
            highest = max([wanted, *self._wanted_within(down)])
            held = min(max(self._current, lowest), highest)
        longest = 2 * 3600.0  # no window is longer than an hour
        recommended[:] = [entry for entry in recommended if entry[0] > self._now - longest]
        recommended.append((self._now, wanted))
        if held == wanted:
            return Said(held, *_SETTLED)
        if self._behavior is not None and wanted >= self._current:
            return Said(held, *_LOWER)
        return Said(held, *_HIGHER)

    def limited(self, wanted: int) -> Said:
        """Return what the bounds and the rates of change allow."""
        if self._behavior is None:
            fastest = max(2 * self._current, 4)
            if wanted < self._least:
                return Said(self._least, *_TOO_FEW)
            return self._below(wanted, fastest)
        if wanted > self._current:
            fastest = max(self._current, self._limit(self._behavior["scaleUp"], 1))
            return self._below(wanted, fastest)
        if wanted < self._current:
            slowest = min(self._current, self._limit(self._behavior["scaleDown"], -1))
            lowest = max(self._least, slowest)
            if wanted < lowest:
                return Said(lowest, *(_TOO_FAST_DOWN if self._least < slowest else _TOO_FEW))
        return Said(wanted, *_WITHIN)

    def _below(self, wanted: int, fastest: int) -> Said:
        highest = min(self._most, fastest)
        if wanted > highest:
            return Said(highest, *(_TOO_FAST_UP if self._most > fastest else _TOO_MANY))
        return Said(wanted, *_WITHIN)

    def _wanted_within(self, seconds: float) -> list[int]:
        since = self._now - seconds
        return [replicas for time, replicas in self._memory.recommended if time > since]

    def _limit(self, rules: Mapping[str, Any], sign: int) -> int:
        """Return how far the policies let it go: up with sign 1, down with -1."""
        if rules.get("selectPolicy") == "Disabled":
            return self._current
        away_from_begun = math.ceil if sign > 0 else math.floor
        limits: list[int] = []
        for policy in rules["policies"]:
            begun, value = self._at_start_of(policy), sign * policy["value"]
            if policy["type"] == "Pods":
                limits.append(begun + value)
            else:
                limits.append(away_from_begun(begun * (1 + Fraction(value, 100))))
        furthest = (max, min) if sign > 0 else (min, max)
        return furthest[rules.get("selectPolicy") == "Min"](limits)

    def _at_start_of(self, policy: Mapping[str, Any]) -> int:
        """Return how many replicas there were when the policy's period began."""
        since = self._now - policy["periodSeconds"]
        return self._current - sum(change for time, change in self._memory.changes if time > since)
