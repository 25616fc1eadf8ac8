"""Two labs side by side: what a what-if changed, and from when on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gitops_sim.clock import VirtualClock
from gitops_sim.journal import (
    Journal,
    Parting,
    UsersSeries,
    first_difference,
    in_words,
    routes_of,
    users_series,
)
from gitops_sim.lab.comparison import Comparison
from gitops_sim.viz import Overlay, OverlayPanel, Picture, draw_overlay

__all__ = ["Branch", "WhatIf"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the histories: a cluster's comparison, and the journal of its lab."""

    name: str
    comparison: Comparison
    journal: Journal


class WhatIf:
    """One cluster in two labs: a picture in a notebook, text in a terminal.

    Args:
        cluster: Its name, in both.
        branches: The histories.
        clock: Names moments.
        start: Where the picture begins, in seconds since the epoch.
        end: Where it ends.
    """

    def __init__(
        self,
        cluster: str,
        branches: tuple[Branch, Branch],
        clock: VirtualClock,
        *,
        start: float,
        end: float,
    ) -> None:
        self._cluster = cluster
        self._branches = branches
        self._clock = clock
        self._start, self._end = start, end

    @cached_property
    def parting(self) -> Parting | None:
        """Where the histories part; None: they are the same."""
        one, two = self._branches
        return first_difference(one.journal, two.journal, until=self._end)

    @property
    def words(self) -> tuple[str, ...]:
        """The moment at which the histories part, and what comes next in each, a line each."""
        found = self.parting
        if found is None:
            return ("both histories are the same",)
        told = [f"the same until {self._clock.timestamp(found.time)[11:19]}; then"]
        for branch, entry in zip(self._branches, (found.here, found.there), strict=True):
            if entry is None:
                told.append(f"{branch.name}: nothing more")
            else:
                moment = self._clock.timestamp(entry.time)[11:19]
                told.append(f"{branch.name}: {moment} {in_words(entry.fact)}")
        return tuple(told)

    @cached_property
    def picture(self) -> Picture:
        """The drawing, with its words."""
        one, two = self._branches
        gaps = OverlayPanel("objects that differ", (_gap(one), _gap(two)))
        clock, span = self._clock, (self._start, self._end)
        overlay = Overlay(
            (one.name, two.name),
            (gaps, *(self._users(route) for route in self._routes())),
            None if self.parting is None else self.parting.time,
            self.words,
            *span,
            (clock.timestamp(self._start)[11:16], clock.timestamp(self._end)[11:16]),
        )
        return draw_overlay(overlay)

    def _routes(self) -> list[str]:
        """Return the route on which most requests failed in either, if users met any failure."""
        found = {r for branch in self._branches for r in routes_of(branch.journal, self._cluster)}
        failed = {
            route: sum(
                users_series(
                    branch.journal, self._cluster, route, since=self._start, until=self._end
                ).failed
                for branch in self._branches
            )
            for route in sorted(found)
        }
        worst = max(failed, key=lambda route: failed[route], default="")
        return [worst] if worst and failed[worst] else []

    def _users(self, route: str) -> OverlayPanel:
        both = [
            users_series(branch.journal, self._cluster, route, since=self._start, until=self._end)
            for branch in self._branches
        ]
        one, two = (_error_rates(series) for series in both)
        return OverlayPanel(f"failed for users of {route.partition(' ')[0]}", (one, two), " %")

    def __str__(self) -> str:
        """Return both histories as text."""
        return self.picture.words

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self.picture._repr_mimebundle_()


def _error_rates(series: UsersSeries) -> tuple[tuple[float, float], ...]:
    found: list[tuple[float, float]] = []
    for stretch in series.stretches:
        percent = round(100 * stretch.served.error_rate, 1)
        if not found or found[-1][1] != percent:
            found.append((stretch.start, percent))
    return tuple(found)


def _gap(branch: Branch) -> tuple[tuple[float, float], ...]:
    return tuple((time, float(count)) for time, count in branch.comparison.gap())
