"""What users of a cluster saw: what `staging.users()` returns."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from gitops_sim.clock import VirtualClock, format_duration
from gitops_sim.errors import LabError
from gitops_sim.journal import Journal, Outage, UsersSeries, routes_of, users_series
from gitops_sim.viz import OutageSpan, Picture, RolloutSpan, UsersChart, UsersStep, draw_users

__all__ = ["OBJECTIVE", "UsersView", "find_route"]

OBJECTIVE = 0.99
"""Part of the requests that shall be answered; the rest is the error budget."""


class UsersView:
    """What users of one route saw: a picture in a notebook, text in a terminal.

    Args:
        series: What they saw.
        clock: Names moments.
        start: Where the picture begins, in seconds since the epoch.
        objective: Part of the requests that shall be answered, such as 0.99.
        rollouts: What was rolled out meanwhile, oldest first.
    """

    def __init__(
        self,
        series: UsersSeries,
        clock: VirtualClock,
        *,
        start: float,
        objective: float,
        rollouts: tuple[RolloutSpan, ...] = (),
    ) -> None:
        self.series = series
        self.rollouts = rollouts
        self._clock = clock
        self._start = start
        self._objective = objective

    @property
    def outages(self) -> list[Outage]:
        """When at least half of the requests failed, oldest first."""
        return self.series.outages()

    @cached_property
    def picture(self) -> Picture:
        """The drawing, with its words."""
        series, clock = self.series, self._clock
        steps = tuple(
            UsersStep(
                stretch.start,
                tuple(stretch.parts().items()),
                stretch.served.error_rate,
                stretch.served.latency,
                stretch.served.problem,
            )
            for stretch in series.stretches
        )
        texts = (clock.timestamp(self._start)[11:16], clock.timestamp(series.end)[11:16])
        chart = UsersChart(
            series.route,
            steps,
            tuple(series.budget(self._objective)),
            tuple(self._span(outage) for outage in self.outages),
            self._summary(),
            self._start,
            series.end,
            texts,
            self.rollouts,
        )
        return draw_users(chart)

    def _span(self, outage: Outage) -> OutageSpan:
        end = self.series.end if outage.end is None else outage.end
        lasted = format_duration(round(end - outage.start, 1))
        so_far = " so far" if outage.end is None else ""
        reason = f": {outage.problem}" if outage.problem else ""
        return OutageSpan(outage.start, end, f"outage {lasted}{so_far}{reason}")

    def _summary(self) -> str:
        series = self.series
        spent = 1.0 - series.budget(self._objective)[-1][1] if series.stretches else 0.0
        return (
            f"{series.availability:.2%} of {series.asked:,.0f} requests answered; "
            f"error budget of {100 * (1 - self._objective):.3g}% spent "
            + (f"to {spent:.0%}" if spent <= 1 else f"{spent:.1f} times")
        )

    def __str__(self) -> str:
        """Return what users saw as text."""
        return self.picture.words

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self.picture._repr_mimebundle_()


def find_route(journal: Journal, cluster: str, wanted: str, *, until: float) -> str:
    """Return the route that is meant.

    Args:
        journal: Knows which there are.
        cluster: Whose.
        wanted: A route, or the name of a Service or an Ingress; empty: the one on which most
            requests failed, of equal ones the first by name, Ingresses before Services.
        until: How far to look for failures, in seconds since the epoch.

    Raises:
        LabError: Users were never answered there.
    """
    known = routes_of(journal, cluster)
    if not known:
        raise LabError(f"users of {cluster} were never answered", "deploy a Service and run on")
    if not wanted:
        series = [users_series(journal, cluster, r, since=0.0, until=until) for r in known]
        return max(series, key=lambda seen: seen.failed).route
    named = [route for route in known if route.partition(" ")[0].rpartition("/")[2] == wanted]
    found = [route for route in known if route == wanted] or named
    if not found:
        raise LabError(
            f"users never got an answer on {wanted!r}", f"choose from: {', '.join(known)}"
        )
    return found[0]
