"""What users saw, on histories that one can check by eye."""

from __future__ import annotations

import pytest

from gitops_sim.clock import VirtualClock
from gitops_sim.journal import Journal, UsersSeries, routes_of, users_series
from gitops_sim.journal.facts import UsersServed

ROUTE = "Service/shop/web"


def told(*steps: tuple[float, float, str], route: str = ROUTE) -> Journal:
    """Return a journal of (time, error rate, version); a hundred requests a second."""
    clock = VirtualClock(seed=1)
    journal = Journal(clock)
    for time, errors, version in steps:
        if time > clock.now():
            clock.run(time)
        shares = ((version, 1.0),) if version else ()
        problem = "" if version else "no endpoints are ready"
        journal.record(UsersServed("dev", route, shares, errors, problem, 0.02, 100.0))
    return journal


def seen(journal: Journal, *, since: float = 0.0, until: float) -> UsersSeries:
    return users_series(journal, "dev", ROUTE, since=since, until=until)


HISTORY = ((10.0, 0.0, "1"), (60.0, 1.0, ""), (90.0, 0.5, "2"), (100.0, 0.0, "2"))


def test_requests_are_counted_over_the_time_in_which_they_came() -> None:
    series = seen(told(*HISTORY), until=110)
    assert series.asked == 100 * 100
    assert series.failed == 100 * 30 + 50 * 10
    assert series.availability == pytest.approx(0.65)
    assert series.versions == ["1", "2"]


def test_an_outage_has_start_length_and_cause() -> None:
    (outage,) = seen(told(*HISTORY), until=110).outages()
    assert (outage.start, outage.end, outage.failed) == (60, 100, 3500)
    assert outage.problem == "no endpoints are ready"
    (strict,) = seen(told(*HISTORY), until=110).outages(at_least=0.9)
    assert (strict.start, strict.end) == (60, 90)


def test_an_outage_that_goes_on_has_no_end() -> None:
    (outage,) = seen(told(*HISTORY), until=70).outages()
    assert (outage.start, outage.end, outage.failed) == (60, None, 1000)


def test_a_later_beginning_cuts_what_was_before() -> None:
    series = seen(told(*HISTORY), since=80, until=110)
    assert [stretch.start for stretch in series.stretches] == [80, 90, 100]
    assert series.failed == 100 * 10 + 50 * 10


def test_the_budget_falls_while_requests_fail() -> None:
    series = seen(told(*HISTORY), until=110)
    budget = series.budget(0.3)  # 7,000 of 10,000 may fail
    assert budget == [
        (10, 1.0),
        (60, 1.0),
        (90, pytest.approx(1 - 3000 / 7000)),
        (100, 0.5),
        (110, 0.5),
    ]
    assert series.budget(0.99)[-1][1] == pytest.approx(1 - 35)


def test_nobody_who_asks_loses_nothing() -> None:
    series = seen(told(), until=50)
    assert (series.availability, series.outages(), series.budget(0.99)) == (1.0, [], [])


def test_routes_are_those_of_one_cluster() -> None:
    journal = told(*HISTORY)
    assert routes_of(journal, "dev") == [ROUTE]
    assert routes_of(journal, "other") == []
