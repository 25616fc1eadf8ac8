"""Durations as people and Go write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.clock import format_duration, parse_duration
from gitops_sim.errors import DurationError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("10m", 600),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("1d", 86400),
        ("0", 0),
        (".5s", 0.5),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10 parsecs", "no duration"),
        ("10parsecs", "no duration"),
        (10, "bare number"),
        ("10", "no unit"),
        ("-5s", "negative"),
        ("", "no duration"),
        ("5s5", "no duration"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_next_step(text: Any, said: str) -> None:
    with pytest.raises(DurationError, match=said) as caught:
        parse_duration(text)
    assert "90s" in caught.value.next_step


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5400, "1h30m0s"),
        (90, "1m30s"),
        (1.5, "1.5s"),
        (0.25, "250ms"),
        (0, "0s"),
        (0.0000015, "2µs"),
        (86400, "24h0m0s"),
    ],
)
def test_durations_are_written_as_go_writes_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=10**12))
def test_what_is_written_is_read_back(micros: int) -> None:
    assert round(parse_duration(format_duration(micros / 1e6)) * 1e6) == micros
