"""LimitRanger: default requests and limits of containers, and what they must keep within.

Source: k8s.io/kubernetes, plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gitops_sim.apimachinery.quantities import canonical, format_like, parse
from gitops_sim.apimachinery.quota_usage import pod_resources
from gitops_sim.apimachinery.status_errors import forbidden
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.types import Manifest

__all__ = ["give_defaults", "keep_limits"]

_RANGES, _PODS = Kind("", "LimitRange"), Kind("", "Pod")
_CLAIMS = Kind("", "PersistentVolumeClaim")
_ANNOTATION = "kubernetes.io/limit-ranger"
Amounts = dict[str, Any]


def give_defaults(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: fill requests and limits of a new pod's containers in place."""
    if _kind(write) != _PODS or write.before is not None or write.subresource:
        return
    for limit_range in server.store.objects(_RANGES, manifest["metadata"]["namespace"]):
        _fill(manifest, limit_range)


def keep_limits(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: refuse a pod or claim beyond the limits of its namespace.

    Raises:
        ForbiddenError: Says which limit, and by what it is passed.
    """
    if not server.store.holds(_RANGES):
        return
    kind = _kind(write)
    if kind not in (_PODS, _CLAIMS) or write.subresource or write.verb == "delete":
        return
    if kind == _PODS and write.before is not None:
        return
    problems: list[str] = []
    for limit_range in server.store.objects(_RANGES, manifest["metadata"]["namespace"]):
        for limit in (limit_range.get("spec") or {}).get("limits") or ():
            judge = _pod_problems if kind == _PODS else _claim_problems
            problems += judge(limit, manifest)
    if problems:
        text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise forbidden(write.resource_type, manifest["metadata"].get("name", ""), text)


def _kind(write: Write) -> Kind:
    return write.resource_type.group_kind


def _fill(pod: Manifest, limit_range: Manifest) -> None:
    limits: Amounts = {}
    requests: Amounts = {}
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        if limit.get("type") == "Container":
            limits |= limit.get("default") or {}
            requests |= limit.get("defaultRequest") or {}
    told = []
    spec = pod["spec"]
    for word, listed in (("container", "containers"), ("init container", "initContainers")):
        for container in spec.get(listed) or ():
            resources = container["resources"] = dict(container.get("resources") or {})
            for part, defaults in (("requests", requests), ("limits", limits)):
                have = resources.get(part) or {}
                added = {name: defaults[name] for name in sorted(defaults) if name not in have}
                if added:
                    resources[part] = have | added
                    told.append(f"{', '.join(added)} {part[:-1]} for {word} {container['name']}")
    if told:
        metadata = pod["metadata"]
        text = "LimitRanger plugin set: " + "; ".join(told)
        metadata["annotations"] = (metadata.get("annotations") or {}) | {_ANNOTATION: text}


def _pod_problems(limit: Amounts, pod: Manifest) -> list[str]:
    spec = pod["spec"]
    if limit.get("type") == "Container":
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        return [
            problem
            for container in containers
            for problem in _problems(limit, *_resources(container))
        ]
    if limit.get("type") == "Pod":
        return list(_problems(limit, _sums(pod, "requests"), _sums(pod, "limits")))
    return []


def _claim_problems(limit: Amounts, claim: Manifest) -> list[str]:
    if limit.get("type") != "PersistentVolumeClaim":
        return []
    requests, _ = _resources(claim["spec"])
    # A claim has no limits: its request is held against the maximum.
    found = list(
        _each(limit, "min", lambda kind, name, most: _too_little(kind, name, most, requests, {}))
    )
    return found + list(
        _each(limit, "max", lambda kind, name, most: _asks_too_much(kind, name, most, requests))
    )


def _resources(holder: Manifest) -> tuple[Amounts, Amounts]:
    resources = holder.get("resources") or {}
    return resources.get("requests") or {}, resources.get("limits") or {}


def _problems(limit: Amounts, requests: Amounts, limits: Amounts) -> Iterator[str]:
    yield from _each(
        limit, "min", lambda kind, name, most: _too_little(kind, name, most, requests, limits)
    )
    yield from _each(
        limit, "max", lambda kind, name, most: _too_much(kind, name, most, requests, limits)
    )
    yield from _each(
        limit,
        "maxLimitRequestRatio",
        lambda kind, name, most: _too_far(kind, name, most, requests, limits),
    )


def _each(
    limit: Amounts, member: str, judge: Callable[[str, str, Any], str | None]
) -> Iterator[str]:
    for name, enforced in sorted((limit.get(member) or {}).items()):
        problem = judge(str(limit["type"]), name, enforced)
        if problem:
            yield problem


def _too_little(
    kind: str, name: str, enforced: Any, requests: Amounts, limits: Amounts
) -> str | None:
    start = f"minimum {name} usage per {kind} is {canonical(enforced)}"
    if name not in requests:
        return f"{start}.  No request is specified"
    if parse(requests[name]) < parse(enforced):
        return f"{start}, but request is {canonical(requests[name])}"
    if name in limits and parse(limits[name]) < parse(enforced):
        return f"{start}, but limit is {canonical(limits[name])}"
    return None


def _too_much(
    kind: str, name: str, enforced: Any, requests: Amounts, limits: Amounts
) -> str | None:
    start = f"maximum {name} usage per {kind} is {canonical(enforced)}"
    if name not in limits:
        return f"{start}.  No limit is specified"
    if parse(limits[name]) > parse(enforced):
        return f"{start}, but limit is {canonical(limits[name])}"
    if name in requests and parse(requests[name]) > parse(enforced):
        return f"{start}, but request is {canonical(requests[name])}"
    return None


def _asks_too_much(kind: str, name: str, enforced: Any, requests: Amounts) -> str | None:
    start = f"maximum {name} usage per {kind} is {canonical(enforced)}"
    if name not in requests:
        return f"{start}.  No request is specified"
    if parse(requests[name]) > parse(enforced):
        return f"{start}, but request is {canonical(requests[name])}"
    return None


def _too_far(kind: str, name: str, enforced: Any, requests: Amounts, limits: Amounts) -> str | None:
    start = f"{name} max limit to request ratio per {kind} is {canonical(enforced)}, but"
    request, limit = parse(requests.get(name, 0)), parse(limits.get(name, 0))
    if not request:
        return f"{start} no request is specified or request is 0"
    if not limit:
        return f"{start} no limit is specified or limit is 0"
    if limit / request > parse(enforced):
        return f"{start} provided ratio is {float(limit / request):f}"
    return None


def _sums(pod: Manifest, part: str) -> Amounts:
    """Return what the containers have together, written as the first of them writes it."""
    spec = pod["spec"]
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    amounts = [(container.get("resources") or {}).get(part) or {} for container in containers]
    told = {}
    for name, amount in pod_resources(pod, part).items():
        examples = (found[name] for found in amounts if name in found and parse(found[name]))
        told[name] = format_like(amount, next(examples, "1"))
    return told
