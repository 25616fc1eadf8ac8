"""Virtual time: order, parking, kills, accounts."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.clock import Account, VirtualClock, pace
from gitops_sim.clock.garbage import EVENTS_BETWEEN
from gitops_sim.errors import ConflictError, DurationError, LabError
from gitops_sim.types import Step


def test_run_includes_events_at_its_end() -> None:
    clock, seen = VirtualClock(), []
    clock.call_later(10, lambda: seen.append(clock.now()))
    clock.run(10)
    assert seen == [10.0]


def test_equal_times_run_in_schedule_order() -> None:
    clock, seen = VirtualClock(), []
    for name in "abc":
        clock.call_later(1, lambda name=name: seen.append(name))
    clock.run(1)
    assert seen == ["a", "b", "c"]


def test_shuffle_changes_equal_times_only() -> None:
    orders = set()
    for seed in range(8):
        clock, seen = VirtualClock(shuffle=seed), list[str]()
        for name in "abcd":
            clock.call_later(1, lambda name=name, seen=seen: seen.append(name))
        clock.call_later(2, lambda seen=seen: seen.append("last"))
        clock.run(2)
        assert seen[-1] == "last"
        orders.add(tuple(seen))
    assert len(orders) > 1


def test_cancelled_call_does_not_happen() -> None:
    clock, seen = VirtualClock(), list[int]()
    clock.call_later(1, lambda: seen.append(1)).cancel()
    clock.run(2)
    assert not seen


def test_signal_set_before_the_wait_is_remembered() -> None:
    clock, woken = VirtualClock(), list[float]()
    signal = clock.signal()
    signal.set()

    def job() -> Iterator[Any]:
        yield signal.wait()
        woken.append(clock.now())
        yield signal.wait(5)
        woken.append(clock.now())

    clock.spawn("job", job())
    clock.run(10)
    assert woken == [0.0, 5.0]


def test_parked_job_costs_no_events() -> None:
    clock = VirtualClock()
    signal = clock.signal()

    def job() -> Iterator[Any]:
        while True:
            yield signal.wait()

    clock.spawn("job", job())
    clock.run(1)
    before = clock.events
    clock.run(86400)
    assert clock.events == before


def test_signal_that_comes_after_a_wait_has_ended_does_not_cut_a_step_short() -> None:
    clock, done = VirtualClock(), list[float]()
    signal = clock.signal()

    def job() -> Iterator[Any]:
        yield signal.wait(1)
        yield Step("work", takes=10)
        done.append(clock.now())
        yield signal.wait(100)
        done.append(clock.now())

    clock.spawn("job", job())
    clock.call_later(5, signal.set)
    clock.run(200)
    assert done == [11.0, 11.0]


def test_killed_job_never_runs_again() -> None:
    clock, seen = VirtualClock(), list[float]()

    def job() -> Iterator[Any]:
        while True:
            yield Step("work", takes=1)
            seen.append(clock.now())

    handle = clock.spawn("job", job())
    clock.run(2)
    handle.kill()
    clock.run(5)
    assert seen == [1.0, 2.0]
    assert not handle.alive


def test_job_that_kills_itself_stops_at_its_next_yield() -> None:
    clock, seen, handles = VirtualClock(), list[str](), list[Any]()

    def job() -> Iterator[Any]:
        yield Step("first")
        handles[0].kill()
        seen.append("still here")
        yield Step("second")
        seen.append("never")

    handles.append(clock.spawn("job", job()))
    clock.run(1)
    assert seen == ["still here"]


def test_error_of_a_job_surfaces_with_its_type_and_arguments() -> None:
    clock = VirtualClock()

    def job() -> Iterator[Any]:
        yield Step("work", takes=1)
        raise ConflictError("changed", {"name": "web"})

    clock.spawn("job", job())
    with pytest.raises(ConflictError, match="changed") as caught:
        clock.run(2)
    assert caught.value.details == {"name": "web"}


def test_clock_goes_on_after_an_error() -> None:
    clock, seen = VirtualClock(), list[int]()

    def job() -> Iterator[Any]:
        yield Step("work")
        raise LabError("broken")

    clock.spawn("job", job())
    clock.call_later(1, lambda: seen.append(1))
    with pytest.raises(LabError):
        clock.run(2)
    clock.run(2)
    assert seen == [1]


def test_yielding_something_else_names_the_job() -> None:
    clock = VirtualClock()

    def job() -> Iterator[Any]:
        yield 5

    clock.spawn("counter", job())
    with pytest.raises(LabError, match="job 'counter' yielded 5"):
        clock.run(1)


def test_what_an_account_owes_is_charged_at_the_next_yield() -> None:
    clock = VirtualClock()
    account = Account(clock, "client", latency=0.5)
    seen = list[float]()

    def job() -> Iterator[Any]:
        account.charge(4)
        yield Step("work", takes=1)
        seen.append(clock.now())

    clock.spawn("job", job(), account=account)
    clock.run(10)
    assert seen == [3.0]
    assert account.requests == 4


def test_rate_limit_bites_after_the_burst() -> None:
    clock = VirtualClock()
    account = Account(clock, "client", qps=5, burst=10)
    account.charge(10)
    assert account.take() == 0
    account.charge(5)
    assert account.take() == pytest.approx(1.0)


def test_tokens_come_back_with_time() -> None:
    clock = VirtualClock()
    account = Account(clock, "client", qps=5, burst=10)
    account.charge(10)
    clock.run(2)
    account.charge(10)
    assert account.take() == 0


def test_steps_are_told_with_what_they_cost() -> None:
    clock, told = VirtualClock(), list[Any]()
    clock.on_step.append(lambda *what: told.append(what))

    def job() -> Iterator[Any]:
        yield Step("render", takes=2, subject="Kustomization/apps")

    clock.spawn("job", job())
    clock.run(5)
    assert told == [("job", Step("render", 2, "Kustomization/apps"), 0.0, 0.0)]


def test_run_until_stops_at_the_event_that_makes_it_true() -> None:
    clock, seen = VirtualClock(), list[int]()
    clock.call_later(3, lambda: seen.append(1))
    clock.call_later(5, lambda: seen.append(2))
    assert clock.run_until(lambda: bool(seen), timeout=10)
    assert clock.now() == 3
    assert not clock.run_until(lambda: len(seen) > 2, timeout=10)
    assert clock.now() == 13


def test_time_does_not_run_back() -> None:
    clock = VirtualClock()
    clock.run(10)
    with pytest.raises(LabError, match="is past"):
        clock.run(5)


def test_streams_do_not_depend_on_each_other() -> None:
    one, two = VirtualClock(7), VirtualClock(7)
    two.random("newcomer").random()
    assert one.random("pods").random() == two.random("pods").random()
    assert one.uid("pods") == two.uid("pods")
    assert VirtualClock(8).uid("pods") != VirtualClock(7).uid("pods")


def test_moments_are_read() -> None:
    clock = VirtualClock()
    clock.run(7200)
    assert clock.timestamp() == "2026-01-05T11:00:00Z"
    assert clock.timestamp_micro(1.5) == "2026-01-05T09:00:01.500000Z"
    assert clock.parse_time("10:32") == 92 * 60
    assert clock.parse_time("+90s") == 90
    assert clock.parse_time("2026-01-05T10:32:00Z") == 92 * 60
    assert clock.parse_time("11:30") == 2.5 * 3600 - 86400
    with pytest.raises(LabError, match="no moment"):
        clock.parse_time("tea time")
    with pytest.raises(DurationError):
        clock.parse_time("+tea")


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=30))
def test_time_never_runs_back_between_events(delays: list[float]) -> None:
    clock, seen = VirtualClock(), list[float]()
    for delay in delays:
        clock.call_later(delay, lambda: seen.append(clock.now()))
    clock.run(100)
    assert seen == sorted(seen)
    assert len(seen) == len(delays)


def test_pacing_gives_the_same_history_beside_a_wall_clock() -> None:
    clock, seen = VirtualClock(), list[float]()
    wall = [100.0]

    def sleep(seconds: float) -> None:
        wall[0] += seconds

    for at in (1, 30, 59.5):
        clock.call_later(at, lambda: seen.append(clock.now()))
    pace(clock, 60, speed=60, wall=lambda: wall[0], sleep=sleep)
    assert seen == [1, 30, 59.5]
    assert clock.now() == 60
    assert wall[0] - 100 == pytest.approx(1.0, abs=0.06)


def test_pacing_catches_up_when_work_is_slow() -> None:
    clock, wall = VirtualClock(), [0.0]

    def slow() -> None:
        wall[0] += 5.0

    clock.call_later(1, slow)
    pace(clock, 10, speed=1, wall=lambda: wall[0], sleep=lambda s: wall.__setitem__(0, wall[0] + s))
    assert wall[0] == pytest.approx(10, abs=0.1)


def test_pacing_without_speed_is_refused() -> None:
    with pytest.raises(LabError, match="speed of 0"):
        pace(VirtualClock(), 1, speed=0, wall=lambda: 0.0, sleep=lambda _: None)


def test_garbage_of_a_long_run_is_collected_meanwhile() -> None:
    class Knot:
        def __init__(self) -> None:
            self.itself = self

    clock, born = VirtualClock(), list[weakref.ref[Knot]]()

    def job() -> Iterator[Any]:
        for _ in range(3 * EVENTS_BETWEEN):
            born.append(weakref.ref(Knot()))
            yield Step("tie", takes=1)

    clock.spawn("job", job())
    clock.call_later(2.5 * EVENTS_BETWEEN, lambda: found.append(born[0]() is None))
    found: list[bool] = []
    clock.run(3 * EVENTS_BETWEEN)
    assert found == [True]


@pytest.mark.parametrize("was_on", [True, False])
def test_a_run_leaves_the_garbage_collector_as_it_was(*, was_on: bool) -> None:
    clock, seen = VirtualClock(), list[bool]()
    clock.call_later(1, lambda: seen.append(gc.isenabled()))
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        clock.run(2)
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
    assert seen == [False]
