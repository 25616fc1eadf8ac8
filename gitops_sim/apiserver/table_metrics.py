"""The targets of a HorizontalPodAutoscaler, as `kubectl get hpa` shows them.

Source: k8s.io/kubernetes, pkg/printers/internalversion/printers.go, formatHPAMetrics.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apiserver.table_cells import NONE, part
from gitops_sim.types import Manifest

__all__ = ["format_metrics"]

_MOST = 2
_UNKNOWN = "<unknown>"
_MEMBERS = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


def format_metrics(autoscaler: Manifest) -> str:
    """Return current and target of each metric."""
    specs = part(autoscaler, "spec").get("metrics") or []
    statuses = part(autoscaler, "status").get("currentMetrics") or []
    if not specs:
        return NONE
    listed = [
        _metric(spec, statuses[place] if place < len(statuses) else {})
        for place, spec in enumerate(specs)
    ]
    text = ", ".join(listed[:_MOST])
    return f"{text} + {len(listed) - _MOST} more..." if len(listed) > _MOST else text


def _metric(spec: Manifest, status: Manifest) -> str:
    member = _MEMBERS.get(spec.get("type", ""))
    if member is None:
        return "<unknown type>"
    target, current = part(spec, member, "target"), part(status, member, "current")
    average = target.get("averageValue")
    if member in ("resource", "containerResource"):
        name = part(spec, member).get("name", "")
        if average is not None:
            return f"{name}: {current.get('averageValue', _UNKNOWN)}/{average}"
        return f"{name}: {_percent(current, _UNKNOWN)}/{_percent(target, '<auto>')}"
    if member == "pods":
        return f"{current.get('averageValue', _UNKNOWN)}/{average}"
    if average is not None:
        return f"{current.get('averageValue', _UNKNOWN)}/{average} (avg)"
    return f"{current.get('value', _UNKNOWN)}/{target.get('value', '0')}"


def _percent(value: Any, unknown: str) -> str:
    found = value.get("averageUtilization")
    return unknown if found is None else f"{found}%"
