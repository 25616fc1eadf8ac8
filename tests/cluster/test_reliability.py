"""Whatever people do and whatever fails meanwhile: when all faults have ended, the cluster comes to
the state that it comes to without them, and keeps its promises on the way.

What a person does goes through two lists of faults, and once through none. The seed of a batch is
in its test's name: it draws the same schedules each time. One that fails is shrunk and printed, and
tried first from then on (`.hypothesis/reliability`); copied into `KEPT` it is tried everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import given, note, seed, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.cluster.schedules import FAULTS, PERSON, Move, Outcome, World

BATCH = 10
"""Examples of two schedules each."""
QUICK, ALL = 10, 50
"""Batches: 200 schedules, or 1,000."""
FAILED = DirectoryBasedExampleDatabase(".hypothesis/reliability")

KEPT: dict[str, tuple[list[Move], list[Move]]] = {
    "another took its name": (
        [],
        [
            Move(0, "api down", 0),
            Move(0, "somebody deletes", 0),
            Move(400, "drop watches", 0),
        ],
    ),
}
"""What a person did and what failed, when it once came to another state."""


def moves(kinds: tuple[str, ...], *, least: int) -> st.SearchStrategy[list[Move]]:
    moments = st.integers(0, 150) | st.sampled_from((400, 800))
    move = st.builds(Move, moments, st.sampled_from(kinds), st.integers(0, 99))
    return st.lists(move, min_size=least, max_size=6)


@lru_cache(maxsize=8)
def clean(person: tuple[Move, ...]) -> Outcome:
    return World().live(person)


def seeds() -> list[object]:
    return [pytest.param(n, marks=() if n < QUICK else pytest.mark.all) for n in range(ALL)]


@pytest.mark.parametrize("number", seeds(), ids="seed-{}".format)
def test_faults_leave_no_trace(number: int) -> None:
    @settings(max_examples=BATCH, derandomize=False, database=FAILED)  # `seed` forgets a database
    @seed(number)
    @given(moves(PERSON, least=0), moves(FAULTS, least=1), moves(FAULTS, least=1))
    def batch(person: list[Move], first: list[Move], second: list[Move]) -> None:
        note(f"seed {number}")
        undisturbed = clean(tuple(person))
        assert undisturbed.broken == []
        assert World().live((*person, *first)) == undisturbed
        assert World().live((*person, *second)) == undisturbed

    batch()


@pytest.mark.parametrize(("person", "faults"), KEPT.values(), ids=KEPT)
def test_what_failed_once_does_not_again(person: list[Move], faults: list[Move]) -> None:
    undisturbed = clean(tuple(person))
    assert undisturbed.broken == []
    assert World().live((*person, *faults)) == undisturbed
