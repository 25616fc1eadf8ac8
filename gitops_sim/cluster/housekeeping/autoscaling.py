"""HorizontalPodAutoscalers: more replicas when pods are busy, fewer when they idle.

Every 15 seconds the usage of the target's pods is compared with what the autoscaler wants. Busier
pods mean more replicas at once, fewer only when for five minutes no more were wanted; both as fast
as spec.behavior allows.

Source: k8s.io/kubernetes, pkg/controller/podautoscaler/horizontal.go.
Differs: without a source of metrics an autoscaler says what it says in a cluster without a metrics
server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.cluster.controlling import (
    Context,
    ControllerSpec,
    Reconciling,
    Steps,
    step,
)
from gitops_sim.cluster.housekeeping.autoscaling_metrics import (
    Calculator,
    MetricError,
    MetricSource,
    Proposal,
    Tolerance,
)
from gitops_sim.cluster.housekeeping.autoscaling_rates import Memory, Rates
from gitops_sim.cluster.ownership import selector_of
from gitops_sim.errors import ApiError, NotFoundError
from gitops_sim.runtime import ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["MetricSource", "autoscaler"]

_AUTOSCALERS, _PODS = "autoscaling/v2/HorizontalPodAutoscaler", "v1/Pod"
_SYNC_SECONDS = 15.0
_TOLERANCE = "0.1"


@dataclass(slots=True)
class _Kept:
    """What is known of an autoscaler from look to look."""

    memory: Memory = field(default_factory=Memory)
    looked: float = -_SYNC_SECONDS


def autoscaler(*, metrics: MetricSource | None = None) -> ControllerSpec:
    """Return the controller; without a source of metrics it scales nothing."""

    def make_reconcile(context: Context) -> ReconcileFunction:
        kept: dict[Request, _Kept] = {}

        def reconcile(request: Request) -> Reconciling:
            """Look every 15 seconds, however often the autoscaler changes in between."""
            found = context.caches[_AUTOSCALERS].get(request.name, request.namespace)
            if found is None:
                kept.pop(request, None)
                return None
            mine = kept.setdefault(request, _Kept())
            now = context.clock.now()
            due = mine.looked + _SYNC_SECONDS
            if now < due:
                return Result(due - now)
            mine.looked = now
            run = _Run(context, metrics, found, mine.memory)
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
        memory: Memory,
    ) -> None:
        self._context = context
        self._metrics = metrics
        self._found = found
        self._memory = memory
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
        if not self._memory.recommended:
            self._memory.recommended.append((self._context.clock.now(), current))
        self._status["currentMetrics"] = None
        if current == 0 and self._least:
            self._status["desiredReplicas"] = 0
            text = "scaling is disabled since the replica count of the target is zero"
            self._told("ScalingActive", "False", "ScalingDisabled", text)
            return
        if current > self._most:
            desired, reason = self._most, "Current number of replicas above Spec.MaxReplicas"
        elif current < self._least:
            desired, reason = self._least, "Current number of replicas below Spec.MinReplicas"
        else:
            try:
                proposal = self._proposal(target, current)
            except MetricError as error:
                text = f"the HPA was unable to compute the replica count: {error.message}"
                self._told("ScalingActive", "False", error.reason, text)
                self._status["desiredReplicas"] = self._status.get("desiredReplicas", 0)
                return
            reason = f"{proposal.metric} above target"
            if proposal.replicas < current:
                reason = "All metrics below target"
            desired = self._allowed(proposal.replicas, current)
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

    def _proposal(self, target: Manifest, current: int) -> Proposal:
        """Return the largest number of replicas that any metric asks for."""
        metrics = self._found["spec"].get("metrics") or ()
        namespace = self._found["metadata"]["namespace"]
        clock, tolerance = self._context.clock, self._tolerance()
        pods = self._pods_of(target)
        calculator = Calculator(self._metrics, pods, current, tolerance, clock)
        proposals: list[Proposal] = []
        failures: list[MetricError] = []
        told = self._status["currentMetrics"] = [{"type": ""} for _ in metrics]
        for place, metric in enumerate(metrics):
            try:
                proposals.append(calculator.of(metric, namespace))
                told[place] = proposals[-1].current
            except MetricError as error:
                self._tell("Warning", error.reason, error.message)
                failures.append(error)
        best = max(proposals, key=lambda proposal: proposal.replicas, default=None)
        if best is None or (failures and best.replicas < current):
            counts = f"{len(failures)} invalid out of {len(metrics)}"
            text = f"invalid metrics ({counts}), first error is: {failures[0].whole}"
            self._tell("Warning", "FailedComputeMetricsReplicas", text)
            raise failures[0]
        self._told(
            "ScalingActive",
            "True",
            "ValidMetricFound",
            f"the HPA was able to successfully calculate a replica count from {best.metric}",
        )
        return best

    def _tolerance(self) -> Tolerance:
        behavior = self._found["spec"].get("behavior") or {}
        down, up = (
            Fraction(parse((behavior.get(way) or {}).get("tolerance") or _TOLERANCE))
            for way in ("scaleDown", "scaleUp")
        )
        return Tolerance(down, up)

    def _pods_of(self, target: Manifest) -> Sequence[Manifest]:
        namespace = target["metadata"]["namespace"]
        return self._context.caches[_PODS].list(namespace, labels=selector_of(target))

    def _allowed(self, wanted: int, current: int) -> int:
        """Return what of a wish is allowed now, and tell conditions of it."""
        now = self._context.clock.now()
        rates = Rates(self._found["spec"], self._memory, current, now)
        held = rates.stabilized(wanted)
        self._told("AbleToScale", "True", held.reason, held.message)
        limited = rates.limited(held.replicas)
        status = "False" if limited.replicas == held.replicas else "True"
        self._told("ScalingLimited", status, limited.reason, limited.message)
        return limited.replicas

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
        if "behavior" in self._found["spec"]:
            change = replicas - self._status["currentReplicas"]
            self._memory.changes.append((self._context.clock.now(), change))

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
