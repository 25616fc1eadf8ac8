"""How many replicas a metric asks for: what pods use, compared with what an autoscaler wants.

Pods that are not ready yet, or of which nothing is known, count as idle when more replicas are
wanted and as busy when fewer are, so that they never make a change larger.

Source: k8s.io/kubernetes, pkg/controller/podautoscaler (horizontal.go, replica_calculator.go).
Differs: usage is that of the moment, not of a window; of Pods metrics there is `http_requests`,
what users send to a pod in a second; there are no Object and External metrics, as in a cluster
without an adapter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from gitops_sim.apimachinery.quantities import format_like, parse
from gitops_sim.cluster.controlling import seconds_of
from gitops_sim.cluster.ownership import is_being_deleted
from gitops_sim.cluster.workloads.pods import phase_of
from gitops_sim.protocols import Clock
from gitops_sim.types import Manifest

__all__ = ["Calculator", "MetricError", "MetricSource", "Proposal", "Tolerance"]

_START_SECONDS, _FIRST_READY_SECONDS = 300.0, 30.0
_MILLI = 1000
_NO_ADAPTER = (
    "unable to fetch metrics from custom metrics API: no custom metrics API "
    "(custom.metrics.k8s.io) registered"
)


class MetricSource(Protocol):
    """Knows what pods use now."""

    def __call__(self, pod: Manifest, resource: str, *, container: str = "") -> Fraction | None:
        """Return what a pod uses of something, in all or in one container.

        Args:
            pod: Which.
            resource: `cpu` (cores), `memory` (bytes) or `http_requests` (a second).
            container: Only this one; empty: the whole pod.

        Returns:
            None when nobody knows.
        """


class MetricError(Exception):
    """A metric cannot be computed: `(reason, message, subject)`."""

    def __init__(self, reason: str, message: str, subject: str) -> None:
        super().__init__(reason, message, subject)
        self.reason, self.message, self.subject = reason, message, subject

    @property
    def whole(self) -> str:
        """The message as the error of the whole computation tells it."""
        return f"failed to get {self.subject} metric value: {self.message}"


class Tolerance(NamedTuple):
    """How far usage may be off, as a share, before replicas go or come."""

    down: Fraction
    up: Fraction

    def covers(self, ratio: Fraction) -> bool:
        """True when a ratio of used to wanted is near enough to 1."""
        return 1 - self.down <= ratio <= 1 + self.up


@dataclass(frozen=True, slots=True)
class Proposal:
    """How many replicas a metric asks for, its name, and what the status tells of it."""

    replicas: int
    metric: str
    current: Manifest


@dataclass(slots=True)
class _Groups:
    """Pods by what is known of them: usage in thousandths by name, and names."""

    used: dict[str, int]
    unready: list[str]
    missing: list[str]


class Calculator:
    """Computes what metrics ask for, for the pods of one target.

    Args:
        metrics: Tells usage; None: there is no metrics server.
        pods: All pods that the target selects.
        replicas: How many the target wants now.
        tolerance: How far usage may be off.
        clock: Tells how long pods run.
    """

    def __init__(
        self,
        metrics: MetricSource | None,
        pods: Sequence[Manifest],
        replicas: int,
        tolerance: Tolerance,
        clock: Clock,
    ) -> None:
        self._metrics, self._pods, self._replicas = metrics, pods, replicas
        self._tolerance, self._clock = tolerance, clock

    def of(self, metric: Manifest, namespace: str) -> Proposal:
        """Return what one entry of spec.metrics asks for.

        Args:
            metric: The entry.
            namespace: Of the autoscaler, as messages tell it.

        Raises:
            MetricError: It cannot be computed.
        """
        match metric["type"]:
            case "Resource":
                source = metric["resource"]
                state: Manifest = {"type": "Resource", "resource": {"name": source["name"]}}
                return self._of_resource(source, "", state)
            case "ContainerResource":
                source = metric["containerResource"]
                told = {"name": source["name"], "container": source["container"]}
                state = {"type": "ContainerResource", "containerResource": told}
                return self._of_resource(source, source["container"], state)
            case "Pods":
                return self._of_pods(metric["pods"])
        raise _unknown(metric, namespace)

    def _of_resource(self, source: Manifest, container: str, state: Manifest) -> Proposal:
        name, target = source["name"], source["target"]
        subject = f"{container} container" if container else f"{name} resource"
        kind = "FailedGetContainerResourceMetric" if container else "FailedGetResourceMetric"
        by_use = target.get("averageUtilization") is not None
        try:
            groups = self._groups(name, container)
            wanted, utilization = self._wanted(target, name, container, groups)
        except ValueError as error:
            word = "utilization" if by_use else "usage"
            raise MetricError(kind, f"failed to get {name} {word}: {error}", subject) from None
        told: dict[str, Any] = {"averageValue": _milli(_average(groups.used))}
        title = f"{name} resource"
        if by_use:
            told["averageUtilization"] = utilization
            within = "container resource" if container else "resource"
            title = f"{name} {within} utilization (percentage of request)"
        next(iter(v for v in state.values() if isinstance(v, dict)))["current"] = told
        return Proposal(wanted, title, state)

    def _wanted(
        self, target: Manifest, name: str, container: str, groups: _Groups
    ) -> tuple[int, int]:
        """Return the replicas, and the utilization in percent where a target is one."""
        if target.get("averageUtilization") is None:
            each = math.ceil(parse(target["averageValue"]) * _MILLI)
            return self._plain(groups, each), 0
        requests = self._requests(name, container)
        aim = target["averageUtilization"]
        utilization = _utilization(groups.used, requests)
        ratio = Fraction(utilization, aim)
        fallback = max(100, aim)
        busy = {pod: requests[pod] * fallback // 100 for pod in groups.missing}
        return self._replicas_for(
            groups, ratio, busy, lambda used: Fraction(_utilization(used, requests), aim)
        ), utilization

    def _plain(self, groups: _Groups, each: int) -> int:
        """Return the replicas at which each has so much."""
        ratio = Fraction(_average(groups.used), each)
        busy = dict.fromkeys(groups.missing, each)
        return self._replicas_for(groups, ratio, busy, lambda used: Fraction(_average(used), each))

    def _replicas_for(
        self, groups: _Groups, ratio: Fraction, busy: dict[str, int], ratio_of: Any
    ) -> int:
        """Return the replicas for a ratio, with those that nothing is known of taken in.

        Args:
            groups: The pods.
            ratio: Of used to wanted, of the pods that are known.
            busy: What the missing ones use at most.
            ratio_of: The ratio of other usages.
        """
        grows_unready = bool(groups.unready) and ratio > 1
        if not grows_unready and not groups.missing:
            if self._tolerance.covers(ratio):
                return self._replicas
            return math.ceil(ratio * len(groups.used))
        used = dict(groups.used)
        if ratio < 1:
            used |= busy
        elif ratio > 1:
            used |= dict.fromkeys(groups.missing, 0)
        if grows_unready:
            used |= dict.fromkeys(groups.unready, 0)
        again = ratio_of(used)
        turned = (ratio < 1 < again) or (again < 1 < ratio)
        if turned or self._tolerance.covers(again):
            return self._replicas
        wanted = math.ceil(again * len(used))
        wrong_way = wanted > self._replicas if again < 1 else wanted < self._replicas
        return self._replicas if wrong_way else wanted

    def _of_pods(self, source: Manifest) -> Proposal:
        name, target = source["metric"]["name"], source["target"]
        try:
            groups = self._groups(name, "", is_custom=True)
        except ValueError as error:
            raise MetricError("FailedGetPodsMetric", str(error), "pods") from None
        each = math.ceil(parse(target["averageValue"]) * _MILLI)
        told = {"averageValue": _milli(_average(groups.used))}
        state = {"type": "Pods", "pods": {"metric": source["metric"], "current": told}}
        return Proposal(self._plain(groups, each), f"pods metric {name}", state)

    def _groups(self, name: str, container: str, *, is_custom: bool = False) -> _Groups:
        """Sort the pods by what is known of them.

        Raises:
            ValueError: Nothing is known of any.
        """
        known = {pod["metadata"]["name"]: self._usage(pod, name, container) for pod in self._pods}
        if not any(usage is not None for usage in known.values()):
            raise ValueError(self._nothing(name, is_custom=is_custom))
        groups = _Groups({}, [], [])
        for pod in self._pods:
            pod_name = pod["metadata"]["name"]
            usage = known[pod_name]
            if is_being_deleted(pod) or phase_of(pod) in ("Failed", "Succeeded"):
                continue
            if phase_of(pod) == "Pending" or (name == "cpu" and self._starts(pod)):
                groups.unready.append(pod_name)
            elif usage is None:
                groups.missing.append(pod_name)
            else:
                groups.used[pod_name] = usage
        if not groups.used:
            raise ValueError("did not receive metrics for targeted pods (pods might be unready)")
        return groups

    def _usage(self, pod: Manifest, name: str, container: str) -> int | None:
        if self._metrics is None:
            return None
        usage = self._metrics(pod, name, container=container)
        return None if usage is None else math.ceil(usage * _MILLI)

    def _nothing(self, name: str, *, is_custom: bool) -> str:
        if is_custom:
            text = f"the server could not find the metric {name} for pods"
            found = f"unable to fetch metrics from custom metrics API: {text}"
            return f"unable to get metric {name}: {found if self._metrics else _NO_ADAPTER}"
        text = "no metrics returned from resource metrics API"
        if self._metrics is None:
            text = (
                "unable to fetch metrics from resource metrics API: the server could not find "
                "the requested resource (get pods.metrics.k8s.io)"
            )
        return f"unable to get metrics for resource {name}: {text}"

    def _starts(self, pod: Manifest) -> bool:
        """True for a pod whose use of CPU is that of its start, or which was never ready."""
        status = pod.get("status") or {}
        ready = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), None)
        if ready is None or not status.get("startTime"):
            return True
        if ready["status"] != "False":
            return False
        started = seconds_of(self._clock, status["startTime"])
        if started + _START_SECONDS > self._clock.now():
            return True
        since = ready.get("lastTransitionTime")
        return since is None or started + _FIRST_READY_SECONDS > seconds_of(self._clock, since)

    def _requests(self, name: str, container: str) -> dict[str, int]:
        """Return what pods ask for in thousandths.

        Raises:
            ValueError: One asks for nothing.
        """
        return {pod["metadata"]["name"]: _request(pod, name, container) for pod in self._pods}


def _request(pod: Manifest, name: str, container: str) -> int:
    total, pod_name = Fraction(0), pod["metadata"]["name"]
    sidecars = (
        found
        for found in pod["spec"].get("initContainers") or ()
        if found.get("restartPolicy") == "Always"
    )
    counted = [
        found
        for found in (*pod["spec"]["containers"], *sidecars)
        if container in ("", found["name"])
    ]
    if not counted:
        raise ValueError(f"container {container} not found in Pod {pod_name}")
    for found in counted:
        asked = ((found.get("resources") or {}).get("requests") or {}).get(name)
        if asked is None:
            raise ValueError(
                f"missing request for {name} in container {found['name']} of Pod {pod_name}"
            )
        total += parse(asked)
    return math.ceil(total * _MILLI)


def _utilization(used: dict[str, int], requests: dict[str, int]) -> int:
    asked = sum(requests[pod] for pod in used)
    return sum(used.values()) * 100 // asked if asked else 0


def _average(used: dict[str, int]) -> int:
    return sum(used.values()) // len(used)


def _milli(thousandths: int) -> str:
    return format_like(Fraction(thousandths, _MILLI), "1m")


def _unknown(metric: Manifest, namespace: str) -> MetricError:
    """Return the error of a metric that only an adapter could give."""
    if metric["type"] == "Object":
        source = metric["object"]
        about = source["describedObject"]
        subject = f"{about['kind']} {namespace}/{about['name']}"
        text = f"unable to get metric {source['metric']['name']} on {subject}: {_NO_ADAPTER}"
        return MetricError("FailedGetObjectMetric", text, "object")
    name = metric["external"]["metric"]["name"]
    text = (
        f"unable to get external metric {namespace}/{name}/nil: unable to fetch metrics from "
        "external metrics API: the server could not find the requested resource "
        f"(get {name}.external.metrics.k8s.io)"
    )
    return MetricError("FailedGetExternalMetric", text, "external")
