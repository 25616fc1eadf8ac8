"""The quality gate of exercises: does each of them judge rightly?

For every seed a lab is made by the exercise's own set-up, an answer is given by one of its scripts,
and the check must say: starter, no; reference and alternatives, yes; each named wrong answer, no,
with its own message. What a script returns is what a learner would hand in. Teachers run it by
`gitops-sim check`, the tests run it on three seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from gitops_sim.errors import SpecError
from gitops_sim.exercises.catalogue import Exercise
from gitops_sim.exercises.results import CheckResult

__all__ = ["SEEDS", "problems", "script"]

SEEDS = (1, 2, 3)


class _Checked(Protocol):
    def check(self, name: str, *, answer: Any = None) -> CheckResult:
        """Judge an exercise on this lab."""


def problems(exercise: Exercise, *, seeds: Sequence[int] = SEEDS) -> Iterator[str]:
    """Yield what is wrong with an exercise, one line each; nothing for a good one.

    Raises:
        SpecError: One of its scripts does not define its function.
    """
    for seed in seeds:
        told = f"{exercise.name}, seed {seed}"
        yield from _unanswered(exercise, seed, told)
        for name in (exercise.solution, *exercise.alternatives):
            result = _answered(exercise, name, seed)
            if not result.passed:
                yield f"{told}: {name} does not pass: {result.found}"
        for wrong in exercise.wrong.values():
            result = _answered(exercise, wrong.example, seed)
            if result.passed:
                yield f"{told}: {wrong.example} passes"
            elif result.message != wrong.message:
                other = result.message.partition("\n")[0] or "no message"
                yield f"{told}: {wrong.example} is told another message: {other}"


def _unanswered(exercise: Exercise, seed: int, told: str) -> Iterator[str]:
    result = _answered(exercise, exercise.starter, seed)
    if result.passed:
        yield f"{told}: {exercise.starter} passes"
    if result.message:
        yield f"{told}: {exercise.starter} is taken for a wrong answer: {result.message}"
    if not (result.expected and result.found and result.look_here):
        yield f"{told}: {exercise.starter} is not told what to expect, and where to look"


def _answered(exercise: Exercise, name: str, seed: int) -> CheckResult:
    lab: _Checked = script(exercise.folder / exercise.setup, "setup")(seed)
    given = script(exercise.folder / name, "answer")(lab)
    return lab.check(exercise.name, answer=given)


def script(file: Path, function: str) -> Callable[..., Any]:
    """Return a function that a script of a lab defines.

    Raises:
        SpecError: It does not define it.
    """
    names: dict[str, Any] = {"__name__": file.stem}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)  # noqa: S102 - our own
    found = names.get(function)
    if not callable(found):
        raise SpecError(str(file), 0, f"it defines no function {function}", "write it")
    return found  # type: ignore[no-any-return]
