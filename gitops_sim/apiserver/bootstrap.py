"""What an API server makes at its start: roles, priority classes, flow schemas, its Service.

Source: k8s.io/kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy, by
`tools/generate_bootstrap.py`; pkg/controlplane/controller/kubernetesservice.
Differs: no request is held back by a FlowSchema and its priority level.
"""

from __future__ import annotations

import base64
import json
import lzma
from functools import cache
from importlib.resources import files

from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["STAND_IN_CERTIFICATE", "own_objects", "store_first_objects"]

_PORT = 6443
_BODY = base64.b64encode(b"the certificate authority of a simulated cluster").decode()
STAND_IN_CERTIFICATE = f"-----BEGIN CERTIFICATE-----\n{_BODY}\n-----END CERTIFICATE-----\n"
"""What objects show for the cluster's authority: nothing inside the simulation verifies it."""


def store_first_objects(server: ApiServer) -> None:
    """Store the objects of a new server, as it does itself: no admission, and no facts."""
    time = server.clock.timestamp()
    for common in _objects():
        metadata = common["metadata"] | {
            "uid": server.clock.uid(f"uids/{server.name}"),
            "creationTimestamp": time,
        }
        if "managedFields" in metadata:
            metadata["managedFields"] = [e | {"time": time} for e in metadata["managedFields"]]
        manifest = common | {"metadata": metadata}
        status = common.get("status", {})
        if "conditions" in status:
            told = [c | {"lastTransitionTime": time} for c in status["conditions"]]
            manifest["status"] = status | {"conditions": told}
        group = manifest["apiVersion"].rpartition("/")[0]
        kind = Kind(group, manifest["kind"])
        server.store.put(kind, manifest, expected=None, time=server.clock.now())


def own_objects(date: str) -> tuple[Manifest, ...]:
    """Return what the server keeps of itself: its Service, and what extension servers need to know.

    Args:
        date: Since when the use of old tokens is tracked, as `2026-01-05`.
    """
    proxies = {
        "client-ca-file": STAND_IN_CERTIFICATE,
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-client-ca-file": STAND_IN_CERTIFICATE,
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-username-headers": '["X-Remote-User"]',
    }
    return (
        _service(),
        _map("extension-apiserver-authentication", proxies),
        _map("kube-apiserver-legacy-service-account-token-tracking", {"since": date}),
    )


def _map(name: str, data: dict[str, str]) -> Manifest:
    metadata = {"name": name, "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _service() -> Manifest:
    """Return the Service by which pods reach the API server."""
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "protocol": "TCP", "port": 443, "targetPort": _PORT}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.96.0.1",
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            "ports": [port],
        },
    }


@cache
def _objects() -> tuple[Manifest, ...]:
    """Return what the first objects of all servers have in common; shared and read-only."""
    packed = (files("gitops_sim.apiserver") / "data" / "bootstrap.json.xz").read_bytes()
    return tuple(json.loads(lzma.decompress(packed)))
