"""Client-side apply: what the patch says, by kubectl's rules."""

from __future__ import annotations

import json

from gitops_sim.apimachinery.last_applied import (
    ANNOTATION,
    annotated,
    original_of,
    three_way_patch,
)
from gitops_sim.apimachinery.schemas import Schema

TEXT = Schema("scalar", scalar="string")
ENV = Schema("map", properties={"name": TEXT, "value": TEXT})
CONTAINER = Schema(
    "map",
    properties={
        "name": TEXT,
        "image": TEXT,
        "env": Schema("list", items=ENV, patch_strategy="merge", patch_merge_key="name"),
        "args": Schema("list", items=TEXT),
    },
)
THING = Schema(
    "map",
    properties={
        "containers": Schema(
            "list", items=CONTAINER, patch_strategy="merge", patch_merge_key="name"
        ),
        "finalizers": Schema("list", items=TEXT, patch_strategy="merge"),
        "strategy": Schema(
            "map", properties={"type": TEXT, "rolling": TEXT}, patch_strategy="retainKeys"
        ),
    },
)


def test_the_annotation_is_written_as_kubectl_writes_it() -> None:
    manifest = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a", "annotations": {ANNOTATION: "old"}},
        "data": {"b": "<&>", "a": "é"},
    }
    applied = annotated(manifest)
    assert applied["metadata"]["annotations"][ANNOTATION] == (
        '{"apiVersion":"v1","data":{"a":"é","b":"\\u003c\\u0026\\u003e"},"kind":"ConfigMap",'
        '"metadata":{"annotations":{},"name":"a"}}\n'
    )
    assert original_of(applied)["data"] == manifest["data"]
    assert annotated(applied) == applied


def test_an_unreadable_annotation_counts_as_none() -> None:
    for text in ("not json", "[1]", ""):
        assert original_of({"metadata": {"annotations": {ANNOTATION: text}}}) == {}
    assert original_of({"metadata": {}}) == {}


def test_nothing_changed_is_no_patch() -> None:
    live = {"containers": [{"name": "a", "image": "x", "added": "by the server"}], "n": 1}
    sent = {"containers": [{"name": "a", "image": "x"}], "n": 1.0}
    assert three_way_patch(sent, sent, live, THING) == {}


def test_what_was_sent_before_and_is_not_now_goes_and_other_fields_stay() -> None:
    patch = three_way_patch({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 2, "c": 9}, None)
    assert patch == {"b": 3, "a": None}


def test_true_is_not_one() -> None:
    assert three_way_patch({}, {"a": True, "b": [1]}, {"a": 1, "b": [True]}, None) == {
        "a": True,
        "b": [1],
    }


def test_a_container_is_changed_by_name() -> None:
    live = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}
    sent = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}
    assert three_way_patch(live, sent, live, THING) == {
        "containers": [{"image": "2", "name": "b"}],
        "$setElementOrder/containers": [{"name": "a"}, {"name": "b"}],
    }


def test_a_container_that_left_the_file_is_deleted_and_an_injected_one_stays() -> None:
    original = {"containers": [{"name": "a"}, {"name": "b"}]}
    live = {"containers": [{"name": "a"}, {"name": "b"}, {"name": "sidecar"}]}
    assert three_way_patch(original, {"containers": [{"name": "a"}]}, live, THING) == {
        "containers": [{"name": "b", "$patch": "delete"}],
        "$setElementOrder/containers": [{"name": "a"}],
    }


def test_nested_lists_and_deletions_travel_inside_the_item() -> None:
    original = {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}]}
    sent = {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]}
    patch = three_way_patch(original, sent, original, THING)
    (item,) = patch["containers"]
    assert item["image"] is None
    assert item["env"] == [{"name": "Y", "value": "2"}, {"name": "X", "$patch": "delete"}]


def test_plain_lists_are_replaced_and_merged_ones_changed() -> None:
    live = {"containers": [{"name": "a", "args": ["1"]}], "finalizers": ["x", "y"]}
    sent = {"containers": [{"name": "a", "args": ["2", "3"]}], "finalizers": ["x", "z"]}
    patch = three_way_patch({"finalizers": ["x", "y"]}, sent, live, THING)
    assert patch["containers"][0]["args"] == ["2", "3"]
    assert patch["finalizers"] == ["z"]
    assert patch["$deleteFromPrimitiveList/finalizers"] == ["y"]


def test_a_union_keeps_only_the_members_sent() -> None:
    live = {"strategy": {"type": "RollingUpdate", "rolling": "25%"}}
    assert three_way_patch({}, {"strategy": {"type": "Recreate"}}, live, THING) == {
        "strategy": {"type": "Recreate", "$retainKeys": ["type"]}
    }


def test_the_patch_is_json() -> None:
    patch = three_way_patch({"a": 1}, {"b": {"c": [1, None]}}, {}, THING)
    assert json.loads(json.dumps(patch)) == {"a": None, "b": {"c": [1, None]}}
