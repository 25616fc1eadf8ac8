"""Answers that are functions: called, counted in lines, and never shown with a stack of frames."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any

from gitops_sim.errors import GitOpsSimError, LabError

__all__ = ["Patience", "called", "lines_of", "name_of"]


class _GivenUp(BaseException):
    """Ends a function that would not end by itself; `except Exception` does not hold it up."""


class Patience:
    """Counts what a function asks for, and ends it when that is too much: it goes in circles.

    Args:
        most: How often it may ask in one turn.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked = 0

    def begin(self) -> None:
        """Begin a turn: nothing was asked in it."""
        self._asked = 0

    def ask(self) -> None:
        """Count a request; the one too many does not return, and `called` tells of it."""
        self._asked += 1
        if self._asked > self._most:
            raise _GivenUp(self._most)


def name_of(function: Callable[..., Any]) -> str:
    """Return how a function is called in messages."""
    return str(getattr(function, "__name__", "your function"))


def called(
    function: Callable[..., Any], *arguments: Any, within: Callable[..., Any] | None = None
) -> Any:
    """Return what a learner's function returns; refusals of the lab pass through.

    Args:
        function: What to call.
        *arguments: With what.
        within: The learner's function, where something that it made is called.

    Raises:
        LabError: It failed: with what, and in which of its lines; or it did not end, and its
            `Patience` or the one who waits ended it.
    """
    try:
        return function(*arguments)
    except GitOpsSimError:
        raise
    except (_GivenUp, KeyboardInterrupt) as stop:
        name = name_of(within or function)
        why = f"it asked {stop.args[0]} times" if stop.args else "it was stopped"
        raise LabError(f"`{name}` does not end: {why}", "what ends its loop?") from None
    except Exception as error:
        raise _told(within or function, error) from error


def _told(function: Callable[..., Any], error: Exception) -> LabError:
    """Return the failure in one sentence: lines are counted from the `def` line, which is 1."""
    code = getattr(function, "__code__", None)
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if code is not None and trace.tb_frame.f_code is code:
            line = trace.tb_lineno - code.co_firstlineno + 1
        trace = trace.tb_next
    place = f" in line {line} of it" if line else ""
    return LabError(
        f"`{name_of(function)}` failed{place}: {type(error).__name__}: {error}",
        "call it yourself with small arguments, and print them",
    )


def lines_of(function: Callable[..., Any]) -> int:
    """Return how many lines of a function do something: no blank lines, comments, docstring.

    A function without Python code counts as none.
    """
    code = getattr(function, "__code__", None)
    return len(_lines(code)) if isinstance(code, CodeType) else 0


def _lines(code: CodeType) -> set[int]:
    found = {line for _, _, line in code.co_lines() if line}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _lines(constant)
    return found
