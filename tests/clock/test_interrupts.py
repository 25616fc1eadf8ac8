"""A person's interrupt waits until the clock is at rest, and is part of the history."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gitops_sim.clock import Door, VirtualClock, outside
from gitops_sim.errors import LabError
from gitops_sim.types import Step


@pytest.fixture(autouse=True)
def _as_in_a_cell() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


class Bench:
    """A façade on which work takes time; `presses` are called in the middle of its steps."""

    def __init__(self, presses: dict[int, Callable[[], None]] | None = None) -> None:
        self.clock = VirtualClock(5)
        self._door = Door(self.clock)
        self._address = "bench"
        self._presses = presses or {}
        self.made: list[Any] = []
        self._door.register("bench", self)
        self._door.register("clock", self.clock)
        self.clock.spawn("beside", self._beside())

    @property
    def door(self) -> Door:
        return self._door

    @outside
    def make(self, parts: int) -> None:
        running = self.clock.spawn("make", self._work(parts))
        try:
            self.clock.run_until(lambda: not running.alive, 60)
        finally:
            running.kill()

    @outside
    def put(self, name: str) -> None:
        self._press(-1)
        self.made.append(name)

    def run(self, until: float) -> None:
        with self._door.running():
            self.clock.run(until)

    def _work(self, parts: int) -> Iterator[Step]:
        for part in range(parts):
            self.made.append(f"begin {part}")
            self._press(part)
            self.made.append(f"end {part}")
            yield Step("make", 1.0, "")

    def _beside(self) -> Iterator[Step]:
        while True:
            yield Step("tick", 0.7, "")
            self.made.append(self.clock.now())
            self._press(int(1000 + self.clock.now()))

    def _press(self, place: int) -> None:
        self._presses.pop(place, lambda: None)()


def repeated(bench: Bench) -> Bench:
    again = Bench()
    again.door.replay(Door.from_jsonl(bench.door.to_jsonl()))
    return again


def test_interrupted_work_ends_between_two_events_and_is_repeated_so() -> None:
    bench = Bench({1: ctrl_c})
    with pytest.raises(KeyboardInterrupt):
        bench.make(5)
    assert bench.made[-2:] == ["begin 1", "end 1"]
    bench.put("after")
    bench.run(9.0)
    assert "begin 2" not in bench.made
    again = repeated(bench)
    assert again.made == bench.made
    assert again.door.to_jsonl() == bench.door.to_jsonl()
    assert again.clock.events == bench.clock.events


def test_work_without_time_is_done_before_the_interrupt_comes() -> None:
    bench = Bench({-1: ctrl_c})
    with pytest.raises(KeyboardInterrupt):
        bench.put("a")
    assert bench.made == ["a"]
    assert bench.door.log()[0].error == ""
    assert repeated(bench).made == ["a"]


def test_an_interrupted_run_is_repeated_as_far_as_it_came() -> None:
    bench = Bench({1002: ctrl_c})
    with pytest.raises(KeyboardInterrupt):
        bench.run(50.0)
    assert bench.clock.now() == pytest.approx(2.1)
    again = repeated(bench)
    assert (again.made, again.clock.now()) == (bench.made, bench.clock.now())
    bench.run(5.0)
    assert len(bench.made) == 7


def test_a_second_interrupt_comes_at_once_and_nothing_is_repeated_from_then_on() -> None:
    def twice() -> None:
        ctrl_c()
        ctrl_c()

    bench = Bench({0: twice, 1000: twice})
    bench.put("before")
    with pytest.raises(KeyboardInterrupt):
        bench.make(3)
    assert bench.made == ["before", "begin 0"]
    with pytest.raises(LabError, match=r"bench\.make\) was interrupted in the middle"):
        bench.door.log()
    with pytest.raises(LabError, match="what it did is not known"):
        repeated(bench)
    bench = Bench({1000: twice})
    with pytest.raises(KeyboardInterrupt):
        bench.run(3.0)
    with pytest.raises(LabError, match=r"clock\.advance\) was interrupted in the middle"):
        bench.door.log()


def test_an_interrupt_outside_of_any_work_comes_as_always() -> None:
    bench = Bench()
    bench.put("a")
    with pytest.raises(KeyboardInterrupt):
        ctrl_c()
    bench.make(1)
    assert [entry.method for entry in bench.door.log()] == ["put", "make"]


def test_who_handles_interrupts_otherwise_is_left_alone() -> None:
    told = []
    signal.signal(signal.SIGINT, lambda *_: told.append("mine"))
    bench = Bench({0: ctrl_c})
    bench.make(2)
    assert (told, bench.made[-1]) == (["mine"], 1.4)
