"""Webhooks: what they are asked, how they change and deny, and what happens without an answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.apiserver.users import Caller
from gitops_sim.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    InternalError,
    WebhookDeniedError,
)
from gitops_sim.protocols import Cluster

GROUP = "admissionregistration.k8s.io"
URL = "https://hooks.example.com/admit"
RULE = {
    "operations": ["CREATE", "UPDATE"],
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "resources": ["configmaps"],
}
Review = dict[str, Any]


def configure(client: InProcessClient, kind: str, **webhook: Any) -> None:
    told = {
        "name": "check.example.com",
        "clientConfig": {"url": URL},
        "rules": [RULE],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    metadata = {"name": "hooks"}
    manifest = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}
    client.create(manifest | {"webhooks": [told | webhook]})


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def answering(**response: Any) -> Callable[[Review, Cluster], Review]:
    """Return a webhook that answers everything alike."""
    return lambda review, _: {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": review["request"]["uid"], "allowed": True} | response,
    }


def patching(
    *operations: dict[str, Any], patch_type: str = "JSONPatch"
) -> Callable[[Review, Cluster], Review]:
    patch = base64.b64encode(json.dumps(list(operations)).encode()).decode()
    return answering(patchType=patch_type, patch=patch)


def test_a_webhook_is_asked_with_a_whole_review(server: ApiServer, client: InProcessClient) -> None:
    asked: list[Review] = []

    def answer(review: Review, cluster: Cluster) -> Review:
        asked.append(review)
        return answering()(review, cluster)

    server.webhooks.functions[URL] = answer
    configure(client, "ValidatingWebhookConfiguration")
    client.create(config_map(x="1"))
    (review,) = asked
    request = review["request"]
    assert (review["kind"], review["apiVersion"]) == ("AdmissionReview", "admission.k8s.io/v1")
    assert (request["operation"], request["name"], request["namespace"]) == (
        "CREATE",
        "a",
        "default",
    )
    assert request["object"]["data"] == {"x": "1"}
    assert request["oldObject"] is None


def test_a_mutating_webhook_changes_what_is_stored(
    server: ApiServer, client: InProcessClient
) -> None:
    operation = {"op": "add", "path": "/metadata/labels", "value": {"seen": "yes"}}
    server.webhooks.functions[URL] = patching(operation)
    configure(client, "MutatingWebhookConfiguration")
    client.create(config_map())
    assert client.get("v1/ConfigMap", "a")["metadata"]["labels"] == {"seen": "yes"}


def test_a_patched_object_gets_its_defaults(server: ApiServer, client: InProcessClient) -> None:
    sidecar = {"name": "proxy", "image": "proxy:1"}
    server.webhooks.functions[URL] = patching(
        {"op": "add", "path": "/spec/containers/-", "value": sidecar}
    )
    rule = RULE | {"resources": ["pods"]}
    configure(client, "MutatingWebhookConfiguration", rules=[rule])
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    made = client.create(pod | {"spec": {"containers": [{"name": "app", "image": "app:1"}]}})
    assert made["spec"]["containers"][1]["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        ({"message": "no maps on Mondays", "code": 403}, 403, ": no maps on Mondays"),
        ({"reason": "Tired"}, 400, ": Tired"),
        ({}, 400, " without explanation"),
    ],
)
def test_a_denial_is_told_in_the_words_of_the_webhook(
    server: ApiServer, client: InProcessClient, status: dict[str, Any], code: int, text: str
) -> None:
    server.webhooks.functions[URL] = answering(allowed=False, status=status)
    configure(client, "ValidatingWebhookConfiguration")
    with pytest.raises(ApiError) as denied:
        client.create(config_map())
    assert denied.value.code == code
    told = f'admission webhook "check.example.com" denied the request{text}'
    assert str(denied.value) == told


def test_warnings_reach_the_caller(server: ApiServer, client: InProcessClient) -> None:
    server.webhooks.functions[URL] = answering(warnings=["think twice"])
    configure(client, "ValidatingWebhookConfiguration")
    caller = Caller()
    with server.called_by(caller):
        client.create(config_map())
    assert caller.warnings == ["think twice"]


def test_a_webhook_that_cannot_be_reached_fails_the_request_unless_ignored(
    client: InProcessClient,
) -> None:
    configure(client, "ValidatingWebhookConfiguration")
    with pytest.raises(InternalError) as failed:
        client.create(config_map())
    assert str(failed.value) == (
        'Internal error occurred: failed calling webhook "check.example.com": failed to call '
        f'webhook: Post "{URL}?timeout=10s": dial tcp: lookup hooks.example.com: no such host'
    )
    hooks = [{"op": "add", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
    client.patch(f"{GROUP}/v1/ValidatingWebhookConfiguration", "hooks", hooks, type="json")
    client.create(config_map())


def test_a_service_is_an_address_too(server: ApiServer, client: InProcessClient) -> None:
    config = {"service": {"name": "hooks", "namespace": "tools", "path": "/admit"}}
    configure(client, "ValidatingWebhookConfiguration", clientConfig=config)
    with pytest.raises(InternalError, match='service "hooks" not found'):
        client.create(config_map())
    server.webhooks.functions["hooks.tools/admit"] = answering()
    client.create(config_map())


def test_conditions_and_selectors_choose_what_is_asked(
    server: ApiServer, client: InProcessClient
) -> None:
    server.webhooks.functions[URL] = answering(allowed=False, status={"code": 403})
    configure(
        client,
        "ValidatingWebhookConfiguration",
        matchConditions=[{"name": "big", "expression": "size(object.data) > 1"}],
        objectSelector={"matchExpressions": [{"key": "free", "operator": "DoesNotExist"}]},
    )
    client.create(config_map("small", x="1"))
    free = config_map("free", x="1", y="2")
    client.create(free | {"metadata": {"name": "free", "labels": {"free": "yes"}}})
    with pytest.raises(WebhookDeniedError):
        client.create(config_map("big", x="1", y="2"))


def test_a_webhook_may_list_and_patch_through_the_api_while_it_is_asked(
    server: ApiServer, client: InProcessClient
) -> None:
    client.create(config_map("ledger", seen="0"))

    def count(review: Review, cluster: Cluster) -> Review:
        if review["request"]["name"] != "ledger":
            seen = str(len(cluster.list("v1/ConfigMap", "default")))
            cluster.patch("v1/ConfigMap", "ledger", {"data": {"seen": seen}}, "default")
        return answering()(review, cluster)

    server.webhooks.functions[URL] = count
    configure(client, "ValidatingWebhookConfiguration")
    client.create(config_map("a"))
    client.create(config_map("b"))
    ledger = client.get("v1/ConfigMap", "ledger")
    assert ledger["data"] == {"seen": "2"}  # the ledger and a: b is not there yet
    assert {e["manager"] for e in ledger["metadata"]["managedFields"]} >= {URL}


def interfering(turns: int) -> Callable[[Review, Cluster], Review]:
    """Return a webhook that changes the object itself, so often, while it is asked about it."""
    left = iter(range(turns))

    def answer(review: Review, cluster: Cluster) -> Review:
        turn = next(left, None)
        if turn is not None and review["request"]["userInfo"]["username"] == "system:apiserver":
            list(left)
            cluster.patch("v1/ConfigMap", "a", {"data": {"other": str(turn)}}, "default")
        return answering()(review, cluster)

    return answer


def test_a_patch_that_was_overtaken_meanwhile_is_done_again_on_the_new_object(
    server: ApiServer, client: InProcessClient
) -> None:
    client.create(config_map(x="1"))
    server.webhooks.functions[URL] = interfering(1)
    configure(client, "ValidatingWebhookConfiguration")
    client.patch("v1/ConfigMap", "a", {"data": {"x": "2"}})
    assert client.get("v1/ConfigMap", "a")["data"] == {"x": "2", "other": "0"}


def test_an_update_of_a_version_that_was_overtaken_meanwhile_is_a_conflict(
    server: ApiServer, client: InProcessClient
) -> None:
    made = client.create(config_map(x="1"))
    server.webhooks.functions[URL] = interfering(1)
    configure(client, "ValidatingWebhookConfiguration")
    with pytest.raises(ConflictError, match="the object has been modified"):
        client.update(made | {"data": {"x": "2"}})
    assert client.get("v1/ConfigMap", "a")["data"] == {"x": "1", "other": "0"}


def test_a_delete_that_was_overtaken_meanwhile_heeds_the_new_finalizer(
    server: ApiServer, client: InProcessClient
) -> None:
    client.create(config_map(x="1"))

    def hold(review: Review, cluster: Cluster) -> Review:
        held = {"metadata": {"finalizers": ["example.com/hold"]}}
        cluster.patch("v1/ConfigMap", "a", held, "default")
        return answering()(review, cluster)

    server.webhooks.functions[URL] = hold
    rules = [RULE | {"operations": ["DELETE"]}]
    configure(client, "ValidatingWebhookConfiguration", rules=rules)
    client.delete("v1/ConfigMap", "a")
    left = client.get("v1/ConfigMap", "a")["metadata"]
    assert left["finalizers"] == ["example.com/hold"]
    assert "deletionTimestamp" in left


def test_a_webhook_that_asks_for_it_sees_what_a_later_one_changed(
    server: ApiServer, client: InProcessClient
) -> None:
    seen: list[Any] = []

    def first(review: Review, cluster: Cluster) -> Review:
        seen.append(review["request"]["object"].get("data"))
        return answering()(review, cluster)

    server.webhooks.functions["https://first"] = first
    server.webhooks.functions["https://second"] = patching(
        {"op": "add", "path": "/data/y", "value": "2"}
    )
    base = {"rules": [RULE], "admissionReviewVersions": ["v1"], "sideEffects": "None"}
    hooks = [
        base | {"name": f"{name}.example.com", "clientConfig": {"url": f"https://{name}"}} | more
        for name, more in (("first", {"reinvocationPolicy": "IfNeeded"}), ("second", {}))
    ]
    kind = "MutatingWebhookConfiguration"
    metadata = {"name": "two"}
    client.create(
        {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "webhooks": hooks}
    )
    caller = Caller()
    with server.called_by(caller):
        client.create(config_map(x="1"))
    assert seen == [{"x": "1"}, {"x": "1", "y": "2"}]
    told = '{"configuration":"two","webhook":"second.example.com","mutated":true}'
    assert caller.annotations["mutation.webhook.admission.k8s.io/round_0_index_1"] == told
    assert "mutation.webhook.admission.k8s.io/round_1_index_0" in caller.annotations


def test_a_new_object_has_no_identity_yet_for_a_mutating_webhook(
    server: ApiServer, client: InProcessClient
) -> None:
    asked: list[Review] = []

    def answer(review: Review, cluster: Cluster) -> Review:
        asked.append(review["request"])
        return answering()(review, cluster)

    server.webhooks.functions[URL] = answer
    configure(client, "MutatingWebhookConfiguration")
    made = config_map()
    made["metadata"] = {"generateName": "a-"}
    client.create(made)
    assert "name" not in asked[0]
    assert not {"name", "uid", "creationTimestamp"} & asked[0]["object"]["metadata"].keys()


def test_a_request_in_another_version_is_shown_in_the_one_of_the_rules(
    server: ApiServer, client: InProcessClient
) -> None:
    asked: list[Review] = []

    def answer(review: Review, cluster: Cluster) -> Review:
        asked.append(review["request"])
        return answering()(review, cluster)

    server.webhooks.functions[URL] = answer
    rule = RULE | {
        "apiGroups": ["autoscaling"],
        "apiVersions": ["v2"],
        "resources": ["horizontalpodautoscalers"],
    }
    configure(client, "ValidatingWebhookConfiguration", rules=[rule])
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3}
    kind = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler"}
    client.create(kind | {"metadata": {"name": "web"}, "spec": spec})
    (request,) = asked
    assert request["kind"]["version"] == request["object"]["apiVersion"][-2:] == "v2"
    assert request["requestKind"]["version"] == "v1"


def test_a_deletion_shows_the_old_object_and_may_be_denied(
    server: ApiServer, client: InProcessClient
) -> None:
    client.create(config_map(x="1"))
    asked: list[Review] = []

    def answer(review: Review, cluster: Cluster) -> Review:
        asked.append(review["request"])
        return answering(allowed=False, status={"message": "keep it"})(review, cluster)

    server.webhooks.functions[URL] = answer
    configure(client, "ValidatingWebhookConfiguration", rules=[RULE | {"operations": ["DELETE"]}])
    with pytest.raises(WebhookDeniedError, match="denied the request: keep it"):
        client.delete("v1/ConfigMap", "a")
    assert (asked[0]["object"], asked[0]["oldObject"]["data"]) == (None, {"x": "1"})


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda r, _: r, "received invalid webhook response: webhook response was absent"),
        (
            lambda r, _: {**r, "response": {"uid": "x", "allowed": True}},
            'received invalid webhook response: expected response.uid="',
        ),
        (
            lambda r, _: {"response": {"uid": r["request"]["uid"], "allowed": True}},
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got , Kind=",
        ),
        (
            answering(patch="W10="),
            "webhook returned response.patch but not response.patchType",
        ),
        (
            patching({"op": "test", "path": "/kind", "value": "ConfigMap"}, patch_type="Merge"),
            'unsupported patch type "Merge"',
        ),
        (
            lambda r, _: r["no such member"],
            "failed to call webhook: an error on the server (\"KeyError: 'no such member'\") has",
        ),
    ],
)
def test_an_answer_that_is_none_fails_the_request(
    server: ApiServer, client: InProcessClient, answer: Any, problem: str
) -> None:
    server.webhooks.functions[URL] = answer
    configure(client, "MutatingWebhookConfiguration")
    with pytest.raises(InternalError) as failed:
        client.create(config_map())
    begin = 'Internal error occurred: failed calling webhook "check.example.com": '
    assert str(failed.value).startswith(begin)
    assert problem in str(failed.value)


def test_a_webhook_that_calls_itself_is_given_up(
    server: ApiServer, client: InProcessClient
) -> None:
    def answer(review: Review, cluster: Cluster) -> Review:
        cluster.create(config_map(review["request"]["name"] + "a"))
        return answering()(review, cluster)

    server.webhooks.functions[URL] = answer
    configure(client, "ValidatingWebhookConfiguration")
    with pytest.raises(InternalError, match="has prevented the request from succeeding"):
        client.create(config_map())


def test_a_condition_that_cannot_be_evaluated_refuses_the_request(
    server: ApiServer, client: InProcessClient
) -> None:
    server.webhooks.functions[URL] = answering()
    conditions = [{"name": "big", "expression": "object.data.size == 'large'"}]
    configure(client, "ValidatingWebhookConfiguration", matchConditions=conditions)
    with pytest.raises(ForbiddenError, match='configmaps "a" is forbidden: expression'):
        client.create(config_map())
