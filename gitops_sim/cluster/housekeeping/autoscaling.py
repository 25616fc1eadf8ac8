"""HorizontalPodAutoscalers: more replicas when pods are busy, fewer when they idle.

Every 15 seconds the usage of the target's pods is compared with what the autoscaler wants. Busier
pods mean more replicas at once, at most twice as many (or four); fewer only when for five minutes
no more were wanted.

Source: k8s.io/kubernetes, pkg/controller/podautoscaler (horizontal.go, replica_calculator.go).
Differs: metrics of type Resource are computed, others are told as missing; of spec.behavior the
stabilization windows and selectPolicy Disabled are kept, not the policies. Without a source of
metrics an autoscaler says what it says in a cluster without a metrics server.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from gitops_sim.apimachinery.quantities import format_like, parse
from gitops_sim.apimachinery.quota_usage import pod_resources
from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    step,
)
from gitops_sim.cluster.ownership import selector_of
from gitops_sim.cluster.workloads.pods import is_active, is_ready
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.runtime import ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["MetricSource", "autoscaler"]

MetricSource: TypeAlias = Callable[[Manifest, str], Fraction | None]
"""What a pod uses now of `cpu` (cores) or `memory` (bytes); None when nobody knows."""

_AUTOSCALERS, _PODS = "autoscaling/v2/HorizontalPodAutoscaler", "v1/Pod"
_SYNC_SECONDS, _DOWN_WINDOW_SECONDS = 15.0, 300.0
_TOLERANCE = Fraction(1, 10)
_NO_METRICS = (
    "unable to fetch metrics from resource metrics API: the server could not find the requested "
    "resource (get pods.metrics.k8s.io)"
)


class _MetricError(Exception):
    """A metric cannot be computed: `(reason, message, resource)`."""

    def __init__(self, reason: str, message: str, resource: str = "") -> None:
        super().__init__(reason, message, resource)
        self.reason, self.message, self.resource = reason, message, resource

    @property
    def whole(self) -> str:
        """The message as the error of the whole computation tells it."""
        if not self.resource:
            return self.message
        return f"failed to get {self.resource} resource metric value: {self.message}"


@dataclass(frozen=True, slots=True)
class _Proposal:
    replicas: int
    metric: str
    current: Manifest


def autoscaler(*, metrics: MetricSource | None = None) -> ControllerSpec:
    """Return the controller; without a source of metrics it scales nothing."""

    def make_reconcile(context: Context) -> ReconcileFunction:
        recommended: dict[Request, list[tuple[float, int]]] = {}
        looked: dict[Request, float] = {}

        def reconcile(request: Request) -> Reconciling:
            """Look every 15 seconds, however often the autoscaler changes in between."""
            found = context.caches[_AUTOSCALERS].get(request.name, request.namespace)
            if found is None:
                recommended.pop(request, None)
                looked.pop(request, None)
                return None
            now = context.clock.now()
            due = looked.get(request, -_SYNC_SECONDS) + _SYNC_SECONDS
            if now < due:
                return Result(due - now)
            looked[request] = now
            run = _Run(context, metrics, found, recommended.setdefault(request, []))
            yield from run.scale()
            yield from run.write_status()
            return Result(_SYNC_SECONDS)

        return reconcile

    return ControllerSpec(
        "horizontal-pod-autoscaler-controller",
        (Watched(_AUTOSCALERS), Watched(_PODS, requests=lambda manifest, caches: ())),
        make_reconcile,
        component="horizontal-pod-autoscaler",
    )


class _Run:
    """One look of an autoscaler at its target."""

    def __init__(
        self,
        context: Context,
        metrics: MetricSource | None,
        found: Manifest,
        recommended: list[tuple[float, int]],
    ) -> None:
        self._context = context
        self._metrics = metrics
        self._found = found
        self._recommended = recommended
        self._status: Manifest = dict(found.get("status") or {})
        self._least: int = found["spec"].get("minReplicas", 1)
        self._most: int = found["spec"]["maxReplicas"]

    def scale(self) -> Steps:
        """Compute the replicas that are wanted, and scale the target to them."""
        target = self._target()
        if target is None:
            return
        current: int = target["spec"].get("replicas", 1)
        self._status["currentReplicas"] = current
        self._status["observedGeneration"] = self._found["metadata"].get("generation", 1)
        if current == 0:
            self._told(
                "ScalingActive",
                "False",
                "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero",
            )
            return
        if current > self._most:
            desired, reason = self._most, "Current number of replicas above Spec.MaxReplicas"
        elif current < self._least:
            desired, reason = self._least, "Current number of replicas below Spec.MinReplicas"
        else:
            try:
                proposal = self._proposal(target, current)
            except _MetricError as error:
                self._tell_failure(error)
                self._status["desiredReplicas"] = self._status.get("desiredReplicas", 0)
                return
            desired = self._limited(self._stabilized(proposal.replicas, current), current)
            reason = f"{proposal.metric} above target"
            if desired < current:
                reason = "All metrics below target"
        self._status["desiredReplicas"] = desired
        if desired != current:
            yield from self._rescale(target, desired, reason)

    def write_status(self) -> Steps:
        """Write what was found, when it changed."""
        self._status.setdefault("currentMetrics", None)
        if self._status == (self._found.get("status") or {}):
            return
        yield step("update status of", self._found)
        try:
            self._context.client.update(
                self._found | {"status": self._status}, subresource="status"
            )
        except NotFoundError:
            return

    def _target(self) -> Manifest | None:
        reference = self._found["spec"]["scaleTargetRef"]
        kind = f"{reference['apiVersion']}/{reference['kind']}"
        namespace = self._found["metadata"]["namespace"]
        try:
            target = self._context.client.get(kind, reference["name"], namespace)
        except ApiError as error:
            message = f"the HPA controller was unable to get the target's current scale: {error}"
            self._tell("Warning", "FailedGetScale", str(error))
            self._told("AbleToScale", "False", "FailedGetScale", message)
            return None
        message = "the HPA controller was able to get the target's current scale"
        self._told("AbleToScale", "True", "SucceededGetScale", message)
        return target

    def _proposal(self, target: Manifest, current: int) -> _Proposal:
        """Return the largest number of replicas that any metric asks for."""
        metrics = self._found["spec"].get("metrics") or ()
        proposals: list[_Proposal] = []
        failures: list[_MetricError] = []
        told = self._status["currentMetrics"] = [{"type": ""} for _ in metrics]
        for place, metric in enumerate(metrics):
            try:
                proposals.append(self._of_metric(metric, target, current))
                told[place] = proposals[-1].current
            except _MetricError as error:
                self._tell("Warning", error.reason, error.message)
                failures.append(error)
        best = max(proposals, key=lambda proposal: proposal.replicas, default=None)
        if failures and (best is None or best.replicas < current):
            counts = f"{len(failures)} invalid out of {len(metrics)}"
            text = f"invalid metrics ({counts}), first error is: {failures[0].whole}"
            self._tell("Warning", "FailedComputeMetricsReplicas", text)
            raise failures[0]
        assert best is not None
        self._told(
            "ScalingActive",
            "True",
            "ValidMetricFound",
            f"the HPA was able to successfully calculate a replica count from {best.metric}",
        )
        return best

    def _of_metric(self, metric: Manifest, target: Manifest, current: int) -> _Proposal:
        if metric["type"] != "Resource":
            raise _MetricError(
                f"FailedGet{metric['type']}Metric", f"no source of {metric['type']} metrics"
            )
        name, wanted = metric["resource"]["name"], metric["resource"]["target"]
        by_use = wanted["type"] == "Utilization"
        word = "utilization" if by_use else "usage"
        pods = self._pods_of(target)
        usages = [(pod, self._usage(pod, name)) for pod in pods if is_ready(pod)]
        known = [(pod, usage) for pod, usage in usages if usage is not None]
        if not known:
            text = _NO_METRICS if self._metrics is None else f"no metrics returned from {name}"
            raise _MetricError(
                "FailedGetResourceMetric",
                f"failed to get {name} {word}: unable to get metrics for resource {name}: {text}",
                name,
            )
        used = sum((usage for _, usage in known), Fraction(0))
        average = used / len(known)
        told = {"averageValue": format_like(average, "1m" if name == "cpu" else "1Ki")}
        if by_use:
            asked = sum((self._request(pod, name) for pod, _ in known), Fraction(0))
            utilization = int(used * 100 / asked)
            told["averageUtilization"] = utilization  # type: ignore[assignment]
            ratio = Fraction(utilization, wanted["averageUtilization"])
        else:
            ratio = average / parse(wanted["averageValue"])
        replicas = current
        if abs(ratio - 1) > _TOLERANCE:
            replicas = math.ceil(ratio * len(known))
        kind = "resource utilization (percentage of request)" if by_use else "resource"
        state = {"type": "Resource", "resource": {"name": name, "current": told}}
        return _Proposal(replicas, f"{name} {kind}", state)

    def _usage(self, pod: Manifest, name: str) -> Fraction | None:
        return None if self._metrics is None else self._metrics(pod, name)

    def _request(self, pod: Manifest, name: str) -> Fraction:
        asked = pod_resources(pod, "requests").get(name)
        if asked is None:
            container = pod["spec"]["containers"][0]["name"]
            raise _MetricError(
                "FailedGetResourceMetric",
                f"failed to get {name} utilization: missing request for {name} in container "
                f"{container} of Pod {pod['metadata']['name']}",
                name,
            )
        return asked

    def _pods_of(self, target: Manifest) -> Sequence[Manifest]:
        namespace = target["metadata"]["namespace"]
        pods = self._context.caches[_PODS].list(namespace, labels=selector_of(target))
        return [pod for pod in pods if is_active(pod)]

    def _stabilized(self, replicas: int, current: int) -> int:
        """Return the highest number wanted lately, so that a short lull removes nothing."""
        rules = (self._found["spec"].get("behavior") or {}).get("scaleDown") or {}
        window = rules.get("stabilizationWindowSeconds", _DOWN_WINDOW_SECONDS)
        now = self._context.clock.now()
        kept = [entry for entry in self._recommended if entry[0] > now - window]
        self._recommended[:] = [*kept, (now, replicas)]
        highest = max(number for _, number in self._recommended)
        if replicas < current and highest > replicas:
            self._told(
                "AbleToScale",
                "True",
                "ScaleDownStabilized",
                "recent recommendations were higher than current one, applying the highest "
                "recent recommendation",
            )
            return min(highest, current)
        self._told(
            "AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"
        )
        return replicas

    def _limited(self, replicas: int, current: int) -> int:
        """Keep within the bounds, the rate of growth, and directions that are switched off."""
        behavior = self._found["spec"].get("behavior") or {}
        fastest = max(2 * current, 4)
        limited = max(self._least, min(replicas, self._most, fastest))
        if replicas < self._least:
            reason = "TooFewReplicas"
            message = "the desired replica count is less than the minimum replica count"
        elif limited == replicas:
            reason, message = (
                "DesiredWithinRange",
                "the desired count is within the acceptable range",
            )
        elif self._most > fastest:
            reason = "ScaleUpLimit"
            message = "the desired replica count is increasing faster than the maximum scale rate"
        else:
            reason = "TooManyReplicas"
            message = "the desired replica count is more than the maximum replica count"
        status = "False" if limited == replicas else "True"
        self._told("ScalingLimited", status, reason, message)
        way = "scaleUp" if limited > current else "scaleDown"
        if (behavior.get(way) or {}).get("selectPolicy") == "Disabled":
            return current
        return limited

    def _rescale(self, target: Manifest, replicas: int, reason: str) -> Steps:
        metadata = target["metadata"]
        kind = f"{target['apiVersion']}/{target['kind']}"
        yield step("scale", target)
        try:
            self._context.client.patch(
                kind,
                metadata["name"],
                {"spec": {"replicas": replicas}},
                metadata["namespace"],
                subresource="scale",
            )
        except ApiError as error:
            message = f"New size: {replicas}; reason: {reason}; error: {error}"
            self._tell("Warning", "FailedRescale", message)
            text = f"the HPA controller was unable to update the target scale: {error}"
            self._told("AbleToScale", "False", "FailedUpdateScale", text)
            raise
        self._tell("Normal", "SuccessfulRescale", f"New size: {replicas}; reason: {reason}")
        message = f"the HPA controller was able to update the target scale to {replicas}"
        self._told("AbleToScale", "True", "SucceededRescale", message)
        self._status["lastScaleTime"] = self._context.clock.timestamp()

    def _tell_failure(self, error: _MetricError) -> None:
        message = f"the HPA was unable to compute the replica count: {error.message}"
        self._told("ScalingActive", "False", error.reason, message)

    def _tell(self, type_: str, reason: str, message: str) -> None:
        self._context.events.event(self._found, type_, reason, message)

    def _told(self, type_: str, status: str, reason: str, message: str) -> None:
        """Set a condition; its time of transition changes with its status."""
        fresh: dict[str, Any] = {
            "type": type_,
            "status": status,
            "lastTransitionTime": self._context.clock.timestamp(),
            "reason": reason,
            "message": message,
        }
        conditions = list(self._status.get("conditions") or ())
        for place, current in enumerate(conditions):
            if current["type"] == type_:
                if current["status"] == status:
                    fresh["lastTransitionTime"] = current["lastTransitionTime"]
                conditions[place] = fresh
                break
        else:
            conditions.append(fresh)
        self._status["conditions"] = conditions
