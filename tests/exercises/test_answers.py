"""Functions that learners hand in: called, counted in lines, told about without a stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_sim.errors import ConflictError, LabError
from gitops_sim.exercises.answers import called, lines_of


def fails(values: dict[str, int]) -> int:
    """Fail in the third line of the function."""
    return values["missing"]


def waits() -> Iterator[int]:
    yield 1
    yield 1 // 0


def test_failure_is_told_by_its_line_and_not_by_a_stack() -> None:
    with pytest.raises(LabError) as told:
        called(fails, {})
    assert told.value.problem == "`fails` failed in line 3 of it: KeyError: 'missing'"
    assert told.value.next_step


def test_failure_of_a_generator_is_told_of_its_function() -> None:
    job = waits()
    assert called(next, job, within=waits) == 1
    with pytest.raises(LabError, match=r"`waits` failed in line 3 of it: ZeroDivisionError"):
        called(next, job, within=waits)


def test_refusal_of_the_lab_passes_through() -> None:
    def refused() -> None:
        raise ConflictError("taken")

    with pytest.raises(ConflictError):
        called(refused)


def test_failure_without_lines_of_its_own_is_told_too() -> None:
    with pytest.raises(LabError, match="`int` failed: ValueError"):
        called(int, "x")


def test_lines_that_do_nothing_are_not_counted() -> None:
    def counted(values: list[int]) -> int:
        """Neither this docstring.

        Nor its lines.
        """
        # nor a comment

        total = 0
        for value in values:
            total += value
        return total

    assert lines_of(counted) == 5
    assert lines_of(len) == 0
