"""Webhooks: what they are asked, how they change and deny, and what happens without an answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.apiserver.users import Caller
from gitops_sim.errors import ApiError, InternalError, WebhookDeniedError
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


def patching(*operations: dict[str, Any]) -> Callable[[Review, Cluster], Review]:
    patch = base64.b64encode(json.dumps(list(operations)).encode()).decode()
    return answering(patchType="JSONPatch", patch=patch)


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
