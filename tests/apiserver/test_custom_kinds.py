"""CustomResourceDefinitions: served at once, pruned, defaulted, checked, cleaned up."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import InProcessClient
from gitops_sim.errors import InvalidError, NotFoundError


def definition() -> dict[str, Any]:
    spec = {
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "maximum": 10},
            "color": {"type": "string", "default": "red", "enum": ["red", "green"]},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "parts": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "n": {"type": "integer"}},
                },
            },
        },
    }
    schema = {
        "type": "object",
        "properties": {"spec": spec, "status": {"type": "object", "properties": {}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def widget(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "w", "namespace": "default"}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata, "spec": spec}


@pytest.fixture(autouse=True)
def widgets(client: InProcessClient) -> None:
    client.create(definition())


def test_a_definition_is_established_and_named(client: InProcessClient) -> None:
    status = client.get("crd", "widgets.example.com")["status"]
    assert status["acceptedNames"]["singular"] == "widget"
    assert status["acceptedNames"]["listKind"] == "WidgetList"
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "NamesAccepted": "True",
        "Established": "True",
    }
    assert status["storedVersions"] == ["v1"]
    assert any(kind["kind"] == "Widget" for kind in client.discover())


def test_objects_are_defaulted_and_pruned(client: InProcessClient) -> None:
    sent = widget(size=1, unknown=1, free={"kept": {"deep": 1}})
    assert client.create(sent)["spec"] == {
        "size": 1,
        "free": {"kept": {"deep": 1}},
        "color": "red",
    }
    assert client.get("wd", "w", "default")["metadata"]["generation"] == 1


def test_wrong_objects_are_refused_by_schema(client: InProcessClient) -> None:
    with pytest.raises(InvalidError) as refused:
        client.create(widget(size=99, color="blue"))
    causes = {(c["field"], c["message"]) for c in refused.value.details["causes"]}
    assert causes == {
        (
            "spec.size",
            "Invalid value: 99: spec.size in body should be less than or equal to 10",
        ),
        ("spec.color", 'Unsupported value: "blue": supported values: "red", "green"'),
    }
    with pytest.raises(InvalidError, match=r"spec\.size: Required value"):
        client.create(widget())


def test_rules_are_asked_of_what_only_breaks_a_limit(client: InProcessClient) -> None:
    definition = client.get("crd", "widgets.example.com")
    rule = {"rule": "self.size < 50", "message": "too large for us"}
    version = definition["spec"]["versions"][0]
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"] = [rule]
    client.update(definition)
    with pytest.raises(InvalidError, match=r"less than or equal to 10, spec: .*too large for us"):
        client.create(widget(size=99))
    with pytest.raises(InvalidError, match="some validation rules were not checked"):
        client.create(widget(size=99, color="blue"))


def test_names_and_labels_follow_the_rules_of_all_objects(client: InProcessClient) -> None:
    sent = widget(size=1)
    sent["metadata"] |= {"name": "Bad_Name", "labels": {"a b": "c"}}
    with pytest.raises(InvalidError) as refused:
        client.create(sent)
    fields = {cause["field"] for cause in refused.value.details["causes"]}
    assert fields == {"metadata.name", "metadata.labels"}


def test_a_map_list_is_applied_item_by_item(client: InProcessClient) -> None:
    client.apply(widget(size=1, parts=[{"name": "a", "n": 1}]), field_manager="m1")
    after = client.apply(widget(parts=[{"name": "b", "n": 2}]), field_manager="m2")
    assert [part["name"] for part in after["spec"]["parts"]] == ["a", "b"]
    after = client.apply(widget(size=1), field_manager="m1")
    assert [part["name"] for part in after["spec"]["parts"]] == ["b"]


def test_status_writes_change_nothing_else(client: InProcessClient) -> None:
    client.create(widget(size=1))
    body = {"spec": {"size": 5}, "status": {}, "metadata": {"labels": {"a": "b"}}}
    after = client.patch("Widget", "w", body, "default", subresource="status")
    assert after["spec"]["size"] == 1
    assert "labels" not in after["metadata"]
    assert after["metadata"]["generation"] == 1


def test_an_update_wants_the_version_that_was_seen(client: InProcessClient) -> None:
    client.create(widget(size=1))
    with pytest.raises(InvalidError, match="must be specified for an update"):
        client.update(widget(size=2))


def test_deleting_the_definition_deletes_the_objects_and_unserves_the_kind(
    client: InProcessClient,
) -> None:
    client.create(widget(size=1))
    client.delete("crd", "widgets.example.com")
    with pytest.raises(NotFoundError):
        client.get("crd", "widgets.example.com")
    with pytest.raises(NotFoundError, match="the server doesn't have a resource type"):
        client.get("Widget", "w", "default")


def test_a_held_object_holds_its_definition(client: InProcessClient) -> None:
    sent = widget(size=1)
    sent["metadata"]["finalizers"] = ["example.com/hold"]
    client.create(sent)
    client.delete("crd", "widgets.example.com")
    assert "deletionTimestamp" in client.get("crd", "widgets.example.com")["metadata"]
    client.patch("Widget", "w", {"metadata": {"finalizers": None}}, "default")
    with pytest.raises(NotFoundError):
        client.get("crd", "widgets.example.com")


def test_a_new_schema_holds_for_the_next_write(client: InProcessClient) -> None:
    client.create(widget(size=1))
    changed = client.get("crd", "widgets.example.com")
    version = changed["spec"]["versions"][0]
    properties = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["added"] = {"type": "string", "default": "here"}
    before = client.get("Widget", "w", "default")
    client.update(changed)
    after = client.patch("Widget", "w", {"spec": {"size": 2}}, "default")
    assert after["spec"]["added"] == "here"
    old = client.get("Widget", "w", "default", at=before["metadata"]["resourceVersion"])
    assert old == before, "history does not change"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda crd: crd["metadata"].update(name="other.example.com"), "metadata.name"),
        (lambda crd: crd["spec"].update(scope="Planet"), "spec.scope"),
        (lambda crd: crd["spec"]["versions"][0].update(storage=False), "spec.versions"),
        (lambda crd: crd["spec"]["names"].update(kind=""), "spec.names.kind"),
        (
            lambda crd: crd["spec"]["versions"][0].pop("schema"),
            "spec.versions[0].schema.openAPIV3Schema",
        ),
    ],
)
def test_a_wrong_definition_is_refused(client: InProcessClient, change: Any, field: str) -> None:
    client.delete("crd", "widgets.example.com")
    crd = definition()
    change(crd)
    with pytest.raises(InvalidError) as refused:
        client.create(crd)
    assert field in {cause["field"] for cause in refused.value.details["causes"]}
