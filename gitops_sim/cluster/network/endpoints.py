"""The Endpoints controller: the older form of the same, which is still written.

Source: k8s.io/kubernetes, pkg/controller/endpoint/endpoints_controller.go.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import Any

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.cluster.controlling import Context, ControllerSpec, step
from gitops_sim.cluster.network.backends import (
    backends,
    changes_endpoints,
    index_selectors,
    is_ready,
    is_terminating,
    services_of_pod,
    target_ports,
)
from gitops_sim.cluster.network.port_order import in_endpoints
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Request, Watched
from gitops_sim.types import Manifest

__all__ = ["ENDPOINTS"]

_MOST_ADDRESSES = 1000
_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
_CHANGED_AT = "endpoints.kubernetes.io/last-change-trigger-time"
_HEADLESS = "service.kubernetes.io/headless"
_OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
_KIND = "v1/Endpoints"


class _Endpoints:
    """The reconciler; a request is a Service, or Endpoints, by its name."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock = context.client, context.clock
        self._services = context.caches["v1/Service"]
        index_selectors(self._services)
        self._pods = context.caches["v1/Pod"]
        self._endpoints = context.caches[_KIND]

    def __call__(self, request: Request) -> Generator[Any, Any, None]:
        """Write the Endpoints of one Service, or delete those of one that is gone."""
        service = self._services.get(request.name, request.namespace)
        present = self._endpoints.get(request.name, request.namespace)
        if service is None:
            if present is not None and _is_ours(present):
                yield step("delete", present)
                self._delete(request)
            return
        spec = service.get("spec") or {}
        if not spec.get("selector") or spec.get("type") == "ExternalName":
            return
        pods = backends(service, self._pods)
        subsets = _subsets(service, _within_capacity(pods))
        labels = dict(service["metadata"].get("labels") or {}) | {_MANAGED_BY: _CONTROLLER}
        if spec.get("clusterIP") == "None":
            labels[_HEADLESS] = ""
        if present is None:
            yield from self._create(service, labels, subsets, self._notes(pods))
        elif (present.get("subsets") or []) != subsets or present["metadata"].get(
            "labels"
        ) != labels:
            yield from self._update(present, labels, subsets, self._notes(pods))

    def _notes(self, pods: Sequence[Manifest]) -> dict[str, str]:
        notes = {_CHANGED_AT: self._clock.timestamp()}
        return notes | ({_OVER_CAPACITY: "truncated"} if len(pods) > _MOST_ADDRESSES else {})

    def _create(
        self,
        service: Manifest,
        labels: dict[str, str],
        subsets: Sequence[Any],
        notes: dict[str, str],
    ) -> Generator[Any, Any, None]:
        metadata = service["metadata"]
        endpoints: Manifest = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "labels": labels,
                "annotations": notes,
            },
        }
        if subsets:
            endpoints["subsets"] = subsets
        yield step("create", endpoints)
        self._client.create(endpoints)

    def _update(
        self,
        present: Manifest,
        labels: dict[str, str],
        subsets: Sequence[Any],
        notes: dict[str, str],
    ) -> Generator[Any, Any, None]:
        changed = fresh_copy(present)
        changed["subsets"] = subsets
        changed["metadata"]["labels"] = labels
        annotations = changed["metadata"].setdefault("annotations", {})
        annotations.pop(_OVER_CAPACITY, None)
        annotations |= notes
        yield step("update", changed)
        try:
            self._client.update(changed)
        except NotFoundError:
            return  # deleted meanwhile: the cache will tell

    def _delete(self, request: Request) -> None:
        try:
            self._client.delete(_KIND, request.name, request.namespace)
        except NotFoundError:
            return  # gone already


_CONTROLLER = "endpoint-controller"


def _is_ours(endpoints: Manifest) -> bool:
    labels = endpoints["metadata"].get("labels") or {}
    return labels.get(_MANAGED_BY) == _CONTROLLER


def _subsets(service: Manifest, pods: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Return pods by their ports: ready addresses and others."""
    always = (service.get("spec") or {}).get("publishNotReadyAddresses")
    by_ports: dict[str, dict[str, Any]] = {}
    for pod in pods:
        if is_terminating(pod) and not always:
            continue
        ports = [_without_empty_name(port) for port in in_endpoints(target_ports(service, pod))]
        subset = by_ports.setdefault(json.dumps(ports), {})
        group = "addresses" if always or is_ready(pod) else "notReadyAddresses"
        subset.setdefault(group, []).append(_address(service, pod))
        subset["ports"] = ports
    return [
        {key: subset[key] for key in ("addresses", "notReadyAddresses", "ports") if key in subset}
        for subset in by_ports.values()
    ]


def _within_capacity(pods: Sequence[Manifest]) -> Sequence[Manifest]:
    """Return as many pods as Endpoints hold, ready ones rather than others."""
    if len(pods) <= _MOST_ADDRESSES:
        return pods
    kept = sorted(pods, key=lambda pod: not is_ready(pod))[:_MOST_ADDRESSES]
    return sorted(kept, key=lambda pod: str(pod["metadata"]["name"]))


def _without_empty_name(port: dict[str, Any]) -> dict[str, Any]:
    """Return a port as it is stored: a slice keeps an empty name, Endpoints do not."""
    return port if port["name"] else {k: v for k, v in port.items() if k != "name"}


def _address(service: Manifest, pod: Manifest) -> dict[str, Any]:
    metadata, spec = pod["metadata"], pod["spec"]
    address: dict[str, Any] = {"ip": pod["status"]["podIP"]}
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        address["hostname"] = spec["hostname"]
    address["nodeName"] = spec["nodeName"]
    address["targetRef"] = {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    return address


ENDPOINTS = ControllerSpec(
    "endpoints-controller",
    (
        Watched("v1/Service"),
        Watched("v1/Pod", requests=services_of_pod, predicate=changes_endpoints),
        Watched(_KIND),
    ),
    _Endpoints,
    component="endpoint-controller",
)
