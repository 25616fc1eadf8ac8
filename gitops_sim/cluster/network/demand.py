"""How many users a cluster has, and what their requests cost its pods.

Each route (a Service, or a host and path of an Ingress) has users of its own, ten unless it is said
otherwise; each sends one request a second, around the clock. Users of a Service are a pod without
labels in its namespace, or whoever `set_users` says; users of a node port or a load balancer come
from outside, those of an Ingress through ingress-nginx.

Differs: a pod behind two Services answers each as if the other had no users; requests cost CPU in
the first container of a pod.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.clock.door import Door, outside
from gitops_sim.cluster.network.policies import INGRESS_CONTROLLER, OUTSIDE, Sender
from gitops_sim.cluster.network.traffic import Demand
from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.errors import LabError
from gitops_sim.protocols import Clock
from gitops_sim.runtime import Request
from gitops_sim.types import Manifest

__all__ = ["DEFAULT_USERS", "Traffic"]

DEFAULT_USERS = 10.0
"""Of each route; each sends a request a second."""

_IDLE_CORES = Fraction(1, 1000)
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Told:
    users: float
    sender: Sender | None


class Traffic:
    """The users of one cluster.

    Args:
        cluster: Its name.
        clock: Gives the time.
        machines: What the pods really do.
        door: Through which numbers of users come.

    Attributes:
        on_change: Is told a namespace when the users of a route in it have changed.
    """

    def __init__(
        self, cluster: str, clock: Clock, machines: Machines, door: Door | None = None
    ) -> None:
        self.on_change: list[Callable[[str], None]] = []
        self._clock = clock
        self._machines = machines
        self._told: dict[str, _Told] = {}
        self._loads: dict[Request, Mapping[str, float]] = {}
        self._door = door
        self._address = f"cluster/{cluster}/traffic"
        if door is not None:
            door.register(self._address, self)

    @outside
    def set_users(
        self,
        route: str,
        users: float,
        *,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Let a route have so many users from now on.

        Args:
            route: `Service/shop/web`, or `Ingress/shop/web shop.example.com/`.
            users: How many; each sends one request a second.
            namespace: Where the pods are that send; empty: as by default.
            labels: Of these pods, for NetworkPolicies.

        Raises:
            LabError: It is no route, or the number is negative.
        """
        kind, _, place = route.partition("/")
        where, _, rest = place.partition("/")
        if kind not in ("Service", "Ingress") or not where or not rest:
            raise LabError(
                f"{route!r} is no route",
                'write "Service/<namespace>/<name>" or "Ingress/<namespace>/<name> <host>/<path>"',
            )
        if users < 0:
            raise LabError(f"{users} users", "choose 0 or more")
        sender = None
        if namespace or labels:
            sender = Sender(namespace or where, dict(labels or {}))
        self._told[route] = _Told(float(users), sender)
        for listener in self.on_change:
            listener(where)

    def of_service(self, service: Manifest) -> Demand:
        """Return the users of a Service itself."""
        metadata = service["metadata"]
        is_open = (service.get("spec") or {}).get("type") in ("NodePort", "LoadBalancer")
        default = OUTSIDE if is_open else Sender(metadata["namespace"])
        return self._of(f"Service/{metadata['namespace']}/{metadata['name']}", default)

    def of_ingress(self, route: str) -> Demand:
        """Return the users of a route of an Ingress."""
        return self._of(route, INGRESS_CONTROLLER)

    def _of(self, route: str, default: Sender) -> Demand:
        told = self._told.get(route)
        if told is None:
            return Demand(route, default, DEFAULT_USERS)
        return Demand(route, told.sender or default, told.users)

    def set_loads(self, service: Request, loads: Mapping[str, float]) -> None:
        """Note the requests a second that pods get by a Service, by uid."""
        if loads:
            self._loads[service] = loads
        else:
            self._loads.pop(service, None)

    def usage(self, pod: Manifest, resource: str, *, container: str = "") -> Fraction | None:
        """Return what a pod uses now of `cpu` (cores), `memory` (bytes), or gets of requests.

        Args:
            pod: Which.
            resource: One of those, or `http_requests` (a second).
            container: Only this one; empty: the whole pod.

        Returns:
            None when nothing of it runs, or for another resource.
        """
        machine = self._machines.get(pod["spec"].get("nodeName") or "")
        run = None if machine is None else machine.pods.get(pod["metadata"]["uid"])
        if run is None or resource not in ("cpu", "memory", "http_requests"):
            return None
        used, load = Fraction(0), self._load(pod)
        if resource == "http_requests":
            return Fraction(round(load * 1000), 1000)
        for spec in pod["spec"]["containers"]:
            found = run.containers.get(spec["name"])
            requests, load = load, 0.0  # the first container takes them
            if found is None or found.started is None or found.image is None:
                continue
            if container not in ("", spec["name"]):
                continue
            image = found.image
            if resource == "memory":
                minutes = (self._clock.now() - found.started) / 60
                used += int((image.memory_mib + image.leak_mib_per_minute * minutes) * _MEBIBYTE)
                continue
            limit = ((spec.get("resources") or {}).get("limits") or {}).get("cpu")
            used += _IDLE_CORES + _cores(requests, image.cpu_seconds, limit)
        return used

    def _load(self, pod: Manifest) -> float:
        namespace, uid = pod["metadata"]["namespace"], pod["metadata"]["uid"]
        return sum(
            loads.get(uid, 0.0)
            for service, loads in self._loads.items()
            if service.namespace == namespace
        )


def _cores(requests: float, each: float, limit: str | None) -> Fraction:
    """Return what requests cost, in thousandths of a core; never more than there is."""
    most = Fraction(1) if limit is None else min(Fraction(1), parse(limit))
    return min(most, Fraction(round(requests * each * 1000), 1000))
