"""The service controller of a simulated cloud: gives Services of type LoadBalancer an address.

Source: k8s.io/cloud-provider, controllers/service/controller.go.
Differs: an address is given in order out of 203.0.113.0/24 and 198.51.100.0/24, after 5 seconds.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.cluster.controlling import Context, ControllerSpec, step
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Request, Watched
from gitops_sim.types import Manifest, ResourceKey, Step

__all__ = ["LOAD_BALANCERS"]

_FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
_SECONDS = 5.0
_NETWORKS = ("203.0.113", "198.51.100")
"""For documentation. Source: RFC 5737."""


class _LoadBalancers:
    """The reconciler; a request is a Service."""

    def __init__(self, context: Context) -> None:
        self._client, self._events = context.client, context.events
        self._services = context.caches["v1/Service"]

    def __call__(self, request: Request) -> Generator[Any, Any, None]:
        """Make, keep or take away the load balancer of one Service."""
        service = self._services.get(request.name, request.namespace)
        if service is None:
            return
        has = _FINALIZER in (service["metadata"].get("finalizers") or ())
        if not _wants(service):
            if has:
                yield from self._take_away(service)
            return
        if not has:
            yield from self._set_finalizers(service, add=True)
        elif not _addresses(service):
            yield from self._ensure(service)

    def _ensure(self, service: Manifest) -> Generator[Any, Any, None]:
        self._events.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer")
        yield Step("ensure load balancer", _SECONDS, str(ResourceKey.of(service)))
        live = self._services.get(service["metadata"]["name"], service["metadata"]["namespace"])
        if live is None or not _wants(live):
            return
        changed = fresh_copy(live)
        entry = {"ip": self._free_address(), "ipMode": "VIP"}
        changed.setdefault("status", {})["loadBalancer"] = {"ingress": [entry]}
        yield step("update", changed)
        self._client.update(changed, subresource="status")
        self._events.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")

    def _take_away(self, service: Manifest) -> Generator[Any, Any, None]:
        self._events.event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer")
        yield Step("delete load balancer", _SECONDS, str(ResourceKey.of(service)))
        if _addresses(service) and "deletionTimestamp" not in service["metadata"]:
            changed = fresh_copy(service)
            changed["status"]["loadBalancer"] = {}
            yield step("update", changed)
            service = self._client.update(changed, subresource="status")
        self._events.event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer")
        yield from self._set_finalizers(service, add=False)

    def _set_finalizers(self, service: Manifest, *, add: bool) -> Generator[Any, Any, None]:
        metadata = service["metadata"]
        others = [f for f in metadata.get("finalizers") or () if f != _FINALIZER]
        finalizers = [*others, _FINALIZER] if add else others
        patch = {
            "metadata": {
                "resourceVersion": metadata["resourceVersion"],
                "finalizers": finalizers or None,
            }
        }
        yield step("patch", service)
        try:
            self._client.patch("v1/Service", metadata["name"], patch, metadata["namespace"])
        except NotFoundError:
            return  # gone already

    def _free_address(self) -> str:
        used = {address for s in self._services.list() for address in _addresses(s)}
        free = (f"{net}.{n}" for net in _NETWORKS for n in range(1, 255))
        return next(address for address in free if address not in used)


def _wants(service: Manifest) -> bool:
    is_going = "deletionTimestamp" in service["metadata"]
    return service["spec"].get("type") == "LoadBalancer" and not is_going


def _addresses(service: Manifest) -> Sequence[str]:
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    return [entry["ip"] for entry in balancer.get("ingress") or () if "ip" in entry]


LOAD_BALANCERS = ControllerSpec(
    "service-lb-controller",
    (Watched("v1/Service"),),
    _LoadBalancers,
    component="service-controller",
)
