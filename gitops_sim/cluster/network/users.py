"""Users of a cluster: they use its Services and Ingresses, and the journal is told what they get.

Nothing is sent: what a request would meet is computed when something on its way changes, so a day
without changes costs nothing. Users write nothing into the cluster.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from gitops_sim.cluster.network.backends import index_selectors, services_of_pod
from gitops_sim.cluster.network.traffic import NO_SERVICE, Served, routes, serve
from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import Fact, UsersServed, VersionServed
from gitops_sim.protocols import Clock
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["USERS_WATCHES", "Seen", "Users"]

_SLICE = "discovery.k8s.io/v1/EndpointSlice"
_INGRESS = "networking.k8s.io/v1/Ingress"


def _service_of_slice(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    metadata = manifest["metadata"]
    name = (metadata.get("labels") or {}).get("kubernetes.io/service-name")
    return (Request(metadata["namespace"], name),) if name else ()


def _services_of_ingress(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    namespace = manifest["metadata"]["namespace"]
    return {Request(namespace, service): None for _, service in routes(manifest)}


def _runs_otherwise(before: Manifest | None, after: Manifest | None) -> bool:
    """Only containers that start, end or become ready make a difference to users."""
    if before is None or after is None:
        return True
    old, new = before.get("status") or {}, after.get("status") or {}
    return bool(old.get("containerStatuses") != new.get("containerStatuses"))


USERS_WATCHES = (
    Watched("v1/Service"),
    Watched("v1/Pod", requests=services_of_pod, predicate=_runs_otherwise),
    Watched(_SLICE, requests=_service_of_slice),
    Watched(_INGRESS, requests=_services_of_ingress),
)


class Seen:
    """What the journal was told of one cluster: only news are recorded, also after a restart."""

    def __init__(self, cluster: str, journal: Journal) -> None:
        self.cluster = cluster
        self._journal = journal
        self._last: dict[tuple[type[Fact], str], Fact] = {}

    def tell(self, subject: str, fact: Fact, *, is_first: bool) -> None:
        """Record a fact about a subject, if it is news.

        Args:
            subject: The Service or route.
            fact: What is so now.
            is_first: Whether it may be the first fact about this subject: what never worked
                is no news.
        """
        known = self._last.get((type(fact), subject))
        if fact == known or (known is None and not is_first):
            return
        self._last[type(fact), subject] = fact
        self._journal.record(fact)


class Users:
    """The reconciler; a request is a Service.

    Args:
        caches: Of `USERS_WATCHES`.
        clock: Gives the time.
        machines: What pods really do.
        seen: What was told before, and to whom.
    """

    def __init__(self, caches: Caches, clock: Clock, machines: Machines, seen: Seen) -> None:
        self._clock, self._machines, self._seen = clock, machines, seen
        self._services, self._pods = caches["v1/Service"], caches["v1/Pod"]
        self._slices, self._ingresses = caches[_SLICE], caches[_INGRESS]
        index_selectors(self._services)
        self._slices.add_index(
            "service", lambda s: [f"{r.namespace}/{r.name}" for r in _service_of_slice(s, caches)]
        )
        self._pods.add_index("uid", lambda pod: (pod["metadata"]["uid"],))
        self._ingresses.add_index(
            "service", lambda i: [f"{i['metadata']['namespace']}/{s}" for _, s in routes(i)]
        )

    def __call__(self, request: Request) -> Result | None:
        """Look at one Service and the routes to it."""
        service = self._services.get(request.name, request.namespace)
        place = f"{request.namespace}/{request.name}"
        slices = self._slices.by_index("service", place)
        endpoints = [e for slice_ in slices for e in slice_.get("endpoints") or ()]
        uids = [(endpoint.get("targetRef") or {}).get("uid", "") for endpoint in endpoints]
        pods = {uid: pod for uid in uids for pod in self._pods.by_index("uid", uid)}
        served = serve(slices, pods, self._machines, self._clock.now())
        if service is None:
            served = Served((), 1.0, NO_SERVICE)
        else:
            self._tell_version(f"Service/{place}", served, endpoints)
            self._tell(f"Service/{place}", served)
        for ingress in self._ingresses.by_index("service", place):
            for route, name in routes(ingress):
                if name == request.name:
                    metadata = ingress["metadata"]
                    told = f"Ingress/{metadata['namespace']}/{metadata['name']} {route}"
                    self._tell(told, served)
        if math.isinf(served.changes_at):
            return None
        return Result(served.changes_at - self._clock.now())

    def _tell(self, route: str, served: Served) -> None:
        fact = UsersServed(
            self._seen.cluster, route, served.shares, served.error_rate, served.problem
        )
        self._seen.tell(route, fact, is_first=bool(served.shares))

    def _tell_version(self, service: str, served: Served, endpoints: Sequence[Any]) -> None:
        version = max(served.shares, key=lambda share: share[1], default=("", 0.0))[0]
        staying = [e for e in endpoints if not e["conditions"].get("terminating")]
        ready = sum(bool(endpoint["conditions"].get("ready")) for endpoint in staying)
        fact = VersionServed(self._seen.cluster, service, version, ready, len(staying))
        self._seen.tell(service, fact, is_first=ready > 0)
