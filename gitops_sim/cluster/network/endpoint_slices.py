"""The EndpointSlice controller: where the traffic of a Service may go.

Source: k8s.io/kubernetes, pkg/controller/endpointslice; k8s.io/endpointslice, reconciler.go.
Differs: endpoints fill slices of 100 in order of the pods' names, and all move up when one goes;
of hints those of trafficDistribution are written, not those of the annotation topology-mode.
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
from gitops_sim.cluster.network.port_order import in_slice
from gitops_sim.cluster.ownership import owner_reference
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Request, Watched, owner_request
from gitops_sim.types import Manifest

__all__ = ["ENDPOINT_SLICES"]

_IN_ONE_SLICE = 100
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLER = "endpointslice-controller.k8s.io"
_SERVICE_NAME = "kubernetes.io/service-name"
_CHANGED_AT = "endpoints.kubernetes.io/last-change-trigger-time"
_SLICE = "discovery.k8s.io/v1/EndpointSlice"
_ZONE = "topology.kubernetes.io/zone"
_SAME_NODE = "PreferSameNode"
_NEAR = ("PreferClose", "PreferSameZone", _SAME_NODE)
"""Values of trafficDistribution that keep traffic in its zone."""


class _EndpointSlices:
    """The reconciler; a request is a Service."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock = context.client, context.clock
        self._services = context.caches["v1/Service"]
        index_selectors(self._services)
        self._pods = context.caches["v1/Pod"]
        self._slices = context.caches[_SLICE]
        self._nodes = context.caches["v1/Node"]

    def __call__(self, request: Request) -> Generator[Any, Any, None]:
        """Write the slices of one Service; those of a deleted one go with it as its dependents."""
        service = self._services.get(request.name, request.namespace)
        if service is None or "deletionTimestamp" in service["metadata"]:
            return
        spec = service.get("spec") or {}
        if not spec.get("selector") or spec.get("type") == "ExternalName":
            return
        wanted = self._wanted(service)
        present = [
            found
            for found in self._slices.by_owner(service["metadata"]["uid"])
            if (found["metadata"].get("labels") or {}).get(_MANAGED_BY) == _CONTROLLER
        ]
        for index, (endpoints, ports) in enumerate(wanted):
            if index < len(present):
                yield from self._update(present[index], service, endpoints, ports)
            else:
                yield from self._create(service, endpoints, ports)
        for surplus in present[len(wanted) :]:
            yield step("delete", surplus)
            metadata = surplus["metadata"]
            self._client.delete(_SLICE, metadata["name"], metadata["namespace"])

    def _wanted(self, service: Manifest) -> list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
        """Return endpoints and ports of each slice; one empty slice when there are no pods."""
        by_ports: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
        for pod in backends(service, self._pods):
            ports = in_slice(target_ports(service, pod))
            zone = self._zone(pod["spec"].get("nodeName") or "")
            key = json.dumps(ports)
            by_ports.setdefault(key, ([], ports))[0].append(_endpoint(service, pod, zone))
        wanted = [
            (endpoints[start : start + _IN_ONE_SLICE], ports)
            for endpoints, ports in by_ports.values()
            for start in range(0, len(endpoints), _IN_ONE_SLICE)
        ]
        return wanted or [([], [])]

    def _zone(self, node: str) -> str:
        found = self._nodes.get(node) if node else None
        return "" if found is None else str((found["metadata"].get("labels") or {}).get(_ZONE, ""))

    def _create(
        self, service: Manifest, endpoints: Sequence[Any], ports: Sequence[Any]
    ) -> Generator[Any, Any, None]:
        metadata = service["metadata"]
        slice_ = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": f"{metadata['name']}-",
                "namespace": metadata["namespace"],
                "labels": _labels(service),
                "annotations": {_CHANGED_AT: self._clock.timestamp()},
                "ownerReferences": [owner_reference(service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": ports,
        }
        yield step("create", slice_)
        self._client.create(slice_)

    def _update(
        self, present: Manifest, service: Manifest, endpoints: Sequence[Any], ports: Sequence[Any]
    ) -> Generator[Any, Any, None]:
        labels = _labels(service)
        if (
            (present.get("endpoints") or []) == endpoints
            and (present.get("ports") or []) == ports
            and present["metadata"].get("labels") == labels
        ):
            return
        changed = fresh_copy(present)
        changed["endpoints"], changed["ports"] = endpoints, ports
        changed["metadata"]["labels"] = labels
        annotations = changed["metadata"].setdefault("annotations", {})
        annotations[_CHANGED_AT] = self._clock.timestamp()
        yield step("update", changed)
        try:
            self._client.update(changed)
        except NotFoundError:
            return  # deleted meanwhile: the cache will tell


def _endpoint(service: Manifest, pod: Manifest, zone: str) -> dict[str, Any]:
    metadata, spec = pod["metadata"], pod["spec"]
    serving, terminating = is_ready(pod), is_terminating(pod)
    always = (service.get("spec") or {}).get("publishNotReadyAddresses")
    endpoint: dict[str, Any] = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": bool(always) or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }
    if spec.get("nodeName"):
        endpoint["nodeName"] = spec["nodeName"]
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        endpoint["hostname"] = spec["hostname"]
    if zone:
        endpoint["zone"] = zone
        near = (service.get("spec") or {}).get("trafficDistribution")
        if near in _NEAR and endpoint["conditions"]["ready"]:
            hints = endpoint["hints"] = {"forZones": [{"name": zone}]}
            if near == _SAME_NODE:
                hints["forNodes"] = [{"name": spec["nodeName"]}]
    return endpoint


def _labels(service: Manifest) -> dict[str, str]:
    labels = dict(service["metadata"].get("labels") or {})
    if (service.get("spec") or {}).get("clusterIP") == "None":
        labels["service.kubernetes.io/headless"] = ""
    labels[_MANAGED_BY] = _CONTROLLER
    labels[_SERVICE_NAME] = service["metadata"]["name"]
    return labels


ENDPOINT_SLICES = ControllerSpec(
    "endpointslice-controller",
    (
        Watched("v1/Service"),
        Watched("v1/Pod", requests=services_of_pod, predicate=changes_endpoints),
        Watched(_SLICE, requests=owner_request("Service")),
        Watched("v1/Node", requests=lambda manifest, caches: ()),
    ),
    _EndpointSlices,
)
