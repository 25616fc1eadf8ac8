"""Copies share nothing."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery import copying
from gitops_sim.apimachinery.copying import fresh_copy

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_a_copy_is_equal(value: object) -> None:
    assert fresh_copy(value) == value


def test_a_copy_shares_nothing_and_keeps_the_order() -> None:
    original = {"b": [{"x": 1}], "a": {}}
    copy = fresh_copy(original)
    copy["b"][0]["x"] = 2
    copy["a"]["y"] = 3
    assert original == {"b": [{"x": 1}], "a": {}}
    assert list(copy) == ["b", "a"]


def test_copies_are_made_without_orjson_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orjson", None)
    copying._round_trip.cache_clear()
    try:
        value = {"a": [1, {"b": None}]}
        copy = fresh_copy(value)
        assert copy == value
        assert copy["a"] is not value["a"]
    finally:
        copying._round_trip.cache_clear()


def test_integers_beyond_64_bits_survive() -> None:
    assert fresh_copy({"n": 2**70}) == {"n": 2**70}
