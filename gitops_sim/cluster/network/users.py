"""Users of a cluster: they use its Services and Ingresses, and the journal is told what they get.

Nothing is sent: what a request would meet is computed when something on its way changes, so a day
without changes costs nothing. Users write nothing into the cluster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gitops_sim.cluster.network.backends import index_selectors, services_of_pod
from gitops_sim.cluster.network.demand import Traffic
from gitops_sim.cluster.network.policies import Sender, allows
from gitops_sim.cluster.network.traffic import (
    NO_SERVICE,
    Demand,
    Served,
    Target,
    routes,
    serve,
    targets_of,
)
from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import Fact, UsersServed, VersionServed
from gitops_sim.protocols import Clock
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["USERS_WATCHES", "Seen", "Users"]

_SLICE = "discovery.k8s.io/v1/EndpointSlice"
_INGRESS = "networking.k8s.io/v1/Ingress"
_POLICY = "networking.k8s.io/v1/NetworkPolicy"


def _service_of_slice(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    metadata = manifest["metadata"]
    name = (metadata.get("labels") or {}).get("kubernetes.io/service-name")
    return (Request(metadata["namespace"], name),) if name else ()


def _services_of_ingress(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    namespace = manifest["metadata"]["namespace"]
    return {Request(namespace, service): None for _, service in routes(manifest)}


def _services_of_policy(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for all Services of the policy's namespace; for all, if it may stop senders."""
    spec, namespace = manifest["spec"], manifest["metadata"]["namespace"]
    stops_senders = "Egress" in spec["policyTypes"]
    found = caches["v1/Service"].list(None if stops_senders else namespace)
    return [
        Request(service["metadata"]["namespace"], service["metadata"]["name"]) for service in found
    ]


def _services_with_policies(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for the Services that policies guard: what a namespace is called may let it pass."""
    return {
        request: None
        for policy in caches[_POLICY].list()
        for request in _services_of_policy(policy, caches)
    }


def _has_other_labels(before: Manifest | None, after: Manifest | None) -> bool:
    old, new = ((m or {}).get("metadata", {}).get("labels") for m in (before, after))
    return bool(old != new)


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
    Watched(_POLICY, requests=_services_of_policy),
    Watched("v1/Namespace", requests=_services_with_policies, predicate=_has_other_labels),
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
        traffic: How many users there are; is told what pods get.
        seen: What was told before, and to whom.
    """

    def __init__(
        self, caches: Caches, clock: Clock, machines: Machines, traffic: Traffic, seen: Seen
    ) -> None:
        self._clock, self._machines = clock, machines
        self._traffic, self._seen = traffic, seen
        self._services, self._pods = caches["v1/Service"], caches["v1/Pod"]
        self._slices, self._ingresses = caches[_SLICE], caches[_INGRESS]
        self._policies, self._namespaces = caches[_POLICY], caches["v1/Namespace"]
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
        demands = [self._traffic.of_ingress(route) for route in self._routes(request)]
        if service is None:
            self._traffic.set_loads(request, {})
            for demand in demands:
                self._tell(demand, Served((), 1.0, NO_SERVICE))
            return None
        slices = self._slices.by_index("service", place)
        endpoints = [e for slice_ in slices for e in slice_.get("endpoints") or ()]
        uids = [(endpoint.get("targetRef") or {}).get("uid", "") for endpoint in endpoints]
        pods = {uid: pod for uid in uids for pod in self._pods.by_index("uid", uid)}
        own = self._traffic.of_service(service)
        demands = [own, *demands]
        targets = targets_of(service, slices, pods)
        passes, now = self._judge(), self._clock.now()
        answers = serve(targets, demands, self._machines, passes, now)
        self._traffic.set_loads(request, answers.loads)
        self._tell_version(f"Service/{place}", answers.served[own.route], endpoints)
        for demand in demands:
            self._tell(demand, answers.served[demand.route])
        if math.isinf(answers.changes_at):
            return None
        return Result(answers.changes_at - now)

    def _routes(self, request: Request) -> list[str]:
        """Return the routes of Ingresses to a Service."""
        found: dict[str, None] = {}
        for ingress in self._ingresses.by_index("service", f"{request.namespace}/{request.name}"):
            name = f"Ingress/{request.namespace}/{ingress['metadata']['name']}"
            found |= {
                f"{name} {route}": None for route, to in routes(ingress) if to == request.name
            }
        return list(found)

    def _judge(self) -> Callable[[Target, Sender], bool]:
        """Return what says whether requests of a sender reach a pod."""
        policies = self._policies.list()
        if not policies:
            return lambda target, sender: True
        labels = {
            found["metadata"]["name"]: found["metadata"].get("labels") or {}
            for found in self._namespaces.list()
        }
        return lambda target, sender: allows(policies, (target.pod, target.port), sender, labels)

    def _tell(self, demand: Demand, served: Served) -> None:
        fact = UsersServed(
            self._seen.cluster,
            demand.route,
            served.shares,
            served.error_rate,
            served.problem,
            served.latency,
            demand.requests,
        )
        self._seen.tell(demand.route, fact, is_first=bool(served.shares))

    def _tell_version(self, service: str, served: Served, endpoints: Sequence[Any]) -> None:
        version = max(served.shares, key=lambda share: share[1], default=("", 0.0))[0]
        staying = [e for e in endpoints if not e["conditions"].get("terminating")]
        ready = sum(bool(endpoint["conditions"].get("ready")) for endpoint in staying)
        fact = VersionServed(self._seen.cluster, service, version, ready, len(staying))
        self._seen.tell(service, fact, is_first=ready > 0)
