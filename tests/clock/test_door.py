"""The one door: outside inputs are logged and replayed, inner calls are not."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from gitops_sim.clock import Door, Input, VirtualClock, outside
from gitops_sim.errors import LabError, NotFoundError


def double(value: int) -> int:
    return value * 2


class Shelf:
    """A façade with state, for these tests."""

    def __init__(self, door: Door | None, address: str = "shelf") -> None:
        self._door = door
        self._address = address
        self.books: list[Any] = []
        if door is not None:
            door.register(address, self)

    @outside
    def put(self, book: Any, *, twice: bool = False) -> int:
        self.books.append(book)
        if twice:
            self.put(book)
        return len(self.books)

    @outside
    def take(self, name: str) -> None:
        raise NotFoundError(f"no {name}")

    @outside
    def compute(self, function: Any, value: int) -> None:
        self.books.append(function(value))


def new_lab() -> tuple[VirtualClock, Door, Shelf]:
    clock = VirtualClock(3)
    door = Door(clock)
    door.register("clock", clock)
    return clock, door, Shelf(door)


def test_outermost_calls_are_logged_and_inner_ones_are_not() -> None:
    _, door, shelf = new_lab()
    shelf.put("a", twice=True)
    assert [(i.address, i.method, i.args, i.kwargs) for i in door.inputs] == [
        ("shelf", "put", ["a"], {"twice": True})
    ]


def test_replay_on_a_new_lab_gives_the_same_state_and_log() -> None:
    clock, door, shelf = new_lab()
    clock.call_later(5, lambda: shelf.books.append("by the clock"))
    shelf.put({"b": b"\x00\xff", "t": (1, 2)})
    with door.running():
        clock.run(7)
    shelf.put(shelf)
    shelf.compute(double, 21)
    with pytest.raises(NotFoundError):
        shelf.take("c")
    log = door.to_jsonl()

    clock2, door2, shelf2 = new_lab()
    clock2.call_later(5, lambda: shelf2.books.append("by the clock"))
    door2.replay(Door.from_jsonl(log))
    assert door2.to_jsonl() == log
    assert shelf2.books[0]["b"] == b"\x00\xff"
    assert shelf2.books[1] == "by the clock"
    assert shelf2.books[2] is shelf2
    assert shelf2.books[3] == 42
    assert clock2.now() == 7


def test_run_until_a_predicate_is_replayed_by_its_events() -> None:
    clock, door, shelf = new_lab()
    clock.call_later(5, lambda: shelf.books.append("x"))
    with door.running():
        clock.run_until(lambda: bool(shelf.books), timeout=60)
    assert door.inputs[0].args == [1, 5.0]
    clock2, door2, shelf2 = new_lab()
    clock2.call_later(5, lambda: shelf2.books.append("x"))
    door2.replay(door.inputs)
    assert shelf2.books == ["x"]
    assert clock2.now() == 5


def test_run_that_was_refused_is_replayed_as_no_time() -> None:
    clock, door, _ = new_lab()
    with door.running():
        clock.run(5)
    with pytest.raises(LabError, match="is past"), door.running():
        clock.run(3)
    clock2, door2, _ = new_lab()
    door2.replay(door.inputs)
    assert clock2.now() == 5
    assert door2.to_jsonl() == door.to_jsonl()


def test_error_is_part_of_the_log_and_expected_again() -> None:
    _, door, shelf = new_lab()
    with pytest.raises(NotFoundError):
        shelf.take("c")
    assert door.inputs[0].error == "NotFoundError"
    _, door2, _ = new_lab()
    door2.replay(door.inputs)


def test_replay_that_does_not_raise_again_is_told() -> None:
    _, door, shelf = new_lab()
    shelf.put("a")
    rows = [json.loads(row) for row in door.to_jsonl().splitlines()]
    rows[0]["error"] = "NotFoundError"
    log = "\n".join(json.dumps(row) for row in rows).encode()
    _, door2, _ = new_lab()
    with pytest.raises(LabError, match="raised NotFoundError and now does not"):
        door2.replay(Door.from_jsonl(log))


def test_replay_that_goes_another_way_is_told() -> None:
    clock, door, shelf = new_lab()
    with door.running():
        clock.run(3)
    shelf.put("a")
    clock2, door2, _ = new_lab()
    clock2.call_later(1, lambda: None)
    with pytest.raises(LabError, match="went another way"):
        door2.replay(door.inputs)


def test_what_cannot_be_kept_is_refused_before_it_happens() -> None:
    _, door, shelf = new_lab()
    with pytest.raises(LabError, match="cannot be kept in the lab's log"):
        shelf.put(object())
    with pytest.raises(LabError, match="defined in a module"):
        shelf.compute(lambda value: value, 1)
    assert not shelf.books
    assert not door.inputs


def test_a_typing_mistake_is_made_again_by_a_replay() -> None:
    _, door, shelf = new_lab()
    with pytest.raises(TypeError):
        shelf.put("Dune", "too", "many")  # type: ignore[call-arg]
    shelf.put("Emma")
    _, door2, shelf2 = new_lab()
    door2.replay(Door.from_jsonl(door.to_jsonl()))
    assert shelf2.books == shelf.books == ["Emma"]


@pytest.mark.parametrize("mark", ["$bytes", "$object", "$function", "$plain"])
def test_a_value_that_looks_like_a_mark_comes_back_as_it_was(mark: str) -> None:
    _, door, shelf = new_lab()
    shelf.put({mark: {mark: "x"}})
    _, door2, shelf2 = new_lab()
    door2.replay(Door.from_jsonl(door.to_jsonl()))
    assert shelf2.books == shelf.books == [{mark: {mark: "x"}}]


@pytest.mark.parametrize("odd", [float("nan"), float("-inf"), {5: "five"}, [{"a": {1, 2}}]])
def test_what_json_cannot_hold_is_refused(odd: object) -> None:
    _, door, shelf = new_lab()
    with pytest.raises(LabError, match="cannot be kept"):
        shelf.put(odd)
    assert door.inputs == []


def test_a_value_that_contains_itself_is_refused() -> None:
    _, _, shelf = new_lab()
    loop: dict[str, object] = {}
    loop["again"] = loop
    with pytest.raises(LabError, match="contains itself"):
        shelf.put(loop)


def test_damaged_log_names_its_line() -> None:
    with pytest.raises(LabError, match="line 2"):
        Door.from_jsonl(
            b'{"seq":0,"time":0,"events":0,"address":"a","method":"m","args":[],"kwargs":{}}\n{]'
        )


def test_without_a_door_a_facade_just_works() -> None:
    shelf = Shelf(None)
    assert shelf.put("a") == 1


class Caller:
    """A façade that asks somebody outside of its lab."""

    def __init__(self, door: Door, outsider: Any) -> None:
        self._door, self._address = door, "caller"
        self._outsider = outsider
        self.answers: list[Any] = []
        door.register(self._address, self)

    @outside
    def call(self, *, repeats: bool = False) -> None:
        self.answers.append(self._door.ask(self._outsider, repeats=repeats))


def refuse() -> Any:
    raise AssertionError("a replay asks nobody outside")


def test_a_replay_gives_the_answers_that_came_from_outside() -> None:
    _, door, _ = new_lab()
    answers = iter(["first", "second"])
    caller = Caller(door, lambda: next(answers))
    caller.call()
    caller.call()
    _, door2, _ = new_lab()
    again = Caller(door2, refuse)
    door2.replay(Door.from_jsonl(door.to_jsonl()))
    assert again.answers == ["first", "second"]
    assert door2.to_jsonl() == door.to_jsonl()


def test_what_repeats_itself_is_asked_again_and_not_kept() -> None:
    _, door, _ = new_lab()
    Caller(door, lambda: "same").call(repeats=True)
    assert door.inputs[0].heard == []
    _, door2, _ = new_lab()
    again = Caller(door2, lambda: "same")
    door2.replay(door.inputs)
    assert again.answers == ["same"]


def test_others_come_in_while_somebody_outside_is_asked_and_a_replay_does_so_too() -> None:
    clock, door, shelf = new_lab()
    door.lock = threading.RLock()

    def outsider() -> str:
        other = threading.Thread(target=lambda: shelf.put("from another thread"))
        other.start()
        other.join(timeout=5)
        return f"{len(shelf.books)} books"

    caller = Caller(door, outsider)
    with door.lock:
        caller.call()
    clock.advance(0, 5.0)
    assert caller.answers == ["1 books"]
    assert [entry.method for entry in door.inputs] == ["call", "put"]
    _, door2, shelf2 = new_lab()
    again = Caller(door2, refuse)
    door2.replay(Door.from_jsonl(door.to_jsonl()))
    assert (again.answers, shelf2.books) == (["1 books"], ["from another thread"])
    assert door2.to_jsonl() == door.to_jsonl()


def test_who_is_asked_outside_of_any_input_is_simply_asked() -> None:
    _, door, _ = new_lab()
    assert door.ask(lambda: 7) == 7
    assert door.inputs == []


def test_a_log_calls_nothing_but_calls_from_outside() -> None:
    _, door, _ = new_lab()
    for method in ("__init__", "_door", "nothing"):
        with pytest.raises(LabError, match="is no call from outside"):
            door.replay([Input(0, 0.0, 0, "shelf", method, [], {})])


@pytest.mark.parametrize("changes", [{"time": 9.0}, {"events": 3}])
def test_a_replay_that_comes_to_another_moment_stops(changes: dict[str, Any]) -> None:
    _, door, shelf = new_lab()
    shelf.put("a")
    _, door2, shelf2 = new_lab()
    with pytest.raises(LabError, match="replay went another way before input 0"):
        door2.replay([replace(door.inputs[0], **changes)])
    assert shelf2.books == []


def test_a_log_from_elsewhere_runs_only_functions_of_named_modules() -> None:
    def log(function: str) -> list[Input]:
        return [Input(0, 0.0, 0, "shelf", "compute", [{"$function": function}, 1], {})]

    for function in ("os:system", "gitops_simulated:x", "json:dumps"):
        _, door, _ = new_lab()
        with pytest.raises(LabError, match="if you trust that file"):
            door.replay(log(function), functions_of=("gitops_sim",))
    for function in ("builtins:exec", "json:loads.__globals__.get", "os:path.os.getcwd"):
        _, door, _ = new_lab()
        with pytest.raises((LabError, AttributeError)):
            door.replay(log(function), functions_of=("gitops_sim", "builtins", "json", "os"))
    _, door, shelf = new_lab()
    door.replay(log("json:dumps"), functions_of=("json",))
    assert shelf.books == ["1"]
