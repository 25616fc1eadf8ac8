"""What is known of equal contents."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery.contents import Known, content_of
from gitops_sim.apimachinery.copying import fresh_copy

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-2, 2) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=8,
)


@given(one=JSON, other=JSON)
def test_equal_values_in_equal_order_have_equal_contents(one: Any, other: Any) -> None:
    assert content_of(one) == content_of(fresh_copy(one))
    assert (content_of(one) == content_of(other)) == (repr(one) == repr(other))


def test_no_more_is_known_than_wanted_and_nothing_of_what_is_no_json() -> None:
    known: Known[str] = Known(2)
    for word in ("a", "b", "c"):
        assert known.keep(content_of(word), word) == word
    assert known.get(content_of("c")) == "c"
    assert known.get(content_of("a")) is None
    assert known.keep(content_of(object()), "odd") == "odd"
    assert known.get(content_of(object())) is None
