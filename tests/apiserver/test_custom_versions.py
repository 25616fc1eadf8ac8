"""Custom kinds in several versions, relabelled or converted by a webhook; their rarer rules."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.errors import BadRequestError, InvalidError, UnknownError
from gitops_sim.protocols import Cluster

URL = "https://convert.example.com"
Review = dict[str, Any]


def version(name: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": {"type": "object"} | properties}}
    told = {"name": name, "served": True, "storage": False, "schema": {"openAPIV3Schema": schema}}
    return told | more


def definition(**conversion: Any) -> dict[str, Any]:
    old = version("v1", {"properties": {"host": {"type": "string"}}})
    new = version("v2", {"properties": {"hosts": {"type": "array", "items": {"type": "string"}}}})
    spec = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {
            "plural": "routes",
            "singular": "route",
            "kind": "Route",
            "listKind": "RouteList",
        },
        "versions": [old, new | {"storage": True}],
        "conversion": conversion or {"strategy": "None"},
    }
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return kind | {"metadata": {"name": "routes.example.com"}, "spec": spec}


def by_webhook() -> dict[str, Any]:
    told = {"clientConfig": {"url": URL}, "conversionReviewVersions": ["v1"]}
    return definition(strategy="Webhook", webhook=told)


def route(api_version: str = "v1", name: str = "r", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    kind = {"apiVersion": f"example.com/{api_version}", "kind": "Route"}
    return kind | {"metadata": metadata, "spec": spec}


class Converter:
    """A conversion webhook: `host` is the first of `hosts`."""

    def __init__(self, **response: Any) -> None:
        self.asked: list[Review] = []
        self.response = response

    def __call__(self, review: Review, _: Cluster) -> Review:
        request = review["request"]
        self.asked.append(request)
        wanted = request["desiredAPIVersion"]
        response = {
            "uid": request["uid"],
            "result": {"status": "Success"},
            "convertedObjects": [self.convert(o, wanted) for o in request["objects"]],
        }
        kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview"}
        return kind | {"response": response | self.response}

    @staticmethod
    def convert(manifest: dict[str, Any], wanted: str) -> dict[str, Any]:
        spec = manifest["spec"]
        if wanted.endswith("v2"):
            changed = {"hosts": [spec["host"]]} if "host" in spec else {}
        else:
            changed = {"host": spec["hosts"][0]} if spec.get("hosts") else {}
        return manifest | {"apiVersion": wanted, "spec": changed}


def test_versions_without_conversion_are_relabelled_and_pruned_when_written(
    client: InProcessClient,
) -> None:
    client.create(definition())
    client.create(route(host="a"))
    assert client.get("example.com/v2/Route", "r")["spec"] == {"host": "a"}
    client.patch("example.com/v2/Route", "r", {"spec": {"hosts": ["b"]}})
    assert client.get("example.com/v1/Route", "r")["spec"] == {"hosts": ["b"]}


def test_a_webhook_converts_what_is_written_read_listed_and_watched(
    server: ApiServer, client: InProcessClient
) -> None:
    converter = Converter()
    server.webhooks.functions[URL] = converter
    client.create(by_webhook())
    watch = client.watch("example.com/v1/Route", "default")
    made = client.create(route(host="a"))
    assert (made["apiVersion"], made["spec"]) == ("example.com/v1", {"host": "a"})
    assert client.get("example.com/v2/Route", "r")["spec"] == {"hosts": ["a"]}
    client.create(route("v2", "s", hosts=["b", "c"]))
    before = len(converter.asked)
    listed = client.list("example.com/v1/Route", "default")
    assert [r["spec"] for r in listed] == [{"host": "a"}, {"host": "b"}]
    assert len(converter.asked) == before + 1  # all at once
    assert [event.object["spec"] for event in watch.drain()] == [{"host": "a"}, {"host": "b"}]


def test_an_object_is_changed_in_the_version_of_the_request(
    server: ApiServer, client: InProcessClient
) -> None:
    server.webhooks.functions[URL] = Converter()
    client.create(by_webhook())
    client.create(route("v2", hosts=["b"]))
    client.patch("example.com/v1/Route", "r", {"spec": {"host": "c"}})
    client.apply(route(host="d"), field_manager="me", force=True)
    assert client.get("example.com/v2/Route", "r")["spec"] == {"hosts": ["d"]}
    gone = client.delete("example.com/v1/Route", "r", "default")
    assert gone["spec"] == {"host": "d"}


def test_a_conversion_changes_labels_and_nothing_else_of_metadata(
    server: ApiServer, client: InProcessClient
) -> None:
    class Labelling(Converter):
        @staticmethod
        def convert(manifest: dict[str, Any], wanted: str) -> dict[str, Any]:
            metadata = manifest["metadata"] | {"labels": {"at": "x"}, "finalizers": ["a/b"]}
            return Converter.convert(manifest, wanted) | {"metadata": metadata}

    server.webhooks.functions[URL] = Labelling()
    client.create(by_webhook())
    client.create(route(host="a"))
    metadata = client.get("example.com/v2/Route", "r")["metadata"]
    assert metadata["labels"] == {"at": "x"}
    assert "finalizers" not in metadata


def test_a_webhook_that_is_away_fails_reads_of_other_versions_alone(
    server: ApiServer, client: InProcessClient
) -> None:
    client.create(by_webhook())
    client.create(route("v2", hosts=["b"]))
    with pytest.raises(UnknownError) as failed:
        client.get("example.com/v1/Route", "r")
    assert str(failed.value) == (
        "conversion webhook for example.com/v2, Kind=Route failed: Post "
        f'"{URL}?timeout=30s": dial tcp: lookup convert.example.com: no such host'
    )
    assert client.get("example.com/v2/Route", "r")["spec"] == {"hosts": ["b"]}


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ({"uid": "x"}, "failed: expected response.uid"),
        ({"result": {"status": "Failure", "message": "no way"}}, "failed: no way"),
        ({"result": {}}, "failed: response.result.status was '', not 'Success'"),
        ({"convertedObjects": []}, "returned 0 objects, expected 1"),
        (
            {"convertedObjects": [route("v2", hosts=[])]},
            "invalid groupVersion (expected example.com/v1, received example.com/v2)",
        ),
        (
            {"convertedObjects": [route() | {"kind": "Path"}]},
            "invalid kind (expected Route, received Path)",
        ),
        ({"convertedObjects": [route(name="other")]}, "must have the same name: r != other"),
        ({"convertedObjects": [route()]}, "must have the same UID: "),
    ],
)
def test_a_conversion_that_is_none_is_told(
    server: ApiServer, client: InProcessClient, response: dict[str, Any], problem: str
) -> None:
    client.create(by_webhook())
    client.create(route("v2", hosts=["b"]))
    server.webhooks.functions[URL] = Converter(**response)
    with pytest.raises(UnknownError) as failed:
        client.get("example.com/v1/Route", "r")
    assert problem in str(failed.value)


@pytest.mark.parametrize(
    ("conversion", "field"),
    [
        ({"strategy": "Webhook"}, "spec.conversion.webhookClientConfig"),
        (
            {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}},
            "spec.conversion.conversionReviewVersions",
        ),
        (
            {
                "strategy": "Webhook",
                "webhook": {"clientConfig": {}, "conversionReviewVersions": ["v9"]},
            },
            "spec.conversion.conversionReviewVersions",
        ),
    ],
)
def test_a_wrong_conversion_is_refused(
    client: InProcessClient, conversion: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        client.create(definition(**conversion))
    assert field in [cause["field"] for cause in refused.value.details["causes"]]


def rich_definition() -> dict[str, Any]:
    properties = {
        "port": {"x-kubernetes-int-or-string": True},
        "note": {"type": "string", "nullable": True, "default": "none"},
        "tags": {
            "type": "array",
            "items": {"type": "string"},
            "x-kubernetes-list-type": "set",
        },
        "color": {"type": "string", "x-kubernetes-validations": [
            {"rule": "self == oldSelf", "message": "color stays"}
        ]},
        "replicas": {"type": "integer"},
        "embedded": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
    }  # fmt: skip
    made = definition()
    only = version("v1", {"properties": properties}, storage=True)
    status = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    only["schema"]["openAPIV3Schema"]["properties"]["status"] = status
    only["selectableFields"] = [{"jsonPath": ".spec.color"}]
    only["subresources"] = {
        "status": {},
        "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
    }
    made["spec"]["versions"] = [only]
    return made


@pytest.fixture
def rich(client: InProcessClient) -> InProcessClient:
    client.create(rich_definition())
    return client


@pytest.mark.parametrize("port", [80, "http"])
def test_an_int_or_string_is_either(rich: InProcessClient, port: Any) -> None:
    assert rich.create(route(port=port))["spec"]["port"] == port


def test_an_int_or_string_is_nothing_else(rich: InProcessClient) -> None:
    with pytest.raises(InvalidError, match=r"spec\.port in body must be of type"):
        rich.create(route(port=1.5))


def test_null_is_kept_where_it_may_be_and_dropped_where_not(rich: InProcessClient) -> None:
    assert rich.create(route(note=None))["spec"]["note"] is None
    assert rich.create(route(name="s"))["spec"]["note"] == "none"
    assert "tags" not in rich.create(route(name="t", tags=None))["spec"]


def test_a_set_holds_each_item_once(rich: InProcessClient) -> None:
    with pytest.raises(InvalidError, match=r'spec\.tags\[1\]: Duplicate value: "a"'):
        rich.create(route(tags=["a", "a"]))


def test_a_rule_about_a_change_is_judged_when_it_changes(rich: InProcessClient) -> None:
    rich.create(route(color="red"))
    rich.patch("example.com/v1/Route", "r", {"spec": {"replicas": 2}})
    with pytest.raises(InvalidError, match=r"spec\.color: Invalid value: .*: color stays"):
        rich.patch("example.com/v1/Route", "r", {"spec": {"color": "blue"}})


def test_selectable_fields_select_and_others_do_not(rich: InProcessClient) -> None:
    rich.create(route(color="red"))
    rich.create(route(name="s", color="blue"))
    found = rich.list("example.com/v1/Route", "default", fields="spec.color=blue")
    assert [r["metadata"]["name"] for r in found] == ["s"]
    with pytest.raises(BadRequestError, match=r"field label not supported: spec\.note"):
        rich.list("example.com/v1/Route", "default", fields="spec.note=x")


def test_the_scale_is_where_the_definition_says(rich: InProcessClient) -> None:
    rich.create(route(replicas=1))
    scaled = rich.patch("example.com/v1/Route", "r", {"spec": {"replicas": 4}}, subresource="scale")
    assert scaled["kind"] == "Scale"
    assert rich.get("example.com/v1/Route", "r")["spec"]["replicas"] == 4


def test_an_embedded_object_keeps_what_it_has(rich: InProcessClient) -> None:
    embedded = {"apiVersion": "v1", "kind": "Pod", "spec": {"any": ["thing"]}}
    assert rich.create(route(embedded=embedded))["spec"]["embedded"] == embedded
