"""How far a roll-out may go: maxSurge and maxUnavailable as numbers of pods.

Source: k8s.io/kubernetes, pkg/controller/deployment/util/deployment_util.go (ResolveFenceposts)
and k8s.io/apimachinery, pkg/util/intstr.
"""

from __future__ import annotations

from typing import NamedTuple

from gitops_sim.types import Manifest

__all__ = ["Fenceposts", "fenceposts", "resolve"]


class Fenceposts(NamedTuple):
    """Pods that may be there above, and may lack below, the number wanted."""

    surge: int
    unavailable: int


def resolve(value: int | str | None, total: int, *, round_up: bool) -> int:
    """Return a number or percentage (`25%`) of `total` as a number; None is 0."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    percent = int(value.removesuffix("%"))
    return -(-percent * total // 100) if round_up else percent * total // 100


def fenceposts(deployment: Manifest) -> Fenceposts:
    """Return what a Deployment's strategy allows; both are 0 for Recreate.

    A surge is rounded up, the unavailable down; when both come out as 0, one may be unavailable,
    or the roll-out would stand still.
    """
    spec = deployment["spec"]
    strategy, replicas = spec.get("strategy") or {}, spec["replicas"]
    if strategy.get("type") != "RollingUpdate":
        return Fenceposts(0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    surge = resolve(rolling.get("maxSurge"), replicas, round_up=True)
    unavailable = resolve(rolling.get("maxUnavailable"), replicas, round_up=False)
    if not surge and not unavailable:
        unavailable = 1
    return Fenceposts(surge, min(unavailable, replicas))
