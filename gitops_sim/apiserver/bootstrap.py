"""What an API server makes at its start: roles, priority classes, flow schemas, its Service.

Source: k8s.io/kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy, by
`tools/generate_bootstrap.py`; pkg/controlplane/controller/kubernetesservice.
Differs: no request is held back by a FlowSchema and its priority level.
"""

from __future__ import annotations

import json
import lzma
from functools import cache
from importlib.resources import files

from gitops_sim.apiserver.server import ApiServer
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["own_service", "store_first_objects"]

_PORT = 6443


def store_first_objects(server: ApiServer) -> None:
    """Store the objects of a new server, as it does itself: no admission, and no facts."""
    time = server.clock.timestamp()
    for manifest in json.loads(_text()):
        metadata = manifest["metadata"]
        metadata["uid"] = server.clock.uid(f"uids/{server.name}")
        metadata["creationTimestamp"] = time
        for entry in metadata.get("managedFields", ()):
            entry["time"] = time
        for condition in manifest.get("status", {}).get("conditions", ()):
            condition["lastTransitionTime"] = time
        group = manifest["apiVersion"].rpartition("/")[0]
        kind = Kind(group, manifest["kind"])
        server.store.put(kind, manifest, expected=None, time=server.clock.now())


def own_service() -> Manifest:
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
def _text() -> bytes:
    packed = (files("gitops_sim.apiserver") / "data" / "bootstrap.json.xz").read_bytes()
    return lzma.decompress(packed)
