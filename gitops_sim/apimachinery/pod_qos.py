"""The quality of service of a pod: who is evicted first from a node that runs out of memory.

Source: k8s.io/kubernetes, pkg/apis/core/v1/helper/qos/qos.go (ComputePodQOS).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from gitops_sim.apimachinery import quantities
from gitops_sim.types import Manifest

__all__ = ["qos_class"]

_COUNTED = ("cpu", "memory")


def qos_class(pod: Manifest) -> str:
    """Return Guaranteed, Burstable or BestEffort, by requests and limits of cpu and memory."""
    spec = pod.get("spec") or {}
    whole = spec.get("resources") or {}
    if whole.get("requests") or whole.get("limits"):
        told = [whole]
    else:
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        told = [container.get("resources") or {} for container in containers]
    requests = _sums(resources.get("requests") or {} for resources in told)
    limits = _sums(resources.get("limits") or {} for resources in told)
    if not requests and not limits:
        return "BestEffort"
    is_limited = all(
        _amount(resources.get("limits") or {}, name) > 0 for resources in told for name in _COUNTED
    )
    return "Guaranteed" if is_limited and requests == limits else "Burstable"


def _sums(told: Iterable[dict[str, Any]]) -> dict[str, Fraction | int]:
    found: dict[str, Fraction | int] = {}
    for amounts in told:
        for name in _COUNTED:
            amount = _amount(amounts, name)
            if amount > 0:
                found[name] = found.get(name, 0) + amount
    return found


def _amount(amounts: dict[str, Any], name: str) -> Fraction | int:
    return quantities.parse(amounts[name]) if name in amounts else 0
