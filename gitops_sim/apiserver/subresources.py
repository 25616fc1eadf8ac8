"""Subresources that are more than a part of their object: binding.

Source: k8s.io/kubernetes, pkg/registry/core/pod/storage (BindingREST).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_sim.apimachinery.status_errors import conflict, not_found
from gitops_sim.apiserver.pod_creation import place_labels
from gitops_sim.apiserver.server import ApiServer, storage_kind
from gitops_sim.apiserver.writing import patch
from gitops_sim.types import Manifest

__all__ = ["bind"]


def bind(server: ApiServer, binding: Manifest, *, manager: str) -> Manifest:
    """Put a pod on a node, as the scheduler does; return the pod."""
    pods = server.kinds.lookup("v1/Pod")
    metadata = binding["metadata"]
    namespace, name = metadata.get("namespace") or "default", metadata["name"]
    pod = server.store.get(storage_kind(pods), namespace, name)
    if pod is None:
        raise not_found(pods, name)
    node = binding["target"]["name"]
    if pod["spec"].get("nodeName"):
        detail = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        raise conflict(replace(pods, plural="pods/binding"), name, detail)
    places = place_labels(server, node)
    return patch(
        server,
        pods,
        namespace,
        name,
        {
            "spec": {"nodeName": node},
            "status": {"conditions": _scheduled(server, pod), "nominatedNodeName": None},
        }
        | ({"metadata": {"labels": places}} if places else {}),
        kind="merge",
        manager=manager,
        subresource="binding",
    )


def _scheduled(server: ApiServer, pod: Manifest) -> list[dict[str, Any]]:
    """Return the pod's conditions with PodScheduled, which the server sets with the binding."""
    others = [
        condition
        for condition in (pod.get("status") or {}).get("conditions") or ()
        if condition["type"] != "PodScheduled"
    ]
    now = server.clock.timestamp()
    told = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
    return [*others, told | {"lastTransitionTime": now}]
