"""Field sets obey the laws of sets."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.field_sets import (
    LEAF,
    Tree,
    difference,
    in_order,
    interned,
    intersection,
    is_subset,
    members,
    recursive_difference,
    union,
)
from gitops_sim.apimachinery.path_elements import SELF

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])


def normal(tree: dict[str, Any]) -> Tree:
    return in_order({k: (LEAF if set(v) == {SELF} else v) for k, v in tree.items()})


def grown(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    def with_self(parts: tuple[Tree, bool]) -> Tree:
        tree, itself = parts
        return {SELF: LEAF, **tree} if itself and tree else tree

    below = st.tuples(inner, st.booleans()).map(with_self)
    return st.dictionaries(ELEMENTS, below, max_size=3).map(normal)


TREES = st.recursive(st.just(LEAF), grown, max_leaves=8)


def paths(tree: Tree) -> set[str]:
    return set(members(tree))


@given(one=TREES, other=TREES)
def test_equal_sets_are_interned_as_one(one: Tree, other: Tree) -> None:
    first, second = interned(one), interned(in_order(fresh_copy(other)))
    assert first == one
    assert (first is second) == (one == other)


@given(one=TREES, other=TREES)
def test_union_intersection_and_difference_are_those_of_sets(one: Tree, other: Tree) -> None:
    assert paths(union(one, other)) == paths(one) | paths(other)
    assert paths(intersection(one, other)) == paths(one) & paths(other)
    assert paths(difference(one, other)) == paths(one) - paths(other)
    assert is_subset(one, other) == (paths(one) <= paths(other))


@given(one=TREES, other=TREES)
def test_a_recursive_difference_takes_what_is_below_too(one: Tree, other: Tree) -> None:
    taken = paths(other)

    def is_below(path: str) -> bool:
        return any(path == top or path.startswith((f"{top}.", f"{top}[")) for top in taken)

    assert paths(recursive_difference(one, other)) == {p for p in paths(one) if not is_below(p)}


@given(one=TREES)
def test_nothing_new_returns_the_same_tree(one: Tree) -> None:
    assert union(one, one) is one
    assert union(one, LEAF) is one
    assert difference(one, LEAF) is one
