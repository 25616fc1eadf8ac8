"""The one door for outside inputs: everything that a person or a tool does to a lab, in order.

A lab is its seed and what came through this door. `save` writes that log; `load` and `fork` replay
it on a new lab, which then is the same to the byte. What happens inside (a controller that writes,
a pipeline that commits) is not logged: it happens again by itself. What somebody outside of the lab
answers meanwhile (a webhook) is kept with the input that was worked on.
"""

from __future__ import annotations

import functools
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from gitops_sim.clock.door_values import decoded, encoded, not_kept
from gitops_sim.clock.interrupts import Interrupts
from gitops_sim.clock.virtual import VirtualClock
from gitops_sim.errors import LabError

__all__ = ["Door", "Input", "outside"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Input:
    """One outside call.

    `time` is in virtual seconds, `events` how many events the clock had taken, `address` which
    object was called, `error` the class of the error it raised (and raises again on replay).
    `heard` is what was told from outside while it was worked on: the number of the question, how
    many inputs there were when the answer came, and the answer. `stopped` is after how many events
    of the clock a person interrupted it; -1: in the middle of one, so that it cannot be repeated.
    """

    seq: int
    time: float
    events: int
    address: str
    method: str
    args: list[Any]
    kwargs: dict[str, Any]
    error: str = ""
    heard: list[list[Any]] = field(default_factory=list)
    stopped: int | None = None


@dataclass(slots=True)
class _Work:
    """An input that is being worked on; `known` are answers that a replay has for it."""

    door: Door
    seq: int
    known: dict[int, list[Any]]
    interrupts: Interrupts
    asked: int = 0


_AT_WORK: ContextVar[tuple[_Work, ...]] = ContextVar("inputs at work", default=())
"""What the running thread works on: another one's inputs are none of its own."""


class _Addressed(Protocol):
    """A façade object: it knows its lab's door and the address under which replay finds it."""

    @property
    def _door(self) -> Door | None: ...

    @property
    def _address(self) -> str: ...


S = TypeVar("S", bound=_Addressed)


_OUTSIDE = "_is_outside"
"""Marks a method that a log may name."""


def outside(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Mark a method of a façade object as a call from outside: it goes through the door."""

    def through(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        door = self._door
        if door is None:
            return method(self, *args, **kwargs)
        # The lock first: another thread's input is not ours to be inside of.
        with door.lock:
            if door.is_inside:
                return method(self, *args, **kwargs)
            with door.enter(self._address, method.__name__, args, kwargs):
                return method(self, *args, **kwargs)

    functools.update_wrapper(through, method)
    through.__dict__[_OUTSIDE] = True
    return through


class Door:
    """The log of outside inputs of one lab, and the objects they reach.

    `lock` is held for one input; a lab that serves tools from threads puts a real lock there.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.inputs: list[Input] = []
        self.lock: AbstractContextManager[Any] = nullcontext()
        self._clock = clock
        self._to_replay: deque[Input] = deque()
        self._functions_of: Sequence[str] | None = None
        self._repeated: Input | None = None
        self._objects: dict[str, Any] = {}
        self._makers: dict[str, Callable[[], Any]] = {}

    @property
    def is_inside(self) -> bool:
        """True while an input is being worked on: what it calls is not an input itself."""
        return self._work() is not None

    def _work(self) -> _Work | None:
        return next((work for work in reversed(_AT_WORK.get()) if work.door is self), None)

    def register(self, address: str, target: Any) -> None:
        """Let replay find `target` under `address`; a later one with the same address wins."""
        self._objects[address] = target

    def register_maker(self, address: str, make: Callable[[], Any]) -> None:
        """Let replay make the target of an address that nobody registered, and register it.

        For what a lab has only while tools use it: a replay needs it, and no network.
        """
        self._makers[address] = make

    @contextmanager
    def enter(
        self, address: str, method: str, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Iterator[None]:
        """Log one input and hold the lock while it is worked on."""
        told = f"{address}.{method}"
        try:
            values = [encoded(arg, self._objects, told) for arg in args]
            named = {name: encoded(value, self._objects, told) for name, value in kwargs.items()}
        except RecursionError:
            raise not_kept(told, "what contains itself, or is nested too deep,") from None
        with self.lock:
            # Only under the lock is it certain which input this is, and when.
            entry = Input(
                len(self.inputs),
                self._clock.now(),
                self._clock.events,
                address,
                method,
                values,
                named,
            )
            with self._working(entry) as work:
                try:
                    yield
                except BaseException as error:  # a typing mistake too: a replay makes it again
                    stopped = self._stopped(work, error)
                    self._replace(entry, error=type(error).__name__, stopped=stopped)
                    raise

    @contextmanager
    def running(self) -> Iterator[None]:
        """Log that time passed: how many events the clock took, and when it stopped.

        So a run until a predicate holds repeats exactly, without the predicate.
        """
        with self.lock:
            before = self._clock.events
            now = self._clock.now()
            entry = Input(len(self.inputs), now, before, "clock", "advance", [0, 0.0], {})
            with self._working(entry) as work:
                try:
                    yield
                except KeyboardInterrupt:
                    if not work.interrupts.at_rest:
                        self._replace(entry, stopped=-1)
                    raise
                except BaseException as error:
                    if self._clock.events > before:  # else it was refused: nothing to do again
                        self._replace(entry, error=type(error).__name__)
                    raise
                finally:
                    self._replace(entry, args=[self._clock.events - before, self._clock.now()])

    @contextmanager
    def _working(self, entry: Input) -> Iterator[_Work]:
        repeated, self._repeated = self._repeated, None
        known: dict[int, list[Any]] = {}
        interrupts = Interrupts()
        if repeated is not None:
            entry = replace(entry, heard=list(repeated.heard))
            known = {heard[0]: heard for heard in repeated.heard}
            if repeated.stopped is not None:
                interrupts = Interrupts(repeated.stopped)
        self.inputs.append(entry)
        work = _Work(self, entry.seq, known, interrupts)
        token = _AT_WORK.set((*_AT_WORK.get(), work))
        outer, self._clock.interrupts = self._clock.interrupts, interrupts
        try:
            with interrupts.held_back():
                yield work
        finally:
            self._clock.interrupts = outer
            _AT_WORK.reset(token)

    def _stopped(self, work: _Work, error: BaseException) -> int | None:
        """Return what the log says of where a person interrupted an input."""
        if not isinstance(error, KeyboardInterrupt):
            return None
        return self._clock.events if work.interrupts.at_rest else -1

    def log(self) -> list[Input]:
        """Return all inputs, for somebody who means to do them again.

        Raises:
            LabError: One cannot be repeated.
        """
        for entry in self.inputs:
            _check_repeatable(entry)
        return self.inputs

    def ask(self, call: Callable[[], Any], *, repeats: bool = False) -> Any:
        """Ask somebody outside of the lab; nobody waits for the lock of the door meanwhile.

        A replay does not ask again: it has the answer, and does at the same place what else came
        in meanwhile.

        Args:
            call: Gives an answer of plain values, and raises nothing that a replay must see.
            repeats: It says the same again when asked again, so that its answer is not kept.
        """
        work = self._work()
        if work is None:
            with self.aside():
                return call()
        number, work.asked = work.asked, work.asked + 1
        known = work.known.get(number)
        if known is not None:
            self._replay_until(known[1])
            return call() if repeats else known[2]
        before = len(self.inputs)
        with self.aside():
            answer = call()
        if not repeats or len(self.inputs) > before:
            heard = [number, len(self.inputs), None if repeats else answer]
            entry = self.inputs[work.seq]
            self._replace(entry, heard=[*entry.heard, heard])
        return answer

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let go of the lock for a while, however often this thread holds it."""
        ours, self._clock.interrupts = self._clock.interrupts, Interrupts()
        release: Callable[[], None] | None = getattr(self.lock, "release", None)
        held = 0
        while release is not None:
            try:
                release()
            except RuntimeError:  # it is not ours, or no longer
                break
            held += 1
        try:
            yield
        finally:
            for _ in range(held):
                self.lock.__enter__()
            self._clock.interrupts = ours

    def replay(self, inputs: Sequence[Input], *, functions_of: Sequence[str] | None = None) -> None:
        """Do again what came through another lab's door, each at its own time.

        Args:
            inputs: Its log. Only methods that are marked as outside calls are called.
            functions_of: The packages and modules whose functions the log may name: a file that
                somebody else wrote must not run what it likes. None: any, for a log of our own.

        Raises:
            LabError: Something answers otherwise than it did: another version, or a bug.
        """
        self._functions_of = functions_of
        self._to_replay = deque(inputs)
        self._replay_until(len(inputs))

    def _replay_until(self, seq: int) -> None:
        """Replay the inputs before one; an input's own work is none of theirs."""
        token = _AT_WORK.set(())
        try:
            self._replay_before(seq)
        finally:
            _AT_WORK.reset(token)

    def _replay_before(self, seq: int) -> None:
        while self._to_replay and self._to_replay[0].seq < seq:
            entry = self._to_replay.popleft()
            here = (self._clock.now(), self._clock.events)
            if here != (entry.time, entry.events):
                raise LabError(
                    f"replay went another way before input {entry.seq} "
                    f"({entry.address}.{entry.method}): {here} is not "
                    f"{(entry.time, entry.events)}",
                    "load it with the version that saved it",
                )
            self._again(entry)

    def _again(self, entry: Input) -> None:
        _check_repeatable(entry)
        target = self._objects.get(entry.address)
        if target is None and entry.address in self._makers:
            target = self._objects[entry.address] = self._makers[entry.address]()
        if target is None:
            raise LabError(
                f"input {entry.seq}: nothing answers to {entry.address!r}",
                "load it with the version that saved it",
            )
        args = [decoded(arg, self._objects, self._functions_of) for arg in entry.args]
        kwargs = {
            name: decoded(value, self._objects, self._functions_of)
            for name, value in entry.kwargs.items()
        }
        raised = ""
        self._repeated = entry
        try:
            if entry.address == "clock":
                with self.running():
                    target.advance(*args)
            else:
                _outside_method(target, entry)(*args, **kwargs)
        except BaseException as error:
            raised = type(error).__name__
            if raised != entry.error:
                raise
        if raised != entry.error:
            raise LabError(
                f"input {entry.seq} ({entry.address}.{entry.method}) raised "
                f"{entry.error} and now does not",
                "load it with the version that saved it",
            )

    def _replace(self, entry: Input, **changes: Any) -> None:
        self.inputs[entry.seq] = replace(self.inputs[entry.seq], **changes)

    def to_jsonl(self) -> bytes:
        """Return the log, one JSON object a line."""
        rows = (json.dumps(asdict(entry), sort_keys=True) for entry in self.inputs)
        return "".join(f"{row}\n" for row in rows).encode()

    @staticmethod
    def from_jsonl(log: bytes) -> list[Input]:
        """Read what `to_jsonl` wrote.

        Raises:
            LabError: A line is none of ours.
        """
        inputs = []
        for number, row in enumerate(log.decode().splitlines(), 1):
            try:
                inputs.append(Input(**json.loads(row)))
            except (ValueError, TypeError) as error:
                raise LabError(
                    f"line {number} of the saved lab is damaged: {error}", "save it again"
                ) from None
        return inputs


def _check_repeatable(entry: Input) -> None:
    if entry.stopped == -1:
        raise LabError(
            f"input {entry.seq} ({entry.address}.{entry.method}) was interrupted in the middle: "
            "what it did is not known",
            "make a new lab, or branch off before that: lab.fork(at=...)",
        )


def _outside_method(target: Any, entry: Input) -> Callable[..., Any]:
    """Return the method that an input calls; LabError unless it is marked as an outside call."""
    method = getattr(target, entry.method, None)
    if not getattr(method, _OUTSIDE, False):
        raise LabError(
            f"input {entry.seq}: {entry.address}.{entry.method} is no call from outside",
            "load a file that this version of the lab has saved",
        )
    found: Callable[..., Any] = method  # type: ignore[assignment]
    return found
