"""What users saw, over time: versions, errors, waiting, and outages with their length.

Computed from the `UsersServed` facts of one route. Between two facts nothing changes, so every
figure is a sum over stretches of time.

Source: Google, Site Reliability Engineering, "Embracing Risk" (error budgets).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_sim.journal.facts import UsersServed
from gitops_sim.journal.journal import Journal

__all__ = ["Outage", "Stretch", "UsersSeries", "routes_of", "users_series"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which users got the same; times in seconds since the epoch."""

    start: float
    end: float
    served: UsersServed

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.start

    @property
    def asked(self) -> float:
        """Requests that were sent."""
        return self.served.requests * self.seconds

    @property
    def failed(self) -> float:
        """Requests that failed."""
        return self.asked * self.served.error_rate

    def parts(self) -> dict[str, float]:
        """Return the part of all requests that each version answered, 0 to 1."""
        good = 1.0 - self.served.error_rate
        return {version: part * good for version, part in self.served.shares}


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which so many requests failed that it counts as one.

    Attributes:
        start: In seconds since the epoch.
        end: The same; None while it goes on.
        failed: Requests that failed in it.
        problem: The first that is known of its cause; empty: only some failed.
    """

    start: float
    end: float | None
    failed: float
    problem: str


@dataclass(frozen=True, slots=True)
class UsersSeries:
    """One route, from when users first got an answer until `end` (seconds since the epoch)."""

    route: str
    stretches: tuple[Stretch, ...]
    end: float

    @property
    def asked(self) -> float:
        """Requests that were sent."""
        return sum(stretch.asked for stretch in self.stretches)

    @property
    def failed(self) -> float:
        """Requests that failed."""
        return sum(stretch.failed for stretch in self.stretches)

    @property
    def availability(self) -> float:
        """Part of the requests that were answered, 0 to 1; 1 when there were none."""
        return 1.0 - self.failed / self.asked if self.asked else 1.0

    @property
    def versions(self) -> list[str]:
        """Versions that users saw, in the order in which they first did."""
        seen = {name: None for s in self.stretches for name, _ in s.served.shares}
        return list(seen)

    def outages(self, *, at_least: float = 0.5) -> list[Outage]:
        """Return the outages, oldest first.

        Args:
            at_least: The error rate from which on it is one, above 0 to 1.
        """
        found: list[Outage] = []
        for stretch in self.stretches:
            if stretch.served.error_rate < at_least:
                continue
            before = found[-1] if found and found[-1].end == stretch.start else None
            if before is not None:
                found.pop()
            start = stretch.start if before is None else before.start
            failed = stretch.failed + (0.0 if before is None else before.failed)
            problem = (before.problem if before else "") or stretch.served.problem
            found.append(Outage(start, stretch.end, failed, problem))
        if found and found[-1].end == self.end:
            last = found.pop()
            found.append(Outage(last.start, None, last.failed, last.problem))
        return found

    def budget(self, objective: float) -> list[tuple[float, float]]:
        """Return how much of the error budget was left at the end of each stretch.

        The budget is what may fail of all requests of the series; 1 is all of it, below 0 more
        than all was spent.

        Args:
            objective: Part of the requests that shall be answered, such as 0.99.
        """
        may_fail = self.asked * (1.0 - objective)
        left, found = 1.0, []
        if self.stretches:
            found.append((self.stretches[0].start, 1.0))
        for stretch in self.stretches:
            if may_fail:
                left -= stretch.failed / may_fail
            found.append((stretch.end, left))
        return found


def routes_of(journal: Journal, cluster: str) -> list[str]:
    """Return the routes on which users of a cluster ever got an answer: Ingresses first."""
    found = {fact.route for fact in journal.facts(UsersServed) if fact.cluster == cluster}
    return sorted(found)


def users_series(
    journal: Journal, cluster: str, route: str, *, since: float, until: float
) -> UsersSeries:
    """Return what users of a route saw from `since` to `until`, in seconds since the epoch."""
    told: list[tuple[float, UsersServed]] = [
        (max(entry.time, since), entry.fact)
        for entry in journal.entries(UsersServed, until=until)
        if isinstance(entry.fact, UsersServed)
        and entry.fact.cluster == cluster
        and entry.fact.route == route
    ]
    return UsersSeries(route, tuple(_stretches(told, until)), until)


def _stretches(told: Sequence[tuple[float, UsersServed]], until: float) -> list[Stretch]:
    ends = [*(time for time, _ in told), until][1:]
    return [
        Stretch(start, end, served)
        for (start, served), end in zip(told, ends, strict=True)
        if end > start
    ]
