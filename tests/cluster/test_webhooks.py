"""Functions as webhooks of a whole cluster: they judge controllers too, and a replay has them."""

from __future__ import annotations

import base64
import json
from typing import Any

from gitops_sim import Lab
from gitops_sim.protocols import Cluster

HOOK = "sidecars.tools/inject"
CONFIGURATION: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "sidecars"},
    "webhooks": [
        {
            "name": "sidecars.example.com",
            "clientConfig": {
                "service": {"name": "sidecars", "namespace": "tools", "path": "/inject"}
            },
            "rules": [
                {
                    "operations": ["CREATE"],
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "resources": ["pods"],
                }
            ],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "NoneOnDryRun",
        }
    ],
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "shop/web:1"}]},
        },
    },
}


def inject(review: dict[str, Any], cluster: Cluster) -> dict[str, Any]:
    """Add a sidecar, and count the pods so far in a ConfigMap."""
    pods = len(cluster.list("v1/Pod", "default"))
    count = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "count"}}
    cluster.apply(count | {"data": {"pods": str(pods)}}, field_manager="inject", force=True)
    sidecar = {"name": "proxy", "image": "proxy:1"}
    patch = [{"op": "add", "path": "/spec/containers/-", "value": sidecar}]
    response = {
        "uid": review["request"]["uid"],
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
    }
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": response,
    }


def test_pods_of_controllers_get_sidecars_and_a_fork_repeats_it() -> None:
    lab = Lab(seed=3)
    cluster = lab.cluster("staging")
    cluster.simulated.webhook(HOOK, inject)
    cluster.create(CONFIGURATION)
    cluster.apply(DEPLOYMENT, field_manager="me")
    lab.run("30s")
    pods = cluster.list("v1/Pod", "default")
    assert [[c["name"] for c in pod["spec"]["containers"]] for pod in pods] == [
        ["web", "proxy"],
        ["web", "proxy"],
    ]
    assert cluster.get("v1/ConfigMap", "count", "default")["data"] == {"pods": "1"}
    fork = lab.fork()
    assert fork.journal.to_jsonl() == lab.journal.to_jsonl()


def test_a_function_that_is_taken_away_leaves_nobody_behind_the_service() -> None:
    lab = Lab(seed=3)
    cluster = lab.cluster("staging")
    cluster.simulated.webhook(HOOK, inject)
    cluster.create(CONFIGURATION)
    cluster.simulated.webhook(HOOK, None)
    cluster.apply(DEPLOYMENT, field_manager="me")
    lab.run("10s")
    assert cluster.list("v1/Pod", "default") == []
    events = [event["message"] for event in cluster.list("v1/Event", "default")]
    expected = (
        "Error creating: Internal error occurred: failed calling webhook "
        '"sidecars.example.com": failed to call webhook: Post '
        '"https://sidecars.tools.svc:443/inject?timeout=10s": service "sidecars" not found'
    )
    assert expected in events
