"""What a request meets on its way: Ingress, Service, NetworkPolicy, a pod, its container.

Requests are rates, not events. The users of a route send so many a second; a Service spreads them
over its endpoints, all the same; a pod that gets more than its CPU is good for answers late, and
what is too much for it not at all.

Source: k8s.io/kubernetes, pkg/proxy (endpoints that get traffic); ingress-nginx for the answers;
the mean time of an answer is that of a queue whose one server is shared (M/G/1-PS).
Differs: rates are means without noise; a pod never has more than one core for its requests; an
Ingress works at once and needs no controller of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.cluster.network.policies import Sender
from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.cluster.nodes.pod_runs import ContainerRun
from gitops_sim.types import Manifest

__all__ = ["Answers", "Demand", "Served", "Target", "routes", "serve", "targets_of"]

NO_ENDPOINTS = "no endpoints are ready"
NO_SERVICE = "the Ingress names a Service that is not there"
PATIENCE_SECONDS = 10.0
"""How long users wait for an answer at most."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Users of one route: who their requests come from, and how many come in a second."""

    route: str
    sender: Sender
    requests: float


@dataclass(frozen=True, slots=True)
class Served:
    """What users get on a route.

    Attributes:
        shares: Versions and their parts of the answered requests, by version.
        error_rate: Part of all requests that fails.
        problem: Why all fail; empty when some are answered.
        latency: Mean time of an answer, in seconds.
    """

    shares: tuple[tuple[str, float], ...]
    error_rate: float
    problem: str = ""
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What becomes of all requests to one Service.

    Attributes:
        served: What users get, by route.
        loads: Requests a second that reach a pod, by its uid.
        changes_at: When it changes by itself, in seconds since the epoch; infinity: never.
    """

    served: dict[str, Served] = field(default_factory=dict)
    loads: dict[str, float] = field(default_factory=dict)
    changes_at: float = math.inf


@dataclass(frozen=True, slots=True)
class Target:
    """A pod that gets traffic, on a port."""

    pod: Manifest
    port: int

    @property
    def container(self) -> Mapping[str, Any]:
        """The container that declares the port, or else the first."""
        containers: Sequence[Mapping[str, Any]] = self.pod["spec"]["containers"]
        for container in containers:
            if any(p["containerPort"] == self.port for p in container.get("ports") or ()):
                return container
        return containers[0]


@dataclass(slots=True)
class _Pod:
    """What one target does with requests; `load` of them come in a second."""

    uid: str
    run: ContainerRun | None
    cores: float
    load: float = 0.0

    @property
    def up_at(self) -> float:
        run = self.run
        if run is None or run.started is None or run.image is None or not run.image.ready:
            return math.inf
        return run.started + run.image.start_seconds

    @property
    def version(self) -> str:
        return "" if self.run is None or self.run.image is None else self.run.image.version

    def answer(self) -> tuple[float, float]:
        """Return the part of its requests that it answers well, and how long that takes."""
        assert self.run is not None
        assert self.run.image is not None
        image = self.run.image
        busy = self.load * image.cpu_seconds / self.cores
        good = (1.0 - image.error_rate) / max(1.0, busy)
        if busy >= 1.0:
            return good, PATIENCE_SECONDS
        return good, min(image.latency_seconds / (1.0 - busy), PATIENCE_SECONDS)


def serve(
    targets: Sequence[Target],
    demands: Iterable[Demand],
    machines: Machines,
    passes: Callable[[Target, Sender], bool],
    now: float,
) -> Answers:
    """Return what becomes of the requests to one Service.

    Args:
        targets: Where they go.
        demands: Who sends how many.
        machines: What the pods really do.
        passes: Whether requests of a sender reach a pod.
        now: Seconds since the epoch.
    """
    wanted = list(demands)
    if not targets:
        return Answers({demand.route: Served((), 1.0, NO_ENDPOINTS) for demand in wanted})
    pods = [_pod(target, machines) for target in targets]
    reached: list[list[_Pod]] = []
    for demand in wanted:
        mine = [p for p, t in zip(pods, targets, strict=True) if passes(t, demand.sender)]
        reached.append(mine)
        for pod in mine:
            pod.load += demand.requests / len(targets)
    served = {
        demand.route: _served(mine, len(targets), now)
        for demand, mine in zip(wanted, reached, strict=True)
    }
    loads = {pod.uid: round(pod.load, 6) for pod in pods if pod.up_at <= now}
    coming = [pod.up_at for pod in pods if pod.up_at > now]
    return Answers(served, loads, min(coming, default=math.inf))


def _pod(target: Target, machines: Machines) -> _Pod:
    pod, container = target.pod, target.container
    machine = machines.get(pod["spec"].get("nodeName") or "")
    run = None if machine is None else machine.pods.get(pod["metadata"]["uid"])
    limit = ((container.get("resources") or {}).get("limits") or {}).get("cpu")
    cores = 1.0 if limit is None else min(1.0, float(parse(limit)))
    in_container = None if run is None else run.containers.get(container["name"])
    return _Pod(pod["metadata"]["uid"], in_container, max(cores, 0.001))


def _served(reached: Sequence[_Pod], count: int, now: float) -> Served:
    if not reached:
        return Served((), 1.0, "a NetworkPolicy drops the requests")
    answered: dict[str, float] = {}
    total = waited = 0.0
    for pod in reached:
        if pod.up_at > now:
            continue
        good, seconds = pod.answer()
        answered[pod.version] = answered.get(pod.version, 0.0) + good
        total += good
        waited += good * seconds
    if not total:
        return Served((), 1.0, "nothing answers at the endpoints")
    shares = tuple((version, round(part / total, 4)) for version, part in sorted(answered.items()))
    return Served(shares, round(1.0 - total / count, 4), "", round(waited / total, 4))


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


def targets_of(
    service: Manifest, slices: Iterable[Manifest], pods: Mapping[str, Manifest]
) -> list[Target]:
    """Return the pods that get traffic: ready ones, or else those that still serve.

    Args:
        service: Users come to its first port.
        slices: Its EndpointSlices.
        pods: Pods by uid.
    """
    ports: Sequence[Manifest] = (service.get("spec") or {}).get("ports") or ()
    first = str(ports[0].get("name", "")) if ports else ""
    endpoints = [
        (endpoint, _port_number(slice_, first))
        for slice_ in slices
        for endpoint in slice_.get("endpoints") or ()
    ]
    chosen = _with(endpoints, "ready") or _with(endpoints, "serving")
    found = ((pods.get((e.get("targetRef") or {}).get("uid", "")), port) for e, port in chosen)
    return [Target(pod, port) for pod, port in found if pod is not None]


def _with(
    endpoints: Sequence[tuple[Mapping[str, Any], int]], condition: str
) -> list[tuple[Mapping[str, Any], int]]:
    return [(e, port) for e, port in endpoints if e["conditions"].get(condition)]


def _port_number(slice_: Manifest, name: str) -> int:
    ports = slice_.get("ports") or ()
    return next((int(port["port"]) for port in ports if port.get("name", "") == name), 0)
