"""The front: requests in, answers out, and every change through the door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.journal.facts import RequestAudited

MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = {"content-type": "application/merge-patch+json"}
APPLY = {"content-type": "application/apply-patch+yaml"}


def test_an_object_goes_through_its_life(site: Any) -> None:
    made = site.make(MAPS, "ConfigMap", "a", data={"x": "1"})
    assert site.ask("GET", f"{MAPS}/a").json["data"] == {"x": "1"}
    changed = site.ask("PATCH", f"{MAPS}/a", {"data": {"x": "2"}}, headers=MERGE).json
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    assert site.ask("DELETE", f"{MAPS}/a").json["status"] == "Success"
    assert site.ask("GET", f"{MAPS}/a").status == 404


def test_reads_leave_no_trace_and_writes_go_through_the_door(site: Any) -> None:
    before = len(site.door.inputs)
    site.ask("GET", MAPS)
    assert len(site.door.inputs) == before
    site.make(MAPS, "ConfigMap", "a")
    entry = site.door.inputs[-1]
    assert (entry.address, entry.method) == ("server/cluster", "write")


def test_a_replayed_door_stores_the_same_objects(site: Any, make_site: Any) -> None:
    site.make(MAPS, "ConfigMap", "a", data={"x": "1"})
    site.ask("PATCH", f"{MAPS}/a", {"data": {"y": "2"}}, headers=MERGE)
    site.ask("POST", MAPS, {"kind": "ConfigMap", "metadata": {"generateName": "b-"}})
    site.ask("POST", MAPS, {"kind": "ConfigMap", "metadata": {"name": "a"}})  # refused: it is there
    log = site.door.to_jsonl()
    again = make_site()
    again.door.replay(again.door.from_jsonl(log))
    assert again.ask("GET", MAPS).json == site.ask("GET", MAPS).json


def test_the_user_agent_names_the_manager(site: Any) -> None:
    made = site.make(MAPS, "ConfigMap", "a", data={"x": "1"})
    assert [entry["manager"] for entry in made["metadata"]["managedFields"]] == ["tester"]


def test_a_dry_run_stores_nothing(site: Any) -> None:
    reply = site.ask("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "a"}})
    assert reply.status == 201
    assert site.ask("GET", f"{MAPS}/a").status == 404


def test_unknown_fields_are_warned_of(site: Any) -> None:
    reply = site.ask("POST", MAPS, {"metadata": {"name": "a"}, "dta": {}})
    assert (reply.status, reply.warnings) == (201, ['unknown field "dta"'])
    assert reply.headers["warning"] == r'299 - "unknown field \"dta\""'


def test_unknown_and_repeated_fields_are_refused_strictly(site: Any) -> None:
    body = b'{"metadata":{"name":"a"},"data":{"x":"1","x":"2"},"dta":{}}'
    reply = site.ask("POST", f"{MAPS}?fieldValidation=Strict", body)
    assert reply.status == 400
    assert reply.json["message"].endswith(
        'strict decoding error: duplicate field "data.x", unknown field "dta"'
    )


@pytest.mark.parametrize(
    ("timeout", "problem"),
    [
        ("x", 'invalid duration \\"x\\"'),
        ("-", 'invalid duration \\"-\\"'),
        ("5", 'missing unit in duration \\"5\\"'),
        ("1d", 'unknown unit \\"d\\" in duration \\"1d\\"'),
        ("1h5", 'missing unit in duration \\"1h5\\"'),
        ("0", ""),
        ("-1.5h30m", ""),
    ],
)
def test_a_timeout_is_a_duration(site: Any, timeout: str, problem: str) -> None:
    reply = site.ask("GET", f"{MAPS}?timeout={timeout}")
    assert reply.status == (400 if problem else 200)
    assert problem in reply.answer.body.decode()
    assert site.ask("GET", f"{MAPS}?watch=1&timeout={timeout}").status == 200


def test_only_a_get_watches(site: Any) -> None:
    for path in ("/api/v1/watch/pods", "/api/v1/watch/namespaces/default/pods"):
        reply = site.ask("POST", path, {})
        assert (reply.status, reply.json["reason"]) == (405, "MethodNotAllowed")


def test_a_namespace_says_that_it_goes_only_when_it_does(site: Any) -> None:
    path = "/api/v1/namespaces/default"
    kept = site.ask("PATCH", path, {"spec": {"finalizers": []}}, headers=MERGE)
    assert kept.json["spec"] == {"finalizers": ["kubernetes"]}
    told = {"status": {"phase": "Terminating"}}
    refused = site.ask("PATCH", f"{path}/status", told, headers=MERGE)
    assert refused.status == 422
    assert "may only be 'Active' if `deletionTimestamp` is empty" in refused.json["message"]


def test_a_yaml_client_gets_yaml(site: Any) -> None:
    headers = {"content-type": "application/yaml", "accept": "application/yaml"}
    reply = site.ask("POST", MAPS, b"metadata: {name: a}\ndata: {x: '1'}\n", headers=headers)
    assert reply.status == 201
    assert b"data:\n  x: '1'\n" in reply.answer.body or b'x: "1"' in reply.answer.body


def test_server_side_apply_names_the_other_manager(site: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    assert site.ask("PATCH", f"{MAPS}/a?fieldManager=one", body, headers=APPLY).status == 201
    other = body | {"data": {"x": "2"}}
    refused = site.ask("PATCH", f"{MAPS}/a?fieldManager=two", other, headers=APPLY)
    assert refused.status == 409
    assert refused.json["message"].endswith('conflict with "one": .data.x')
    forced = f"{MAPS}/a?fieldManager=two&force=true"
    assert site.ask("PATCH", forced, other, headers=APPLY).json["data"] == {"x": "2"}


def test_pages_show_the_moment_of_the_first(site: Any) -> None:
    for name in "abc":
        site.make(MAPS, "ConfigMap", name)
    first = site.ask("GET", f"{MAPS}?limit=2").json
    assert first["metadata"]["remainingItemCount"] == 1
    site.ask("DELETE", f"{MAPS}/c")
    token = first["metadata"]["continue"]
    second = site.ask("GET", f"{MAPS}?limit=2&continue={token}").json
    assert [item["metadata"]["name"] for item in second["items"]] == ["c"]
    assert "continue" not in second["metadata"]


def test_an_expired_page_gives_a_token_to_go_on(site: Any) -> None:
    for name in "abc":
        site.make(MAPS, "ConfigMap", name)
    token = site.ask("GET", f"{MAPS}?limit=1").json["metadata"]["continue"]
    site.make(MAPS, "ConfigMap", "d")
    site.api.store.compact(site.api.store.revision)
    gone = site.ask("GET", f"{MAPS}?limit=1&continue={token}")
    assert (gone.status, gone.json["reason"]) == (410, "Expired")
    rest = site.ask("GET", f"{MAPS}?continue={gone.json['metadata']['continue']}").json
    assert [item["metadata"]["name"] for item in rest["items"]] == ["b", "c", "d"]


def test_a_watch_tells_what_comes_to_match_and_what_leaves(site: Any) -> None:
    watch = site.ask("GET", f"{MAPS}?watch=1&labelSelector=app%3Dx")
    site.make(MAPS, "ConfigMap", "a")
    site.ask("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"app": "x"}}}, headers=MERGE)
    site.ask("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"app": "y"}}}, headers=MERGE)
    told = [(e["type"], e["object"]["metadata"]["labels"]["app"]) for e in watch.events()]
    assert told == [("ADDED", "x"), ("DELETED", "x")]


def test_a_streaming_list_marks_its_end(site: Any) -> None:
    site.make(MAPS, "ConfigMap", "a")
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    events = site.ask("GET", f"{MAPS}?{query}&allowWatchBookmarks=true").events()
    assert [e["type"] for e in events] == ["ADDED", "BOOKMARK"]
    marked = events[1]["object"]["metadata"]["annotations"]
    assert marked == {"k8s.io/initial-events-end": "true"}


def test_a_watch_from_a_compacted_version_ends_with_an_error(site: Any) -> None:
    for name in "ab":
        site.make(MAPS, "ConfigMap", name)
    site.api.store.compact(site.api.store.revision)
    (event,) = site.ask("GET", f"{MAPS}?watch=1&resourceVersion=2").events()
    assert (event["type"], event["object"]["reason"]) == ("ERROR", "Expired")


def test_large_bodies_are_refused(site: Any) -> None:
    reply = site.ask("POST", MAPS, b"{" + b" " * 3 * 1024 * 1024)
    assert (reply.status, reply.json["reason"]) == (413, "RequestEntityTooLarge")


def test_deep_nesting_is_refused(site: Any) -> None:
    body = b'{"data":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert site.ask("POST", MAPS, body).status == 400


def test_an_alias_bomb_is_refused(site: Any) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    headers = {"content-type": "application/yaml"}
    assert site.ask("POST", MAPS, "\n".join(lines).encode(), headers=headers).status == 400


PATHS = st.sampled_from(
    [
        MAPS,
        f"{MAPS}/a",
        "/api/v1/namespaces",
        "/api/v1/namespaces/default",
        "/api/v1/namespaces/default/pods",
        "/api/v1/namespaces/default/services/a",
        "/apis/apps/v1/namespaces/default/deployments",
        "/apis/apps/v1/namespaces/default/deployments/a/scale",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis",
        "/openapi/v3/api/v1",
        "/version",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "name", "labels", "spec", "data", "kind", "template", "containers"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "application/vnd.kubernetes.protobuf",
        "text/html",
    ]
)
OPTIONS = (
    *("limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector", "dryRun"),
    *("fieldSelector", "fieldManager", "force", "propagationPolicy", "gracePeriodSeconds"),
)
QUERY = st.dictionaries(
    st.sampled_from(OPTIONS),
    st.sampled_from(["", "1", "-1", "All", "a=b", "a in (b", "abc", "true", "0", "%00", "💥"]),
    max_size=3,
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"]),
    path=PATHS,
    query=QUERY,
    kind=TYPES,
    body=VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60),
)
def test_no_request_meets_an_unhandled_error(
    module_site: Any, method: str, path: str, query: dict[str, str], kind: str, body: bytes
) -> None:
    """A 500 is an answer only where the real server has it, which is with a message of its own."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    headers = {"content-type": kind}
    reply = module_site.ask(method, f"{path}?{asked}", body, headers=headers)
    assert 200 <= reply.status < 600
    if reply.status == 500:
        assert reply.json["message"]


def test_a_scale_is_shown_as_a_table(site: Any) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments"
    spec = {
        "replicas": 3,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    }
    site.make(path, "Deployment", "web", spec=spec)
    accept = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    table = site.ask("GET", f"{path}/web/scale", headers=accept).json
    assert [column["name"] for column in table["columnDefinitions"]][1:3] == [
        "Desired",
        "Available",
    ]
    assert table["rows"][0]["cells"][:3] == ["web", 3, 0]


def test_no_token_is_kept_in_the_log_of_the_door(site: Any) -> None:
    headers = {"authorization": "Bearer very-secret", "cookie": "c=very-secret"}
    body = {"metadata": {"name": "a"}}
    asked = {"impersonate-user": "system:admin", "impersonate-group": "system:masters"}
    assert site.ask("POST", MAPS, body, headers=headers | asked).status == 201
    log = site.door.to_jsonl()
    assert b"very-secret" not in log
    assert b"system:admin" in log


def test_what_would_change_something_is_in_the_audit_log_and_reads_are_not(site: Any) -> None:
    site.make(MAPS, "ConfigMap", "a")
    site.ask("GET", MAPS)
    site.ask("PATCH", f"{MAPS}/none", {"data": {}}, headers=MERGE)
    site.ask("DELETE", f"{MAPS}/a", by=site.users["limited"])
    site.ask("DELETE", f"{MAPS}/a", headers={"impersonate-user": "eve"})
    told = site.api.journal.facts(RequestAudited)
    assert [(f.user, f.impersonated_by, f.verb, f.name, f.code) for f in told] == [
        ("admin", "", "create", "", 201),
        ("admin", "", "patch", "none", 404),
        ("limited", "", "delete", "a", 403),
        ("eve", "admin", "delete", "a", 403),
    ]
    assert {(f.cluster, f.resource, f.namespace) for f in told} == {
        ("cluster", "configmaps", "default")
    }


def test_the_audit_log_has_what_webhooks_say_of_a_request(site: Any) -> None:
    def answer(review: dict[str, Any], _: Any) -> dict[str, Any]:
        notes = {"seen": "twice"}
        response = {"uid": review["request"]["uid"], "allowed": True, "auditAnnotations": notes}
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"} | {
            "response": response
        }

    site.api.webhooks.functions["https://hook"] = answer
    webhook = {
        "name": "check.example.com",
        "clientConfig": {"url": "https://hook"},
        "rules": [
            {
                "operations": ["*"],
                "apiGroups": ["apps"],
                "apiVersions": ["*"],
                "resources": ["*/scale"],
            }
        ],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    group = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    site.ask("POST", group, {"metadata": {"name": "hooks"}, "webhooks": [webhook]})
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "web:1"}]},
    }
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    site.make(deployments, "Deployment", "web", spec=spec)
    site.ask("PATCH", f"{deployments}/web/scale", {"spec": {"replicas": 2}}, headers=MERGE)
    told = site.api.journal.facts(RequestAudited)[-1]
    assert (told.resource, told.code) == ("deployments.apps/scale", 200)
    assert told.annotations == (("check.example.com/seen", "twice"),)
