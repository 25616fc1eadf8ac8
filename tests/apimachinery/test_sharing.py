"""Sharing between versions, and taking over what differs."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.sharing import copy_sharing, owned, shared

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=10,
)


def same(one: Any, other: Any) -> bool:
    """Equal with equal types: true is not 1."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def containers(value: Any) -> list[Any]:
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return []
    return [value, *(found for member in inside for found in containers(member))]


@given(before=JSON, after=JSON)
def test_sharing_changes_no_value(before: Any, after: Any) -> None:
    untouched = fresh_copy(before)
    result = shared(before, fresh_copy(after))
    assert same(result, after)
    assert same(before, untouched)


@given(value=JSON)
def test_an_equal_value_is_the_old_one_itself(value: Any) -> None:
    assert shared(value, fresh_copy(value)) is value


def told_apart(value: Any, before: Any) -> Any:
    """Return a value with what is part of `before` replaced by where it stands there."""
    places = {id(container): index for index, container in enumerate(containers(before))}

    def told(part: Any) -> Any:
        if id(part) in places:
            return f"part {places[id(part)]}"
        if isinstance(part, dict):
            return {name: told(member) for name, member in part.items()}
        return list(map(told, part)) if isinstance(part, list) else (type(part), part)

    return told(value)


@given(before=JSON, after=JSON, mixed=st.booleans())
def test_a_sharing_copy_is_what_sharing_with_a_copy_gives(
    before: Any, after: Any, *, mixed: bool
) -> None:
    given = shared(before, fresh_copy(after)) if mixed else after
    untouched = fresh_copy(given)
    result = copy_sharing(before, given)
    expected = shared(before, fresh_copy(given))
    assert told_apart(result, before) == told_apart(expected, before)
    assert same(given, untouched)
    if not mixed:
        assert all(mine is not its for mine in containers(result) for its in containers(given))


def test_a_sharing_copy_takes_the_form_that_json_gives() -> None:
    odd = {"items": (1, 2), "far": float("inf"), "big": 1 << 70}
    assert copy_sharing({}, odd) == {"items": [1, 2], "far": None, "big": 1 << 70}


@given(before=JSON, after=JSON)
def test_what_is_owned_is_equal_and_differs_from_the_old_nowhere_but_where_shared(
    before: Any, after: Any
) -> None:
    mixed = shared(before, fresh_copy(after))
    mine = owned(before, mixed)
    assert same(mine, after)
    if mine is not before:
        for container in containers(mine)[:1]:
            assert all(container is not old for old in containers(before))


def test_a_part_moved_elsewhere_is_copied() -> None:
    part = {"deep": [1]}
    before = {"a": part, "b": None}
    mine = owned(before, {"a": part, "b": part})
    assert mine["a"] is part
    assert mine["b"] == part
    assert mine["b"] is not part
    assert mine["b"]["deep"] is not part["deep"]
