"""What steps tell those after them, and what logs do not show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.push.contexts import parse_file_command
from gitops_sim.push.masking import Mask
from gitops_sim.push.pool import RunnerPool, Waiting


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("A=1\n\nB=x=y\n", {"A": "1", "B": "x=y"}),
        ("A=\n", {"A": ""}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("A<<END\none\n\ntwo\nEND\nB=3\n", {"A": "one\n\ntwo", "B": "3"}),
        ("A<<END\nEND\n", {"A": ""}),
    ],
)
def test_file_of_a_step_gives_names_and_values(text: str, values: dict[str, str]) -> None:
    assert parse_file_command(text) == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("just text\n", "Invalid format 'just text'"),
        ("A<<END\nnever closed\n", "Matching delimiter not found 'END'"),
    ],
)
def test_line_that_is_neither_is_refused_in_the_runners_words(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_file_command(text)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_]{1,8}", fullmatch=True),
        st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20),
        max_size=5,
    )
)
def test_what_was_written_is_read_back(values: dict[str, str]) -> None:
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    assert parse_file_command(text) == values


@given(st.lists(st.text("abc \n", min_size=1, max_size=6), max_size=4), st.text("abcx \n"))
def test_no_line_of_a_secret_is_left_in_a_text(secrets: list[str], text: str) -> None:
    shown = Mask(secrets).applied(text)
    for secret in secrets:
        for line in secret.splitlines():
            assert not line.strip() or line.strip() not in shown


@given(st.integers(1, 4), st.lists(st.sampled_from(["submit", "release"]), max_size=30))
def test_runners_are_never_shared_and_jobs_start_in_order(count: int, moves: list[str]) -> None:
    pool = RunnerPool(count)
    started: list[int] = []
    busy: list[str] = []

    def job(number: int) -> Waiting:
        def start(runner: str) -> None:
            assert runner not in busy
            busy.append(runner)
            started.append(number)

        return Waiting(start)

    for number, move in enumerate(moves):
        if move == "submit":
            pool.submit(job(number))
        elif busy:
            pool.release(busy.pop(0))
        assert len(busy) <= count
        assert not (pool.queued and pool.free)
    assert started == sorted(started)
