"""What a ResourceQuota limits and how much of it is used, told in its status.

Admission compares a new object with the status; this controller brings the status to what there
really is: when the quota changes, when something it counts comes or goes, and every five minutes.

Source: k8s.io/kubernetes, pkg/controller/resourcequota/resource_quota_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from gitops_sim.apimachinery.quantities import format_like
from gitops_sim.apimachinery.quota_usage import in_scope, usage_of
from gitops_sim.cluster.controlling import Context, ControllerSpec, Reconciling, step
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest, Result

__all__ = ["RESOURCE_QUOTAS"]

_QUOTAS, _PODS = "v1/ResourceQuota", "v1/Pod"
_RESYNC_SECONDS = 300.0
_WATCHED = {
    "pods": _PODS,
    "services": "v1/Service",
    "persistentvolumeclaims": "v1/PersistentVolumeClaim",
}
"""Kinds whose going sets a quota free at once, as in the real controller; others are counted when
the quota is looked at."""


def _reconcile(context: Context, request: Request) -> Reconciling:
    quota = context.caches[_QUOTAS].get(request.name, request.namespace)
    if quota is None:
        return None
    hard = quota["spec"].get("hard") or {}
    used = _used(context, quota)
    status = {
        "hard": hard,
        "used": {name: format_like(used.get(name, Fraction(0)), hard[name]) for name in hard},
    }
    if status != (quota.get("status") or {}):
        yield step("update status of", quota)
        try:
            context.client.update(quota | {"status": status}, subresource="status")
        except NotFoundError:
            return None
    return Result(_RESYNC_SECONDS)


def _used(context: Context, quota: Manifest) -> dict[str, Fraction]:
    namespace = quota["metadata"]["namespace"]
    used: dict[str, Fraction] = {}
    for plural, kind in _counted_kinds(context, quota).items():
        if kind in context.caches:
            found = context.caches[kind].list(namespace)
        else:
            found = context.client.list(kind, namespace)
        for manifest in found:
            if kind == _PODS and not in_scope(quota, manifest):
                continue
            for name, amount in usage_of(manifest, plural).items():
                used[name] = used.get(name, Fraction(0)) + amount
    return used


def _counted_kinds(context: Context, quota: Manifest) -> dict[str, str]:
    """Return the kinds that the quota's limits are about, by their plural."""
    wanted: set[tuple[str, str]] = set()
    for name in quota["spec"].get("hard") or {}:
        if name.startswith("count/"):
            plural, _, group = name.removeprefix("count/").partition(".")
            wanted.add((group, plural))
        elif name.startswith("services"):
            wanted.add(("", "services"))
        elif "storageclass" in name or name in ("persistentvolumeclaims", "requests.storage"):
            wanted.add(("", "persistentvolumeclaims"))
        elif name in ("configmaps", "secrets", "replicationcontrollers", "resourcequotas"):
            wanted.add(("", name))
        else:
            wanted.add(("", "pods"))
    if wanted <= {("", plural) for plural in _WATCHED}:
        return {plural: _WATCHED[plural] for _, plural in sorted(wanted)}
    kinds: dict[str, str] = {}
    for served in context.client.discover():
        group, version = served["group"], served["version"]
        if (group, served["plural"]) in wanted and served["plural"] not in kinds:
            api_version = f"{group}/{version}" if group else version
            kinds[served["plural"]] = f"{api_version}/{served['kind']}"
    return kinds


def _quotas_of_namespace(manifest: Manifest, caches: Caches) -> Iterable[Request]:
    namespace = manifest["metadata"]["namespace"]
    return [
        Request(namespace, quota["metadata"]["name"]) for quota in caches[_QUOTAS].list(namespace)
    ]


def _comes_goes_or_ends(before: Manifest | None, after: Manifest | None) -> bool:
    if before is None or after is None:
        return True
    old, new = ((m.get("status") or {}).get("phase") for m in (before, after))
    return old != new and new in ("Succeeded", "Failed")


def _comes_goes_or_changes(before: Manifest | None, after: Manifest | None) -> bool:
    return before is None or after is None or before["spec"] != after["spec"]


RESOURCE_QUOTAS = ControllerSpec(
    "resourcequota-controller",
    (
        Watched(_QUOTAS),
        Watched(_PODS, requests=_quotas_of_namespace, predicate=_comes_goes_or_ends),
        *(
            Watched(kind, requests=_quotas_of_namespace, predicate=_comes_goes_or_changes)
            for kind in _WATCHED.values()
            if kind != _PODS
        ),
    ),
    lambda context: lambda request: _reconcile(context, request),
)
