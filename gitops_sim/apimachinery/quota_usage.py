"""What one object counts against a ResourceQuota. Pure.

Source: k8s.io/kubernetes, pkg/quota/v1/evaluator/core (pods.go, services.go,
persistent_volume_claims.go) and k8s.io/apiserver, pkg/quota/v1/generic/evaluator.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.types import Manifest

__all__ = ["in_scope", "pod_resources", "usage_of"]

_COUNTED_PLAINLY = {
    "ConfigMap",
    "PersistentVolumeClaim",
    "Pod",
    "ReplicationController",
    "ResourceQuota",
    "Secret",
    "Service",
}
"""Kinds of the core group that can be counted by their plural alone, without `count/`."""

_SHORT = ("cpu", "memory", "ephemeral-storage")
_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
_ONE = Fraction(1)


def usage_of(manifest: Manifest, plural: str) -> dict[str, Fraction]:
    """Return the amounts that an object counts, by the names that `spec.hard` uses.

    Args:
        manifest: Any namespaced object; ended pods count only as objects.
        plural: Of its kind: `deployments`.
    """
    group, _, _ = str(manifest["apiVersion"]).rpartition("/")
    kind = manifest["kind"]
    counted = {f"count/{plural}.{group}" if group else f"count/{plural}": _ONE}
    if group or kind not in _COUNTED_PLAINLY:
        return counted
    if kind == "Pod":
        return counted | ({} if _has_ended(manifest) else _pod_usage(manifest))
    counted[plural] = _ONE
    if kind == "Service":
        counted |= _service_usage(manifest)
    elif kind == "PersistentVolumeClaim":
        counted |= _claim_usage(manifest)
    return counted


def in_scope(quota: Manifest, pod: Manifest) -> bool:
    """True when a quota's scopes include a pod; without scopes all are included."""
    spec = quota["spec"]
    wanted = [
        {"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()
    ] + list((spec.get("scopeSelector") or {}).get("matchExpressions") or ())
    return all(_meets(requirement, pod) for requirement in wanted)


def pod_resources(pod: Manifest, part: str) -> dict[str, Fraction]:
    """Return the sum of a pod's `requests` or `limits` (`part`).

    Containers add up; init containers run one after the other, so that only the largest counts;
    sidecars run beside all that come after them.
    """
    spec = pod["spec"]
    total: dict[str, Fraction] = {}
    for container in spec.get("containers") or ():
        _add(total, _amounts(container, part))
    largest: dict[str, Fraction] = {}
    sidecars: dict[str, Fraction] = {}
    for container in spec.get("initContainers") or ():
        amounts = _amounts(container, part)
        if container.get("restartPolicy") == "Always":
            _add(sidecars, amounts)
            amounts = sidecars
        else:
            _add(amounts, sidecars)
        for name, amount in amounts.items():
            largest[name] = max(largest.get(name, Fraction(0)), amount)
    _add(total, sidecars)
    for name, amount in largest.items():
        total[name] = max(total.get(name, Fraction(0)), amount)
    _add(total, {name: parse(value) for name, value in (spec.get("overhead") or {}).items()})
    return total


def _pod_usage(pod: Manifest) -> dict[str, Fraction]:
    usage = {"pods": _ONE}
    for name, amount in pod_resources(pod, "requests").items():
        usage[f"requests.{name}"] = amount
        if name in _SHORT:
            usage[name] = amount
    for name, amount in pod_resources(pod, "limits").items():
        usage[f"limits.{name}"] = amount
    return usage


def _service_usage(service: Manifest) -> dict[str, Fraction]:
    spec = service["spec"]
    ports = len(spec.get("ports") or ())
    if spec.get("type") == "NodePort":
        return {"services.nodeports": Fraction(ports)}
    if spec.get("type") == "LoadBalancer":
        allocated = spec.get("allocateLoadBalancerNodePorts", True)
        return {
            "services.loadbalancers": _ONE,
            "services.nodeports": Fraction(ports if allocated else 0),
        }
    return {}


def _claim_usage(claim: Manifest) -> dict[str, Fraction]:
    spec = claim["spec"]
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    annotations = claim["metadata"].get("annotations") or {}
    storage_class = annotations.get(_STORAGE_CLASS) or spec.get("storageClassName")
    usage: dict[str, Fraction] = {}
    if asked is not None:
        usage["requests.storage"] = parse(asked)
    if storage_class:
        prefix = f"{storage_class}.storageclass.storage.k8s.io"
        usage[f"{prefix}/persistentvolumeclaims"] = _ONE
        if asked is not None:
            usage[f"{prefix}/requests.storage"] = parse(asked)
    return usage


def _meets(requirement: Mapping[str, Any], pod: Manifest) -> bool:
    spec, name = pod["spec"], requirement["scopeName"]
    if name == "PriorityClass":
        value, values = spec.get("priorityClassName"), requirement.get("values") or ()
        match requirement["operator"]:
            case "In":
                return value in values
            case "NotIn":
                return value not in values
            case "DoesNotExist":
                return not value
        return bool(value)
    best_effort = not pod_resources(pod, "requests") and not pod_resources(pod, "limits")
    found = {
        "Terminating": spec.get("activeDeadlineSeconds") is not None,
        "NotTerminating": spec.get("activeDeadlineSeconds") is None,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "CrossNamespacePodAffinity": _crosses_namespaces(spec),
    }
    return found.get(name, True)


def _crosses_namespaces(spec: Mapping[str, Any]) -> bool:
    affinity = spec.get("affinity") or {}
    for part in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(part) or {}
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        terms += [
            entry["podAffinityTerm"]
            for entry in rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        ]
        if any(term.get("namespaces") or "namespaceSelector" in term for term in terms):
            return True
    return False


def _has_ended(pod: Manifest) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _amounts(container: Mapping[str, Any], part: str) -> dict[str, Fraction]:
    amounts = (container.get("resources") or {}).get(part) or {}
    return {name: parse(value) for name, value in amounts.items()}


def _add(sums: dict[str, Fraction], amounts: Mapping[str, Fraction]) -> None:
    for name, amount in amounts.items():
        sums[name] = sums.get(name, Fraction(0)) + amount
