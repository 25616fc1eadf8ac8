"""OpenAPI as it is served: an index with hashes, documents that are kept, and the older forms."""

from __future__ import annotations

from typing import Any

from gitops_sim.server.gnostic import CONTENT_TYPE

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gizmos.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "gizmos", "kind": "Gizmo"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer"}}}
                        },
                    }
                },
            }
        ],
    },
}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def fields(data: bytes) -> list[tuple[int, bytes]]:
    """Return the fields of a protobuf message that holds only texts and messages."""
    found, at = [], 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            found.append((tag >> 3, bytes([varint() & 255])))
            continue
        size = varint()
        found.append((tag >> 3, data[at : at + size]))
        at += size
    return found


def test_the_index_leads_to_each_document_by_its_hash(site: Any) -> None:
    index = site.ask("GET", "/openapi/v3").json["paths"]
    address = index["apis/apps/v1"]["serverRelativeURL"]
    reply = site.ask("GET", address)
    assert "io.k8s.api.apps.v1.Deployment" in reply.json["components"]["schemas"]
    assert reply.headers["cache-control"] == "public, immutable"
    tag = reply.headers["etag"]
    assert tag.strip('"') == address.partition("hash=")[2]
    assert site.ask("GET", address, headers={"if-none-match": tag}).status == 304


def test_a_new_kind_is_described_at_once(site: Any) -> None:
    before = site.ask("GET", "/openapi/v3").json["paths"]
    assert site.ask("POST", DEFINITIONS, DEFINITION).status == 201
    after = site.ask("GET", "/openapi/v3").json["paths"]
    assert after.keys() - before.keys() == {"apis/example.com/v1"}
    document = site.ask("GET", "/openapi/v3/apis/example.com/v1").json
    schema = document["components"]["schemas"]["com.example.v1.Gizmo"]
    assert schema["properties"]["spec"]["properties"]["size"] == {"type": "integer"}
    patch = document["paths"]["/apis/example.com/v1/namespaces/{namespace}/gizmos/{name}"]["patch"]
    assert {"dryRun", "fieldValidation"} <= {p["name"] for p in patch["parameters"]}


def test_the_older_document_is_there_in_protobuf_too(site: Any) -> None:
    told = site.ask("GET", "/openapi/v2").json
    reply = site.ask("GET", "/openapi/v2", headers={"accept": CONTENT_TYPE})
    message = dict(fields(reply.answer.body))
    assert message[1] == b"2.0"
    names = [dict(fields(entry))[1].decode() for _, entry in fields(message[9])]
    assert names == list(told["definitions"])
    paths = [dict(fields(entry))[1].decode() for _, entry in fields(message[8])]
    assert paths == list(told["paths"])


def test_types_and_members_are_explained(site: Any) -> None:
    document = site.ask("GET", "/openapi/v3/apis/apps/v1").json
    schema = document["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"]
    assert schema["description"].startswith("Deployment enables declarative updates")


def test_words_of_members_are_listed_and_explained(site: Any) -> None:
    schemas = site.ask("GET", "/openapi/v3/api/v1").json["components"]["schemas"]
    protocol = schemas["io.k8s.api.core.v1.ServicePort"]["properties"]["protocol"]
    assert protocol["enum"] == ["SCTP", "TCP", "UDP"]
    assert '\n\nPossible enum values:\n - `"SCTP"` is' in protocol["description"]
    families = schemas["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ipFamilies"]
    assert families["items"]["enum"] == ["", "IPv4", "IPv6"]


def test_custom_kinds_take_no_strategic_patches(site: Any) -> None:
    assert site.ask("POST", DEFINITIONS, DEFINITION).status == 201
    paths = site.ask("GET", "/openapi/v2").json["paths"]
    custom = paths["/apis/example.com/v1/namespaces/{namespace}/gizmos/{name}"]["patch"]
    known = paths["/api/v1/namespaces/{namespace}/configmaps/{name}"]["patch"]
    strategic = "application/strategic-merge-patch+json"
    assert strategic in known["consumes"]
    assert strategic not in custom["consumes"]
    assert "application/merge-patch+json" in custom["consumes"]


def test_members_that_every_kind_has_are_explained_of_custom_ones_too(site: Any) -> None:
    assert site.ask("POST", DEFINITIONS, DEFINITION).status == 201
    schemas = site.ask("GET", "/openapi/v3/apis/example.com/v1").json["components"]["schemas"]
    properties = schemas["com.example.v1.Gizmo"]["properties"]
    assert properties["kind"]["description"].startswith("Kind is a string value representing")
    assert properties["metadata"]["description"].startswith("Standard object's metadata.")
    assert schemas["com.example.v1.GizmoList"]["description"] == "GizmoList is a list of Gizmo"


def test_what_a_custom_group_does_not_have_is_no_page(site: Any) -> None:
    assert site.ask("POST", DEFINITIONS, DEFINITION).status == 201
    reply = site.ask("GET", "/apis/example.com/v1/namespaces/default/other")
    assert (reply.status, reply.answer.body) == (404, b"404 page not found\n")
    assert site.ask("GET", "/apis/apps/v1/other").json["kind"] == "Status"


def test_a_deprecated_version_warns_and_names_a_better_one(site: Any) -> None:
    version = DEFINITION["spec"]["versions"][0]
    older = version | {"name": "v1beta1", "storage": False, "deprecated": True}
    oldest = older | {"name": "v1alpha1", "deprecationWarning": "leave it"}
    spec = DEFINITION["spec"] | {"versions": [version, older, oldest]}
    assert site.ask("POST", DEFINITIONS, DEFINITION | {"spec": spec}).status == 201
    assert site.ask("GET", "/apis/example.com/v1/gizmos").warnings == []
    assert site.ask("GET", "/apis/example.com/v1alpha1/gizmos").warnings == ["leave it"]
    assert site.ask("GET", "/apis/example.com/v1beta1/gizmos").warnings == [
        "example.com/v1beta1 Gizmo is deprecated; use example.com/v1 Gizmo"
    ]
