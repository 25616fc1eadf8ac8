"""Which pods are behind a Service, and on which ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_sim.apimachinery import conditions
from gitops_sim.apimachinery.labels import from_set
from gitops_sim.runtime import Caches, Informer, Request
from gitops_sim.types import Manifest

__all__ = [
    "backends",
    "changes_endpoints",
    "is_ready",
    "is_terminating",
    "services_of_pod",
    "target_ports",
]

_OVER = ("Succeeded", "Failed")


def backends(service: Manifest, pods: Informer) -> Sequence[Manifest]:
    """Return the pods that a Service selects and that have an address, in order of name.

    A Service without a selector has none: its endpoints are written by others.
    """
    selector = (service.get("spec") or {}).get("selector")
    if not selector:
        return []
    found = pods.list(service["metadata"]["namespace"], labels=from_set(selector))
    return [
        pod
        for pod in found
        if (pod.get("status") or {}).get("podIP")
        and (pod.get("status") or {}).get("phase") not in _OVER
    ]


def is_ready(pod: Manifest) -> bool:
    """True when the pod's Ready condition is true."""
    return conditions.is_true(pod, "Ready")


def is_terminating(pod: Manifest) -> bool:
    """True when the pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]


def changes_endpoints(before: Manifest | None, after: Manifest | None) -> bool:
    """True when a change of a pod may change the endpoints of a Service.

    Source: k8s.io/kubernetes, pkg/controller/util/endpoint/controller_utils.go (podChanged).
    """
    if before is None or after is None:
        return True
    return _endpoint_of(before) != _endpoint_of(after)


def _endpoint_of(pod: Manifest) -> tuple[Any, ...]:
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    return (
        metadata.get("labels"),
        "deletionTimestamp" in metadata,
        spec.get("nodeName"),
        status.get("podIP"),
        status.get("phase") in _OVER,
        is_ready(pod),
    )


def target_ports(service: Manifest, pod: Manifest) -> list[dict[str, Any]]:
    """Return the ports of a Service as this pod has them; a named port that it lacks is left out.

    Source: k8s.io/kubernetes, pkg/api/v1/pod/util.go (FindPort).
    """
    found = []
    for port in (service.get("spec") or {}).get("ports") or ():
        number = _number(port, pod)
        if number is not None:
            entry: dict[str, Any] = {"name": port.get("name", ""), "port": number}
            entry["protocol"] = port.get("protocol", "TCP")
            if port.get("appProtocol"):
                entry["appProtocol"] = port["appProtocol"]
            found.append(entry)
    return found


def index_selectors(services: Informer) -> None:
    """Prepare a cache of Services for `services_of_pod`."""
    services.add_index("selector", _first_pair)


def services_of_pod(pod: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for the Services that select a pod."""
    metadata = pod["metadata"]
    namespace, labels = metadata["namespace"], metadata.get("labels") or {}
    return [
        Request(namespace, service["metadata"]["name"])
        for key, value in labels.items()
        for service in caches["v1/Service"].by_index("selector", f"{namespace}/{key}={value}")
        if _selects(service, labels)
    ]


def _first_pair(service: Manifest) -> Iterable[str]:
    selector = (service.get("spec") or {}).get("selector") or {}
    namespace = service["metadata"]["namespace"]
    return [f"{namespace}/{key}={value}" for key, value in sorted(selector.items())[:1]]


def _selects(service: Manifest, labels: Mapping[str, str]) -> bool:
    selector = service["spec"]["selector"]
    return all(labels.get(key) == value for key, value in selector.items())


def _number(port: Mapping[str, Any], pod: Manifest) -> int | None:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for declared in container.get("ports") or ():
            same = declared.get("protocol", "TCP") == port.get("protocol", "TCP")
            if declared.get("name") == target and same:
                return int(declared["containerPort"])
    return None
