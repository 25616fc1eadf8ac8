"""Rules of HorizontalPodAutoscalers.

Source: k8s.io/kubernetes, pkg/apis/autoscaling/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_sim.apimachinery import causes, names, quantities
from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_metadata import path_segment_causes
from gitops_sim.apimachinery.validation_parts import named, supported
from gitops_sim.types import Manifest

__all__ = ["autoscaler_causes"]

_METRICS = ("ContainerResource", "External", "Object", "Pods", "Resource")
_RAW_OR_SHARE = "must set either a target raw value or a target utilization"
_RAW_AND_SHARE = "may not set both a target raw value and a target utilization"
_LONGEST_WINDOW = 3600
_LONGEST_PERIOD = 1800


def autoscaler_causes(manifest: Manifest) -> Iterator[Cause]:
    """Yield what is wrong with a HorizontalPodAutoscaler, of any version."""
    spec = manifest["spec"]
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 0:
        yield causes.invalid("spec.minReplicas", least, "must be greater than or equal to 0")
    if most == 0:
        yield causes.required("spec.maxReplicas")
    elif most < 0:
        yield causes.invalid("spec.maxReplicas", most, "must be greater than or equal to 1")
    if most < least:
        text = "must be greater than or equal to `minReplicas`"
        yield causes.invalid("spec.maxReplicas", most, text)
    reference = spec.get("scaleTargetRef") or {}
    yield from _reference_causes(reference, "spec.scaleTargetRef")
    if "/" not in reference.get("apiVersion", ""):
        text = "apiVersion must specify API group"
        shown = reference.get("apiVersion", "")
        yield causes.invalid("spec.scaleTargetRef.apiVersion", shown, text)
    metrics = spec.get("metrics") or ()
    for index, metric in enumerate(metrics):
        yield from _metric_causes(metric, f"spec.metrics[{index}]")
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        text = "must specify at least one Object or External metric to support scaling to zero "
        yield causes.forbidden("spec.metrics", f"{text}replicas")
    behavior = spec.get("behavior") or {}
    for member in ("scaleUp", "scaleDown"):
        if behavior.get(member) is not None:
            yield from _scaling_causes(behavior[member], f"spec.behavior.{member}")


def _reference_causes(reference: dict[str, Any], path: str) -> Iterator[Cause]:
    for member in ("kind", "name"):
        if not reference.get(member):
            yield causes.required(f"{path}.{member}")
        else:
            yield from path_segment_causes(reference[member], f"{path}.{member}")


def _metric_causes(metric: dict[str, Any], path: str) -> Iterator[Cause]:
    kind = metric.get("type", "")
    if not kind:
        yield causes.required(f"{path}.type", "must specify a metric source type")
    yield from supported(kind, f"{path}.type", _METRICS)
    member = kind[:1].lower() + kind[1:]
    if kind in _METRICS and metric.get(member) is None:
        text = "must populate information for the given metric source"
        yield causes.required(f"{path}.{member}", text)
    for name, source in metric.items():
        if name not in ("type", member):
            yield causes.forbidden(f"{path}.{name}", "must populate the given metric source only")
        elif isinstance(source, dict):
            yield from _source_causes(name, source, f"{path}.{name}")


def _source_causes(kind: str, source: dict[str, Any], path: str) -> Iterator[Cause]:
    target, place = source.get("target") or {}, f"{path}.target"
    if kind in ("resource", "containerResource"):
        if not source.get("name"):
            yield causes.required(f"{path}.name", "must specify a resource name")
    else:
        if kind == "object":
            described = source.get("describedObject") or {}
            yield from _reference_causes(described, f"{path}.describedObject")
        yield from _identifier_causes(source.get("metric") or {}, f"{path}.metric")
    if kind == "containerResource":
        if not source.get("container"):
            yield causes.required(f"{path}.container", "must specify a container")
        else:
            yield from named(source["container"], f"{path}.container", names.validate_label)
    yield from _target_causes(target, place)
    yield from _goal_causes(kind, target, place)


def _identifier_causes(metric: dict[str, Any], path: str) -> Iterator[Cause]:
    name = metric.get("name", "")
    if not name:
        yield causes.required(f"{path}.name", "must specify a metric name")
    else:
        yield from path_segment_causes(name, f"{path}.name")


def _goal_causes(kind: str, target: dict[str, Any], path: str) -> Iterator[Cause]:
    """Yield what is wrong with the values of a target that belong to the kind of its metric."""
    value, mean = target.get("value"), target.get("averageValue")
    if kind in ("resource", "containerResource"):
        share = target.get("averageUtilization")
        if share is None and mean is None:
            yield causes.required(f"{path}.averageUtilization", _RAW_OR_SHARE)
        if share is not None and mean is not None:
            yield causes.forbidden(f"{path}.averageValue", _RAW_AND_SHARE)
    elif kind == "pods":
        if mean is None:
            text = "must specify a positive target averageValue"
            yield causes.required(f"{path}.averageValue", text)
    elif value is None and mean is None:
        text = "must set either a target value or averageValue"
        if kind == "external":
            text = "must set either a target value for metric or a per-pod target"
        yield causes.required(f"{path}.averageValue", text)
    elif kind == "external" and value is not None and mean is not None:
        text = "may not set both a target value for metric and a per-pod target"
        yield causes.forbidden(f"{path}.value", text)


def _target_causes(target: dict[str, Any], path: str) -> Iterator[Cause]:
    kind = target.get("type", "")
    if not kind:
        yield causes.required(f"{path}.type", "must specify a metric target type")
    if kind not in ("Utilization", "Value", "AverageValue"):
        text = "must be either Utilization, Value, or AverageValue"
        yield causes.invalid(f"{path}.type", kind, text)
    for member in ("value", "averageValue"):
        if target.get(member) is not None and quantities.parse(target[member]) <= 0:
            yield causes.invalid(f"{path}.{member}", target[member], "must be positive")
    used = target.get("averageUtilization")
    if used is not None and used < 1:
        yield causes.invalid(f"{path}.averageUtilization", used, "must be greater than 0")


def _scaling_causes(rules: dict[str, Any], path: str) -> Iterator[Cause]:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None:
        place = f"{path}.stabilizationWindowSeconds"
        if window < 0:
            yield causes.invalid(place, window, "must be greater than or equal to zero")
        if window > _LONGEST_WINDOW:
            text = f"must be less than or equal to {_LONGEST_WINDOW}"
            yield causes.invalid(place, window, text)
    if rules.get("selectPolicy") is not None:
        words = ("Disabled", "Max", "Min")
        yield from supported(rules["selectPolicy"], f"{path}.selectPolicy", words)
    policies = rules.get("policies") or []
    if not policies:
        yield causes.required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(policies):
        place = f"{path}.policies[{index}]"
        yield from supported(policy.get("type"), f"{place}.type", ("Percent", "Pods"))
        for member in ("value", "periodSeconds"):
            if policy.get(member, 0) <= 0:
                text = "must be greater than zero"
                yield causes.invalid(f"{place}.{member}", policy.get(member, 0), text)
        period = policy.get("periodSeconds", 0)
        if period > _LONGEST_PERIOD:
            text = f"must be less than or equal to {_LONGEST_PERIOD}"
            yield causes.invalid(f"{place}.periodSeconds", period, text)
