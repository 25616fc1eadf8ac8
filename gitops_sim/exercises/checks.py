"""`lab.check("E00.1")`: judge one exercise on a lab, remember it, and help.

A check only looks. It never raises at a learner: a lab that lacks what the check looks for gives a
result that says so. What a learner has done is kept here, beside the lab's history and not in it,
so that asking changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import Any

from gitops_sim.errors import ApiError, GitOpsSimError
from gitops_sim.exercises import lesson_00, lesson_01, lesson_03
from gitops_sim.exercises.catalogue import Exercise, read_catalogue
from gitops_sim.exercises.course_files import course_root
from gitops_sim.exercises.results import CheckResult, Hint, Verdict
from gitops_sim.exercises.view import CheckFunction, LabView

__all__ = ["CHECKS", "Checks", "Progress", "installed_exercises"]

CHECKS: Mapping[str, CheckFunction] = {
    **lesson_00.CHECKS,
    **lesson_01.CHECKS,
    **lesson_03.CHECKS,
}
"""The judge of every exercise, by its name; one module a lesson."""


@dataclass(slots=True)
class Progress:
    """What a learner has done in one exercise.

    `attempts` counts checks up to the first that passed, `hints` how far the ladder was climbed,
    `passed_at` is the virtual second of the first pass.
    """

    attempts: int = 0
    hints: int = 0
    passed_at: float | None = None


@cache
def installed_exercises() -> Mapping[str, Exercise]:
    """Return the exercises of the installed course, read once."""
    return read_catalogue(course_root() / "labs")


class Checks:
    """The exercises of one lab.

    Attributes:
        progress: What was done so far, by exercise.

    Args:
        view: The lab to look at.
        exercises: By name; by default those of the installed course.
    """

    def __init__(self, view: LabView, *, exercises: Mapping[str, Exercise] | None = None) -> None:
        self.progress: dict[str, Progress] = {}
        self._view = view
        self._exercises = exercises

    def recorded(self) -> dict[str, dict[str, Any]]:
        """Return what was done so far as plain values, for the file of a saved lab."""
        return {name: asdict(done) for name, done in sorted(self.progress.items())}

    def restore(self, recorded: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over what `recorded` returned."""
        self.progress = {name: Progress(**done) for name, done in recorded.items()}

    def check(self, name: str, *, answer: Any = None) -> CheckResult:
        """Judge one exercise; the same lab and answer always give the same result.

        Args:
            name: Such as `E00.1`; another name gives a result that lists those there are.
            answer: The value or function that some exercises ask for. A function is tried out in
                small worlds of its own, never in the lab.
        """
        exercises = installed_exercises() if self._exercises is None else self._exercises
        name = str(name).strip().upper()
        exercise = exercises.get(name)
        if exercise is None:
            known = ", ".join(sorted(exercises))
            return CheckResult(name, "", passed=False, expected=f"one of {known}", found=name)
        verdict = self._judged(name, answer)
        progress = self.progress.setdefault(name, Progress())
        if progress.passed_at is None:
            progress.attempts += 1
            if verdict.passed:
                progress.passed_at = self._view.clock.now()
        wrong = exercise.wrong.get(verdict.mistake)
        return CheckResult(
            name,
            exercise.title,
            verdict.passed,
            verdict.expected,
            verdict.found,
            verdict.look_here,
            wrong.message if wrong else "",
            _next_hint=partial(self._next_hint, exercise),
        )

    def _judged(self, name: str, answer: Any) -> Verdict:
        try:
            return CHECKS[name](replace(self._view, answer=answer))
        except ApiError as error:
            return Verdict(
                passed=False,
                expected="the objects of this exercise in the cluster",
                found=str(error),
                look_here="did the cells above this one run?",
            )
        except GitOpsSimError as error:
            return Verdict(
                passed=False,
                expected="a lab that this exercise can be read from",
                found=str(error),
                look_here="did the cells above this one run?",
            )
        except Exception as error:  # whatever is in a lab: no learner is shown a stack of frames
            return Verdict(
                passed=False,
                expected="a lab that this exercise can be read from",
                found=f"the check cannot read it: {type(error).__name__}: {error}",
                look_here="what is in the repository and in the cluster, and was not there before?",
            )

    def _next_hint(self, exercise: Exercise) -> Hint:
        progress = self.progress.setdefault(exercise.name, Progress())
        progress.hints = min(progress.hints + 1, len(exercise.hints))
        text = exercise.hints[progress.hints - 1]
        return Hint(exercise.name, progress.hints, len(exercise.hints), text)
