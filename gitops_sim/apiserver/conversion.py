"""Objects in another version of their kind, or under another group that serves the same ones.

Everything is stored in one version a kind; it is converted when it is read and before it is
stored. Most versions differ in nothing but their name; Events and autoscalers do.

Source: k8s.io/kubernetes, pkg/apis/events/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go.
Differs: of an autoscaler's metrics, version v1 shows the share of cpu only; others are lost to
an update in v1, as they are in the annotation that the real server keeps.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.kinds import ResourceType
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["in_version", "storage_kind", "to_storage"]

_EVENTS = "events.k8s.io"
_CORE_EVENT, _NEW_EVENT = Kind("", "Event"), Kind(_EVENTS, "Event")
_CORE_TO_NEW = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "count": "deprecatedCount",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "reportingComponent": "reportingController",
}
_NEW_TO_CORE = {new: core for core, new in _CORE_TO_NEW.items()}
_EMPTY_UNTOLD = ("reportingController", "reportingInstance")
_CPU = "targetCPUUtilizationPercentage"


def storage_kind(resource_type: ResourceType) -> Kind:
    """Return the table of a type: one for all its versions, and for both groups of Events."""
    kind = resource_type.group_kind
    return _CORE_EVENT if kind == _NEW_EVENT else kind


def in_version(resource_type: ResourceType, manifest: Manifest) -> Manifest:
    """Return a stored object in the version asked for; shares all that is the same."""
    api_version = resource_type.api_version
    if manifest.get("apiVersion") == api_version:
        return manifest
    if resource_type.kind == "Event":
        return _new_event(manifest) | {"apiVersion": api_version}
    if api_version == "autoscaling/v1":
        return _autoscaler_v1(manifest) | {"apiVersion": api_version}
    return manifest | {"apiVersion": api_version}


def to_storage(resource_type: ResourceType, manifest: Manifest) -> Manifest:
    """Return an object that came in by a type in the version in which it is stored."""
    if resource_type.kind == "Event" and resource_type.group == _EVENTS:
        return _renamed(manifest, _NEW_TO_CORE) | {"apiVersion": "v1"}
    if resource_type.api_version == "autoscaling/v1" and "spec" in manifest:
        return _autoscaler_v2(manifest) | {"apiVersion": "autoscaling/v2"}
    return manifest


def _renamed(manifest: Manifest, names: dict[str, str]) -> Manifest:
    return {names.get(name, name): value for name, value in manifest.items()}


def _new_event(manifest: Manifest) -> Manifest:
    event = _renamed(manifest, _CORE_TO_NEW)
    for name in _EMPTY_UNTOLD:
        if not event.get(name):
            event.pop(name, None)
    return event


def _autoscaler_v1(manifest: Manifest) -> Manifest:
    spec = dict(manifest.get("spec") or {})
    for metric in spec.pop("metrics", None) or ():
        utilization = _cpu_utilization(metric, "target")
        if utilization is not None:
            spec[_CPU] = utilization
    spec.pop("behavior", None)
    old = manifest.get("status") or {}
    kept = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
    status = {"currentReplicas": 0, "desiredReplicas": 0}
    status |= {name: old[name] for name in kept if name in old}
    for metric in old.get("currentMetrics") or ():
        utilization = _cpu_utilization(metric, "current")
        if utilization is not None:
            status["currentCPUUtilizationPercentage"] = utilization
    return manifest | {"spec": spec, "status": status}


def _autoscaler_v2(manifest: Manifest) -> Manifest:
    spec: dict[str, Any] = dict(manifest.get("spec") or {})
    share = spec.pop(_CPU, None)
    if share is not None:
        target = {"type": "Utilization", "averageUtilization": share}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return manifest | {"spec": spec}


def _cpu_utilization(metric: dict[str, Any], member: str) -> Any:
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    return (resource.get(member) or {}).get("averageUtilization")
