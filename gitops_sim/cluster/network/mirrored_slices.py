"""Endpoints that somebody wrote by hand, for a Service without a selector, as EndpointSlices.

Source: k8s.io/kubernetes, pkg/controller/endpointslicemirroring.
Differs: a slice takes all addresses of a subset, be they more than 1000 or of two families.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from gitops_sim.cluster.controlling import Context, ControllerSpec, step
from gitops_sim.cluster.network.port_order import in_slice
from gitops_sim.cluster.ownership import owner_reference
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Request, Watched, owner_request
from gitops_sim.types import Manifest

__all__ = ["MIRRORED_SLICES"]

_ENDPOINTS, _SLICE = "v1/Endpoints", "discovery.k8s.io/v1/EndpointSlice"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLER = "endpointslicemirroring-controller.k8s.io"
_SERVICE_NAME = "kubernetes.io/service-name"
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_HEADLESS = "service.kubernetes.io/headless"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_NOT_COPIED = (
    "endpoints.kubernetes.io/last-change-trigger-time",
    "endpoints.kubernetes.io/over-capacity",
)


class _MirroredSlices:
    """The reconciler; a request is a Service, or its Endpoints, by name."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._services = context.caches["v1/Service"]
        self._endpoints = context.caches[_ENDPOINTS]
        self._slices = context.caches[_SLICE]

    def __call__(self, request: Request) -> Generator[Any, Any, None]:
        """Write the slices of one Endpoints, or delete those that are not wanted any more."""
        endpoints = self._endpoints.get(request.name, request.namespace)
        if endpoints is None:
            return  # its slices go with it as its dependents
        service = self._services.get(request.name, request.namespace)
        wanted = _wanted(endpoints) if _is_mirrored(endpoints, service) else []
        present = [
            found
            for found in self._slices.by_owner(endpoints["metadata"]["uid"])
            if (found["metadata"].get("labels") or {}).get(_MANAGED_BY) == _CONTROLLER
        ]
        for ports, addresses in wanted:
            same = next((s for s in present if (s.get("ports") or []) == ports), None)
            if same is None:
                yield from self._create(endpoints, ports, addresses)
                continue
            present.remove(same)
            yield from self._update(same, endpoints, addresses)
        for surplus in present:
            yield step("delete", surplus)
            self._client.delete(_SLICE, surplus["metadata"]["name"], request.namespace)

    def _create(
        self, endpoints: Manifest, ports: Sequence[Any], addresses: Sequence[Any]
    ) -> Generator[Any, Any, None]:
        metadata = endpoints["metadata"]
        slice_ = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": f"{metadata['name']}-",
                "namespace": metadata["namespace"],
                "labels": _labels(endpoints),
                "annotations": _annotations(endpoints),
                "ownerReferences": [owner_reference(endpoints)],
            },
            "addressType": _family(addresses),
            "endpoints": addresses,
            "ports": ports,
        }
        yield step("create", slice_)
        self._client.create(slice_)

    def _update(
        self, present: Manifest, endpoints: Manifest, addresses: Sequence[Any]
    ) -> Generator[Any, Any, None]:
        metadata = present["metadata"]
        labels, annotations = _labels(endpoints), _annotations(endpoints)
        if (
            (present.get("endpoints") or []) == addresses
            and metadata.get("labels") == labels
            and (metadata.get("annotations") or {}) == annotations
        ):
            return
        changed = present | {
            "metadata": {**metadata, "labels": labels, "annotations": annotations},
            "endpoints": addresses,
        }
        yield step("update", changed)
        try:
            self._client.update(changed)
        except NotFoundError:
            return  # deleted meanwhile: the cache will tell


def _is_mirrored(endpoints: Manifest, service: Manifest | None) -> bool:
    metadata = endpoints["metadata"]
    if service is None or (service.get("spec") or {}).get("selector"):
        return False
    if (metadata.get("labels") or {}).get(_SKIP) == "true":
        return False
    return _LEADER not in (metadata.get("annotations") or {})


def _wanted(endpoints: Manifest) -> list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Return ports and endpoints of each slice: one for each subset."""
    return [
        (
            in_slice(
                {"name": port.get("name", "")}
                | {key: port[key] for key in ("protocol", "port", "appProtocol") if key in port}
                for port in subset.get("ports") or ()
            ),
            [
                *(_endpoint(address, ready=True) for address in subset.get("addresses") or ()),
                *(
                    _endpoint(address, ready=False)
                    for address in subset.get("notReadyAddresses") or ()
                ),
            ],
        )
        for subset in endpoints.get("subsets") or ()
    ]


def _endpoint(address: Mapping[str, Any], *, ready: bool) -> dict[str, Any]:
    endpoint: dict[str, Any] = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for name in ("hostname", "nodeName", "targetRef"):
        if address.get(name):
            endpoint[name] = address[name]
    return endpoint


def _family(addresses: Sequence[Mapping[str, Any]]) -> str:
    return "IPv6" if any(":" in entry["addresses"][0] for entry in addresses) else "IPv4"


def _labels(endpoints: Manifest) -> dict[str, str]:
    labels = dict(endpoints["metadata"].get("labels") or {})
    labels.pop(_HEADLESS, None)
    return labels | {_MANAGED_BY: _CONTROLLER, _SERVICE_NAME: endpoints["metadata"]["name"]}


def _annotations(endpoints: Manifest) -> dict[str, str]:
    notes = endpoints["metadata"].get("annotations") or {}
    last_applied = "kubectl.kubernetes.io/last-applied-configuration"
    return {k: v for k, v in notes.items() if k not in (*_NOT_COPIED, last_applied)}


MIRRORED_SLICES = ControllerSpec(
    "endpointslice-mirroring-controller",
    (
        Watched(_ENDPOINTS),
        Watched("v1/Service"),
        Watched(_SLICE, requests=owner_request("Endpoints")),
    ),
    _MirroredSlices,
)
