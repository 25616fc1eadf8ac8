"""ResourceQuota admission: what a new object needs must be left, and is taken off at once.

A quota takes effect once its status tells what is hard; what is used is counted there too, raised
by each admission and corrected by the quota controller.

Source: k8s.io/apiserver, pkg/admission/plugin/resourcequota/controller.go; k8s.io/kubernetes,
pkg/quota/v1/evaluator/core.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from gitops_sim.apimachinery.quantities import format_like, parse
from gitops_sim.apimachinery.quota_usage import in_scope, usage_of
from gitops_sim.apimachinery.status_errors import forbidden
from gitops_sim.apiserver.server import ApiServer, Write
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.writing import patch
from gitops_sim.types import Manifest

__all__ = ["take_quota"]

_QUOTAS, _PODS = Kind("", "ResourceQuota"), Kind("", "Pod")
_MUST_BE_SET = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
"""Amounts that every container must state where a quota is about them."""

Usage = dict[str, Fraction]


def take_quota(server: ApiServer, write: Write, manifest: Manifest) -> None:
    """Admission: refuse what a quota has no room for, and count what it has.

    Raises:
        ForbiddenError: Names the quota and the amounts.
    """
    kind = write.resource_type.group_kind
    if not write.resource_type.namespaced or kind == _QUOTAS or write.verb == "delete":
        return
    if write.subresource or not server.store.holds(_QUOTAS):
        return
    quotas = server.store.objects(_QUOTAS, manifest["metadata"]["namespace"])
    if not quotas:
        return
    plural = write.resource_type.plural
    delta = usage_of(manifest, plural)
    if write.before is not None:
        old = usage_of(write.before, plural)
        delta = {name: amount - old.get(name, Fraction(0)) for name, amount in delta.items()}
    taken = []
    for quota in quotas:
        hard = (quota.get("status") or {}).get("hard") or {}
        concerned = {name: amount for name, amount in delta.items() if name in hard}
        if kind == _PODS and not in_scope(quota, manifest):
            continue
        if kind == _PODS:
            _check_stated(write, quota, hard, manifest)
        concerned = {name: amount for name, amount in concerned.items() if amount > 0}
        if concerned:
            taken.append((quota, _with_room(write, quota, concerned, manifest)))
    if not write.dry_run:
        for quota, used in taken:
            _count(server, quota, used)


def _check_stated(write: Write, quota: Manifest, hard: dict[str, Any], pod: Manifest) -> None:
    if write.before is not None:
        return
    missing: dict[str, list[str]] = {}
    spec = pod["spec"]
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        resources = container.get("resources") or {}
        for name in (name for name in _MUST_BE_SET if name in hard):
            part, _, amount = name.rpartition(".")
            if amount not in (resources.get(part or "requests") or {}):
                missing.setdefault(name, []).append(container["name"])
    if missing:
        told = "; ".join(
            f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing)
        )
        raise _refused(write, pod, f"failed quota: {_name(quota)}: must specify {told}")


def _with_room(write: Write, quota: Manifest, asked: Usage, manifest: Manifest) -> dict[str, str]:
    """Return the amounts used after this; refuse what is too much."""
    status = quota["status"]
    hard, used = status["hard"], status.get("used") or {}
    unknown = [name for name in sorted(asked) if name not in used]
    if unknown:
        raise _refused(
            write,
            manifest,
            f"status unknown for quota: {_name(quota)}, resources: {','.join(unknown)}",
        )
    after = {name: parse(used[name]) + amount for name, amount in asked.items()}
    exceeded = sorted(name for name, amount in after.items() if amount > parse(hard[name]))
    if exceeded:
        wanted = ",".join(f"{name}={format_like(asked[name], hard[name])}" for name in exceeded)
        raise _refused(
            write,
            manifest,
            f"exceeded quota: {_name(quota)}, requested: {wanted}, used: "
            f"{','.join(f'{name}={used[name]}' for name in exceeded)}, limited: "
            f"{','.join(f'{name}={hard[name]}' for name in exceeded)}",
        )
    return {
        name: format_like(amount, _example(used[name], hard[name]))
        for name, amount in after.items()
    }


def _example(used: Any, hard: Any) -> Any:
    """Return the amount whose form is kept: zero has none of its own."""
    return used if parse(used) else hard


def _count(server: ApiServer, quota: Manifest, used: dict[str, str]) -> None:
    metadata = quota["metadata"]
    patch(
        server,
        server.kinds.lookup("v1/ResourceQuota"),
        metadata["namespace"],
        metadata["name"],
        {"status": {"used": used}},
        kind="merge",
        manager="kube-apiserver",
        subresource="status",
    )


def _name(quota: Manifest) -> str:
    return str(quota["metadata"]["name"])


def _refused(write: Write, manifest: Manifest, detail: str) -> Exception:
    return forbidden(write.resource_type, manifest["metadata"].get("name", ""), detail)
