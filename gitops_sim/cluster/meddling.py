"""A mutating webhook that changes what is applied: one that somebody installed, and Git knows not.

Source: Kubernetes, documentation of dynamic admission control.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_sim.apiserver import ApiServer, InProcessClient
from gitops_sim.types import Manifest

__all__ = ["install", "remove"]

_KIND = "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration"


def install(server: ApiServer, resource: str, patch: Sequence[Mapping[str, Any]]) -> None:
    """Let a JSON patch change every object of a resource when it is created or updated.

    Args:
        server: Of the cluster.
        resource: Such as `deployments`.
        patch: Its operations.
    """
    encoded = base64.b64encode(json.dumps(list(patch)).encode()).decode()

    def answer(review: Manifest, _: object) -> Manifest:
        response = {"uid": review["request"]["uid"], "allowed": True}
        response |= {"patchType": "JSONPatch", "patch": encoded}
        return {key: review[key] for key in ("apiVersion", "kind")} | {"response": response}

    name, url = _name(resource), _url(resource)
    server.webhooks.functions[url] = answer
    rule = {"operations": ["CREATE", "UPDATE"], "apiGroups": ["*"], "apiVersions": ["*"]}
    webhook = {
        "name": name,
        "clientConfig": {"url": url},
        "rules": [rule | {"resources": [resource]}],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    group, _, kind = _KIND.rpartition("/")
    manifest: Manifest = {"apiVersion": group, "kind": kind, "metadata": {"name": name}}
    _client(server).create(manifest | {"webhooks": [webhook]})


def remove(server: ApiServer, resource: str) -> None:
    """Take it away again; what it changed stays until someone writes it anew."""
    _client(server).delete(_KIND, _name(resource))
    server.webhooks.functions.pop(_url(resource), None)


def _client(server: ApiServer) -> InProcessClient:
    return InProcessClient(server, "helm")


def _name(resource: str) -> str:
    return f"{resource}.meddling.example.com"


def _url(resource: str) -> str:
    return f"https://meddling.example.com/{resource}"
