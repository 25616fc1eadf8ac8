"""ClusterRoles made of others: `view`, `edit` and `admin` hold the rules of what is labelled so.

Source: k8s.io/kubernetes, pkg/controller/clusterroleaggregation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitops_sim.apimachinery.labels import from_label_selector
from gitops_sim.cluster.controlling import Context, ControllerSpec, Reconciling, step
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import Caches, Request, Watched
from gitops_sim.types import Manifest

__all__ = ["ROLE_AGGREGATION"]

_ROLES = "rbac.authorization.k8s.io/v1/ClusterRole"
_MANAGER = "clusterrole-aggregation-controller"


def _reconcile(context: Context, request: Request) -> Reconciling:
    role = context.caches[_ROLES].get(request.name)
    if role is None or not role.get("aggregationRule"):
        return None
    rules: list[dict[str, Any]] = []
    for selector in role["aggregationRule"].get("clusterRoleSelectors") or ():
        chosen = from_label_selector(selector)
        for other in context.caches[_ROLES].list(labels=chosen):
            if other["metadata"]["name"] == request.name:
                continue
            rules += [rule for rule in other.get("rules") or () if rule not in rules]
    if rules == (role.get("rules") or []):
        return None
    yield step("apply", role)
    applied = {
        "apiVersion": role["apiVersion"],
        "kind": role["kind"],
        "metadata": {"name": request.name},
        "rules": rules,
    }
    try:
        context.client.apply(applied, field_manager=_MANAGER, force=True)
    except NotFoundError:
        return None
    return None


def _aggregates(role: Manifest, caches: Caches) -> Iterable[Request]:
    """Ask for a role and for all that might hold its rules."""
    yield Request("", role["metadata"]["name"])
    if not role["metadata"].get("labels"):
        return
    for other in caches[_ROLES].list():
        if other.get("aggregationRule"):
            yield Request("", other["metadata"]["name"])


ROLE_AGGREGATION = ControllerSpec(
    "clusterrole-aggregation-controller",
    (Watched(_ROLES, requests=_aggregates),),
    lambda context: lambda request: _reconcile(context, request),
)
