"""What a request meets on its way: Ingress, Service, a pod, its container.

Source: k8s.io/kubernetes, pkg/proxy (endpoints that get traffic); ingress-nginx for the answers.
Differs: all ready endpoints get the same part of the requests; latency and load are not modelled;
an Ingress works at once and needs no controller of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.cluster.nodes.pod_runs import ContainerRun
from gitops_sim.types import Manifest

__all__ = ["Served", "routes", "serve"]

NO_ENDPOINTS = "no endpoints are ready"
NO_SERVICE = "the Ingress names a Service that is not there"


@dataclass(frozen=True, slots=True)
class Served:
    """What users get on a route.

    Attributes:
        shares: Versions and their parts of the answered requests, by version.
        error_rate: Part of all requests that fails.
        problem: Why all fail; empty when some are answered.
        changes_at: When it changes by itself, in seconds since the epoch; infinity: never.
    """

    shares: tuple[tuple[str, float], ...]
    error_rate: float
    problem: str = ""
    changes_at: float = math.inf


def serve(
    slices: Iterable[Manifest], pods: Mapping[str, Manifest], machines: Machines, now: float
) -> Served:
    """Return what users of a Service get.

    Args:
        slices: Its EndpointSlices.
        pods: Pods by uid.
        machines: What the pods really do.
        now: Seconds since the epoch.
    """
    targets = list(_targets(slices, pods))
    if not targets:
        return Served((), 1.0, NO_ENDPOINTS)
    answered: dict[str, float] = {}
    total, changes_at = 0.0, math.inf
    for pod, port in targets:
        run = _serving_run(pod, port, machines)
        if run is None or run.started is None or run.image is None or not run.image.ready:
            continue
        up_at = run.started + run.image.start_seconds
        if up_at > now:
            changes_at = min(changes_at, up_at)
            continue
        good = 1.0 - run.image.error_rate
        answered[run.image.version] = answered.get(run.image.version, 0.0) + good
        total += good
    if not total:
        return Served((), 1.0, "nothing answers at the endpoints", changes_at)
    shares = tuple((version, round(part / total, 4)) for version, part in sorted(answered.items()))
    return Served(shares, round(1.0 - total / len(targets), 4), "", changes_at)


def routes(ingress: Manifest) -> Iterator[tuple[str, str]]:
    """Return the routes of an Ingress as `host/path`, each with the Service that it names."""
    spec = ingress.get("spec") or {}
    default = _service_name(spec.get("defaultBackend"))
    if default:
        yield "*/", default
    for rule in spec.get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            yield (
                f"{rule.get('host') or '*'}{path.get('path') or '/'}",
                _service_name(path.get("backend")),
            )


def _service_name(backend: Mapping[str, Any] | None) -> str:
    return str(((backend or {}).get("service") or {}).get("name") or "")


def _targets(
    slices: Iterable[Manifest], pods: Mapping[str, Manifest]
) -> Iterator[tuple[Manifest, int]]:
    """Return the pods that get traffic: ready ones, or else those that still serve."""
    endpoints = [
        (endpoint, (slice_.get("ports") or [{}])[0].get("port", 0))
        for slice_ in slices
        for endpoint in slice_.get("endpoints") or ()
    ]
    chosen = _with(endpoints, "ready") or _with(endpoints, "serving")
    for endpoint, port in chosen:
        pod = pods.get((endpoint.get("targetRef") or {}).get("uid", ""))
        if pod is not None:
            yield pod, port


def _with(
    endpoints: Sequence[tuple[Mapping[str, Any], int]], condition: str
) -> list[tuple[Mapping[str, Any], int]]:
    return [(e, port) for e, port in endpoints if e["conditions"].get(condition)]


def _serving_run(pod: Manifest, port: int, machines: Machines) -> ContainerRun | None:
    machine = machines.get(pod["spec"].get("nodeName") or "")
    run = None if machine is None else machine.pods.get(pod["metadata"]["uid"])
    if run is None:
        return None
    containers = pod["spec"]["containers"]
    declared = (
        container
        for container in containers
        if any(p["containerPort"] == port for p in container.get("ports") or ())
    )
    return run.containers.get(next(declared, containers[0])["name"])
