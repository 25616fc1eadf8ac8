"""Strategic merge patches on a Deployment: keyed lists, sets, directives, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apimachinery.schemas import Schemas
from gitops_sim.apimachinery.strategic_merge import strategic_merge
from gitops_sim.errors import UnknownError

SCHEMA = Schemas().schema_for("apps", "v1", "Deployment")


def doc() -> dict[str, Any]:
    containers = [
        {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]},
        {"name": "log", "image": "log:1"},
    ]
    return {
        "metadata": {"finalizers": ["a/a", "b/b"], "labels": {"x": "1"}},
        "spec": {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "template": {"spec": {"containers": containers, "nodeSelector": {"d": "e"}}},
        },
    }


def merged(patch: dict[str, Any]) -> dict[str, Any]:
    before = doc()
    after = strategic_merge(before, patch, SCHEMA)
    assert before == doc(), "the document is not changed"
    return after


def pods(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


def test_containers_are_merged_by_name() -> None:
    after = merged(pods(containers=[{"name": "web", "image": "web:2"}]))
    web, log = after["spec"]["template"]["spec"]["containers"]
    assert (web["image"], web["ports"]) == ("web:2", [{"containerPort": 80}])
    assert log == {"name": "log", "image": "log:1"}


def test_an_item_can_be_deleted() -> None:
    after = merged(pods(containers=[{"name": "log", "$patch": "delete"}]))
    assert [c["name"] for c in after["spec"]["template"]["spec"]["containers"]] == ["web"]


def test_a_list_can_be_replaced() -> None:
    new = [{"$patch": "replace"}, {"name": "only", "image": "x"}]
    after = merged(pods(containers=new))
    assert after["spec"]["template"]["spec"]["containers"] == [{"name": "only", "image": "x"}]


def test_sets_grow_and_shrink() -> None:
    grown = merged({"metadata": {"finalizers": ["c/c"]}})
    assert grown["metadata"]["finalizers"] == ["c/c", "a/a", "b/b"], "what is new comes first"
    shrunk = merged({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/a"]}})
    assert shrunk["metadata"]["finalizers"] == ["b/b"]


def test_an_order_can_be_set() -> None:
    patch = pods(**{"$setElementOrder/containers": [{"name": "log"}, {"name": "web"}]})
    after = merged(patch)
    assert [c["name"] for c in after["spec"]["template"]["spec"]["containers"]] == ["log", "web"]


def test_only_named_keys_are_retained() -> None:
    after = merged({"spec": {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}})
    assert after["spec"]["strategy"] == {"type": "Recreate"}


def test_a_null_removes_and_a_map_is_merged() -> None:
    after = merged({"metadata": {"labels": {"x": None, "y": "2"}}})
    assert after["metadata"]["labels"] == {"y": "2"}


def test_a_missing_key_or_unknown_directive_fails_as_the_server_does() -> None:
    with pytest.raises(UnknownError) as refused:
        merged(pods(containers=[{"image": "no-name"}]))
    assert str(refused.value) == "map: map[image:no-name] does not contain declared merge key: name"
    with pytest.raises(UnknownError):
        merged({"spec": {"$patch": "dance"}})


def test_nothing_to_change_gives_an_equal_document() -> None:
    before = doc()
    assert strategic_merge(before, {}, SCHEMA) == before
    assert strategic_merge(before, pods(containers=[{"name": "web"}]), SCHEMA) == before
