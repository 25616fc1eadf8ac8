"""JSON and merge patches: the RFCs' examples, the server's refusals, and fuzz."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apimachinery.patches import json_patch, merge_patch
from gitops_sim.errors import ApiError, BadRequestError, InvalidError, TooLargeError


@pytest.mark.parametrize(
    ("doc", "patch", "after"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_rfc_7386_shows(doc: Any, patch: Any, after: Any) -> None:
    assert merge_patch(doc, patch) == after


@pytest.mark.parametrize(
    ("doc", "operations", "after"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": 1}], {"foo": "bar", "baz": 1}),
        ({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2, 3]}),
        ({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}], {"a": [1, 2]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        (
            {"a": {"x": 1}, "b": {}},
            [{"op": "move", "from": "/a/x", "path": "/b/y"}],
            {"a": {}, "b": {"y": 1}},
        ),
        (
            {"a": {"x": 1}},
            [{"op": "copy", "from": "/a", "path": "/b"}],
            {"a": {"x": 1}, "b": {"x": 1}},
        ),
        (
            {"a/b": 1, "m~n": 2},
            [{"op": "replace", "path": "/a~1b", "value": 3}, {"op": "remove", "path": "/m~0n"}],
            {"a/b": 3},
        ),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
        ({"a": 1}, [{"op": "replace", "path": "/new", "value": 2}], {"a": 1, "new": 2}),
    ],
)
def test_a_json_patch_does_what_rfc_6902_shows(doc: Any, operations: Any, after: Any) -> None:
    assert json_patch(doc, operations) == after


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/missing"},
        {"op": "add", "path": "/no/parent", "value": 1},
        {"op": "dance", "path": "/a"},
        {"op": "add", "path": "/list/9", "value": 1},
    ],
)
def test_what_cannot_be_done_is_one_and_the_same_refusal(operation: Any) -> None:
    with pytest.raises(InvalidError) as refused:
        json_patch({"a": 1, "list": []}, [operation])
    assert str(refused.value) == "the server rejected our request due to an error in our request"


def test_a_patch_that_is_no_list_or_too_long_is_refused() -> None:
    with pytest.raises(BadRequestError):
        json_patch({}, {"op": "add"})
    with pytest.raises(TooLargeError):
        json_patch({}, [{"op": "test", "path": "/a", "value": 1}] * 10_001)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["a", "0", "-"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "0", "a/b"]), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b"]), JSON)
PATHS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "a~1b"]), max_size=3).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])},
        optional={"path": PATHS, "from": PATHS, "value": JSON},
    ),
    max_size=4,
)


@given(doc=OBJECTS, operations=OPERATIONS)
def test_a_json_patch_never_changes_its_document(doc: Any, operations: Any) -> None:
    untouched = fresh_copy(doc)
    try:
        json_patch(doc, operations)
    except ApiError as refused:
        code = refused.code
        assert code in (400, 422)
    assert doc == untouched


@given(doc=OBJECTS, patch=OBJECTS)
def test_a_merge_patch_is_idempotent_and_never_changes_its_document(doc: Any, patch: Any) -> None:
    untouched = fresh_copy(doc)
    once = merge_patch(doc, patch)
    assert merge_patch(once, patch) == once
    assert doc == untouched


@given(doc=OBJECTS)
def test_an_empty_patch_returns_the_document_itself(doc: Any) -> None:
    assert merge_patch(doc, {}) is doc
    assert json_patch(doc, []) is doc


def test_copies_that_copy_each_other_are_refused_before_they_fill_the_memory() -> None:
    doc = {"a": ["x" * 1000]}
    double = [{"op": "copy", "from": "/a", "path": "/a/-"}]
    grown = json_patch(doc, double * 8)
    assert len(grown["a"]) == 9
    with pytest.raises(InvalidError, match="rejected our request"):
        json_patch(doc, double * 40)
