"""The order of members in what the server writes."""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.builtin_schemas import compiled
from gitops_sim.apimachinery.member_order import by_key, in_struct_order


def ordered(group: str, version: str, kind: str, value: Any) -> Any:
    """Return an object in the order of its structs."""
    schema = compiled(group, version, kind)
    assert schema is not None
    return in_struct_order(value, schema)


def test_members_come_in_the_order_of_the_structs() -> None:
    metadata = {"labels": {"b": "1", "a": "2"}, "uid": "u", "namespace": "n", "name": "x"}
    spec = {"containers": [{"image": "i", "name": "c"}], "volumes": [], "initContainers": []}
    pod = ordered("", "v1", "Pod", {"apiVersion": "v1", "spec": spec, "metadata": metadata})
    assert [*pod] == ["apiVersion", "metadata", "spec"]
    assert [*pod["metadata"]] == ["name", "namespace", "uid", "labels"]
    assert [*pod["metadata"]["labels"]] == ["a", "b"], "maps come by key"
    assert [*pod["spec"]] == ["volumes", "initContainers", "containers"]
    assert [*pod["spec"]["containers"][0]] == ["name", "image"]


def test_embedded_structs_stand_where_they_are_embedded() -> None:
    spec = {"accessModes": [], "hostPath": {"type": "", "path": "/"}, "capacity": {"storage": "1"}}
    volume = ordered("", "v1", "PersistentVolume", {"spec": spec})
    assert [*volume["spec"]] == ["capacity", "hostPath", "accessModes"]
    assert [*volume["spec"]["hostPath"]] == ["path", "type"]


def test_what_is_in_order_is_returned_itself() -> None:
    config = {"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1", "b": "2"}}
    assert ordered("", "v1", "ConfigMap", config) is config


def test_raw_json_keeps_its_order() -> None:
    revision = ordered("apps", "v1", "ControllerRevision", {"data": {"b": 1, "a": 2}})
    assert [*revision["data"]] == ["b", "a"]


def test_schemas_inside_schemas_are_ordered() -> None:
    items = {"type": "object", "properties": {"b": {"type": "string"}, "a": {}}, "description": "d"}
    schema = {"openAPIV3Schema": {"type": "array", "items": items}}
    spec = {"versions": [{"name": "v1", "schema": schema}]}
    found = ordered("apiextensions.k8s.io", "v1", "CustomResourceDefinition", {"spec": spec})
    inner = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["items"]
    assert [*inner] == ["description", "type", "properties"]
    assert [*inner["properties"]] == ["a", "b"]


def test_by_key_sorts_all_the_way_down() -> None:
    found = by_key({"spec": [{"b": 1, "a": {"d": 1, "c": 2}}], "kind": "K"})
    assert [*found] == ["kind", "spec"]
    assert [*found["spec"][0]] == ["a", "b"]
    assert [*found["spec"][0]["a"]] == ["c", "d"]
