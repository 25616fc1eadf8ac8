"""Subresources that are more than a part of their object: scale, binding, finalize.

Source: k8s.io/kubernetes, pkg/registry/apps/deployment/storage (ScaleREST), core/pod/storage
(BindingREST), core/namespace/storage (FinalizeREST).
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apimachinery.patches import json_patch, merge_patch
from gitops_sim.apimachinery.status_errors import conflict, not_found
from gitops_sim.apiserver.server import ApiServer, storage_kind
from gitops_sim.apiserver.writing import patch
from gitops_sim.errors import BadRequestError
from gitops_sim.protocols import PatchType
from gitops_sim.types import Manifest

__all__ = ["bind", "patch_scale", "scale_of"]


def scale_of(manifest: Manifest) -> Manifest:
    """Return the Scale of a workload."""
    metadata = manifest["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": (manifest.get("spec") or {}).get("replicas", 0)},
        "status": {"replicas": (manifest.get("status") or {}).get("replicas", 0)},
    }


def patch_scale(
    server: ApiServer,
    resource_type: ResourceType,
    namespace: str,
    name: str,
    body: Any,
    *,
    kind: PatchType,
    manager: str,
    dry_run: bool = False,
) -> Manifest:
    """Change `spec.replicas` through the scale subresource; return the Scale."""
    live = server.find(resource_type, namespace, name)
    scale = scale_of(live)
    changed = json_patch(scale, body) if kind == "json" else merge_patch(scale, body)
    replicas = (changed.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        raise BadRequestError(f"spec.replicas: {replicas!r} must be 0 or more")
    stored = patch(
        server,
        resource_type,
        namespace,
        name,
        {"spec": {"replicas": replicas}},
        kind="merge",
        manager=manager,
        dry_run=dry_run,
    )
    return scale_of(stored)


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
        raise conflict(pods, name, detail)
    return patch(
        server,
        pods,
        namespace,
        name,
        {"spec": {"nodeName": node}, "status": {"conditions": _scheduled(server, pod)}},
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
