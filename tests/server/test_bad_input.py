"""Requests that no client should send: all are answered, none with an error of ours.

A 500 is given only where a real server gives one: it says so in a Status without a reason.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

MAPS = "/api/v1/namespaces/default/configmaps"
JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
PATCHES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
WEB: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]
            },
        },
    },
}

texts = st.text(max_size=20)
names = st.one_of(
    st.sampled_from(
        [
            "metadata",
            "spec",
            "data",
            "name",
            "labels",
            "annotations",
            "containers",
            "env",
            "kind",
            "apiVersion",
            "$patch",
            "$setElementOrder/containers",
            "$deleteFromPrimitiveList/finalizers",
            "$retainKeys",
            "finalizers",
            "managedFields",
            "ownerReferences",
            "template",
            "replicas",
            "resourceVersion",
            "uid",
            "namespace",
            "deletionTimestamp",
            "stringData",
            "binaryData",
        ]
    ),
    texts,
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        texts,
        st.sampled_from(["replace", "delete", "merge", "1", "-1", "100Mi", "web", "default"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=5)),
    max_leaves=15,
)
TARGETS = [
    MAPS,
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/pods",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/batch/v1/namespaces/default/cronjobs",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
]


def is_of_a_server(reply: Any) -> bool:
    """Return whether a real server could give this answer: a 500 is a Status that says why."""
    if reply.status < 500:
        return reply.status >= 200
    told = reply.json
    return (told["kind"], told["status"]) == ("Status", "Failure") and bool(told["message"])


@given(st.sampled_from(TARGETS), values)
def test_any_json_is_answered(module_site: Any, target: str, value: Any) -> None:
    reply = module_site.ask("POST", target, value)
    assert is_of_a_server(reply), reply


@given(
    st.sampled_from(TARGETS), st.binary(max_size=200), st.sampled_from([JSON, YAML, PROTOBUF, ""])
)
def test_any_bytes_are_answered(
    module_site: Any, target: str, body: bytes, content_type: str
) -> None:
    reply = module_site.ask("POST", target, body, headers={"content-type": content_type})
    assert is_of_a_server(reply), reply


@given(st.sampled_from(TARGETS), st.text(alphabet="ab:-?[]{}&*!|>'\"#%@`,\n\t 0.~<", max_size=80))
def test_any_yaml_is_answered(module_site: Any, target: str, body: str) -> None:
    reply = module_site.ask("POST", target, body.encode(), headers={"content-type": YAML})
    assert is_of_a_server(reply), reply


@given(st.binary(max_size=120))
def test_any_protobuf_in_its_envelope_is_answered(module_site: Any, body: bytes) -> None:
    kind = b"\n\x02v1\x12\tConfigMap"
    whole = b"k8s\0\n" + bytes([len(kind)]) + kind + b"\x12" + bytes([len(body)]) + body
    reply = module_site.ask("POST", MAPS, whole, headers={"content-type": PROTOBUF})
    assert is_of_a_server(reply), reply


@pytest.mark.parametrize("form", PATCHES)
@given(data=st.data())
def test_any_patch_is_answered(module_site: Any, form: str, data: st.DataObject) -> None:
    target = "/apis/apps/v1/namespaces/default/deployments"
    module_site.ask("POST", target, WEB)
    pointers = st.lists(names, max_size=4).map(lambda parts: "".join(f"/{part}" for part in parts))
    step = st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "nothing"])},
        optional={"path": st.one_of(pointers, values), "from": pointers, "value": values},
    )
    shaped = {
        "json": st.one_of(st.lists(step, max_size=4), values),
        "apply": st.one_of(values, values.map(lambda value: WEB | {"spec": value})),
    }.get(form, values)
    body = json.dumps(data.draw(shaped)).encode()
    query = "?fieldManager=p&force=true" if form == "apply" else ""
    headers = {"content-type": PATCHES[form]}
    reply = module_site.ask("PATCH", f"{target}/web{query}", body, headers=headers)
    assert is_of_a_server(reply), reply


POD = "/api/v1/namespaces/default/pods/web"
PARTS = [
    *(f"{POD}/{part}" for part in ("binding", "eviction", "status", "resize", "log")),
    "/api/v1/namespaces/default/serviceaccounts/default/token",
    "/apis/apps/v1/namespaces/default/deployments/web/scale",
    "/apis/authentication.k8s.io/v1/tokenreviews",
]
members = st.sampled_from(
    [
        *("metadata", "name", "namespace", "spec", "status", "kind", "apiVersion", "uid"),
        *("deleteOptions", "gracePeriodSeconds", "dryRun", "preconditions", "resourceVersion"),
        *("propagationPolicy", "orphanDependents", "target", "replicas", "selector"),
        *("token", "audiences", "expirationSeconds", "boundObjectRef", "conditions"),
    ]
)


@given(st.sampled_from(PARTS), st.sampled_from(["POST", "PUT"]), st.dictionaries(members, values))
def test_any_part_of_an_object_is_answered(
    module_site: Any, target: str, method: str, value: Any
) -> None:
    module_site.ask("POST", f"{MAPS[:-10]}serviceaccounts", {"metadata": {"name": "default"}})
    module_site.ask("POST", POD[:-4], WEB["spec"]["template"] | {"metadata": {"name": "web"}})
    module_site.ask("POST", "/apis/apps/v1/namespaces/default/deployments", WEB)
    reply = module_site.ask(method, target, value)
    assert is_of_a_server(reply), reply


@example({"preconditions": "x"})
@example({"preconditions": {"uid": ["x"]}})
@example({"gracePeriodSeconds": [], "orphanDependents": {}, "propagationPolicy": []})
@given(st.dictionaries(members, values))
def test_any_options_of_a_delete_are_answered(module_site: Any, value: Any) -> None:
    for target in (f"{MAPS}/none", MAPS):
        reply = module_site.ask("DELETE", target, value)
        assert is_of_a_server(reply), reply


@example("continue", "\x80", "GET")
@example("continue", "\ud800", "GET")
@given(
    st.sampled_from(
        [
            "labelSelector",
            "fieldSelector",
            "limit",
            "continue",
            "resourceVersion",
            "watch",
            "resourceVersionMatch",
            "timeoutSeconds",
            "sendInitialEvents",
            "allowWatchBookmarks",
            "pretty",
            "includeObject",
            "dryRun",
            "fieldManager",
            "fieldValidation",
            "gracePeriodSeconds",
            "propagationPolicy",
            "orphanDependents",
        ]
    ),
    st.one_of(
        st.text(alphabet="ab=!,() in notexists/.-0123456789", max_size=30),
        texts,
        st.sampled_from(
            ["-1", "0", "1e3", "true", "NaN", "9" * 30, "a in (", "metadata.name=", "!"]
        ),
    ),
    st.sampled_from(["GET", "DELETE", "POST", "HEAD", "OPTIONS", "PROPFIND"]),
)
def test_any_query_is_answered(module_site: Any, name: str, value: str, method: str) -> None:
    body = {"metadata": {"generateName": "q-"}} if method == "POST" else None
    quoted = quote(value, errors="surrogatepass")
    for query in (f"{name}={quoted}", f"{name}={quoted}&watch=1", f"{name}&{name}={value[:5]}"):
        reply = module_site.ask(method, f"{MAPS}?{query}", body)
        assert is_of_a_server(reply), reply


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "api",
                    "apis",
                    "v1",
                    "apps",
                    "namespaces",
                    "default",
                    "pods",
                    "watch",
                    "proxy",
                    "status",
                    "scale",
                    "log",
                    "token",
                    "openapi",
                    "v3",
                    "",
                    "..",
                    "%00",
                    "%2F",
                    "%ff",
                    "configmaps",
                    "version",
                    "metrics",
                ]
            ),
            texts.map(lambda text: quote(text, errors="surrogatepass")),
        ),
        max_size=8,
    ),
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
)
def test_any_path_is_answered(module_site: Any, parts: list[str], method: str) -> None:
    body = None if method in ("GET", "DELETE") else {}
    reply = module_site.ask(method, "/" + "/".join(parts), body)
    assert is_of_a_server(reply), reply


@given(
    st.sampled_from(
        ["accept", "content-type", "impersonate-user", "impersonate-group", "user-agent"]
    ),
    st.one_of(st.text(alphabet="ab/;=,*+q0.1 vk8s", max_size=40), st.text(max_size=20)),
)
def test_any_header_is_answered(module_site: Any, name: str, value: str) -> None:
    reply = module_site.ask("GET", MAPS, headers={name: value})
    assert is_of_a_server(reply), reply
    reply = module_site.ask(
        "POST", MAPS, {"metadata": {"generateName": "h-"}}, headers={name: value}
    )
    assert is_of_a_server(reply), reply


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12)
)


@pytest.mark.parametrize(
    ("body", "content_type", "statuses"),
    [
        (BOMB, YAML, {400}),
        (b"a: &a {b: *a}\n", YAML, {400}),
        (b"[" * 100_000, JSON, {400}),
        (b'{"data":' + b'{"a":' * 50_000, JSON, {400}),
        (b"[" * 50_000, YAML, {400}),
        (b"{a: " * 20_000, YAML, {400}),
        (b"- " * 50_000, YAML, {400}),
        (b'{"metadata":{"name":"a\x00b"}}', JSON, {400, 422}),
        (b'{"metadata":{"name":"nul"},"data":{"k":"a\\u0000b"}}', JSON, {201}),
        (b"\x00\x00\x00", JSON, {400}),
        (b"metadata: {name: \x00}\n", YAML, {400}),
        (b'{"metadata":{"name":"u"},"data":{"k":"\xff\xfe"}}', JSON, {201, 400}),
        (b"\xff\xfe\xfd", YAML, {400}),
        (b"\xef\xbb\xbf{}", JSON, {400, 422}),
        (b'{"metadata":{"name":"s"},"data":{"k":"\\ud800"}}', JSON, {201}),
        (b'{"metadata":{"name":"s"},"data":{"\\udfff":"k"}}', JSON, {422}),
        (b'{"metadata":{"name":"s"},"data":{"k":"\\ud83d\\ude00"}}', JSON, {201}),
        (b"k8s\x00" + b"\xff" * 1000, PROTOBUF, {400}),
        (b"k8s\x00", PROTOBUF, {400}),
        (b"\x12\xff\xff\xff\xff\x0f", PROTOBUF, {400}),
        (b'{"metadata":{"name":"n"},"data":' + b"9" * 5000 + b"}", JSON, {400}),
        (b'{"metadata":{"generation":' + b"9" * 5000 + b"}}", JSON, {400, 422}),
        (b'{"metadata":{"generation":1e999999}}', JSON, {400, 422}),
        (b"", JSON, {400, 422}),
        (b"null", JSON, {400, 422}),
        (b"a: 1\na: 2\n", YAML, {400, 422}),
        (b"!!python/object/apply:os.system [id]\n", YAML, {400}),
    ],
    ids=lambda value: repr(value[:18]) if isinstance(value, bytes) else "",
)
def test_hostile_bodies_are_refused_at_once(
    site: Any, body: bytes, content_type: str, statuses: set[int]
) -> None:
    reply = site.ask("POST", MAPS, body, headers={"content-type": content_type})
    assert reply.status in statuses, reply.answer.body[:300]
    assert is_of_a_server(reply)
    assert site.ask("GET", f"{MAPS}?limit=1").status == 200


def test_a_huge_map_of_labels_is_refused_with_its_size(site: Any) -> None:
    labels = {f"k{number}": "v" for number in range(100_000)}
    assert site.ask("POST", MAPS, {"metadata": {"name": "many", "labels": labels}}).status in (
        201,
        422,
    )
    notes = {f"k{number}": "v" * 60 for number in range(6_000)}
    reply = site.ask("POST", MAPS, {"metadata": {"name": "noted", "annotations": notes}})
    assert reply.status == 422
    assert "Too long: may not be more than 262144 bytes" in reply.json["message"]


def test_three_mebibytes_are_too_large(site: Any) -> None:
    body = {"metadata": {"name": "big"}, "data": {"k": "x" * (3 * 1024 * 1024)}}
    reply = site.ask("POST", MAPS, body)
    assert (reply.status, reply.json["reason"]) == (413, "RequestEntityTooLarge")


def test_a_map_beyond_a_mebibyte_is_told_what_is_the_most(site: Any) -> None:
    body = {"metadata": {"name": "big"}, "data": {"k": "x" * (1024 * 1024 + 1)}}
    reply = site.ask("POST", MAPS, body)
    assert reply.status == 422
    assert "Too long: may not be more than 1048576 bytes" in reply.json["message"]
