"""ValidatingAdmissionPolicies: their status says that their expressions were looked at.

Source: k8s.io/kubernetes, pkg/controller/validatingadmissionpolicystatus.
Differs: types are not checked, so that no expression is warned of.
"""

from __future__ import annotations

from gitops_sim.cluster.controlling import Context, ControllerSpec, Reconciling, step
from gitops_sim.errors import NotFoundError
from gitops_sim.runtime import ReconcileFunction, Request, Watched
from gitops_sim.types import Manifest

__all__ = ["POLICY_STATUS"]

_POLICIES = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"


def _make_reconcile(context: Context) -> ReconcileFunction:
    return lambda request: _reconcile(context, request)


def _reconcile(context: Context, request: Request) -> Reconciling:
    policy = context.caches[_POLICIES].get(request.name)
    if policy is None:
        return None
    status: Manifest = policy.get("status") or {}
    generation = policy["metadata"].get("generation", 1)
    if status.get("observedGeneration") == generation:
        return None
    told = {"observedGeneration": generation, "typeChecking": {}}
    yield step("update status of", policy)
    try:
        context.client.patch(_POLICIES, request.name, {"status": told}, subresource="status")
    except NotFoundError:
        return None
    return None


POLICY_STATUS = ControllerSpec(
    "validatingadmissionpolicy-status-controller", (Watched(_POLICIES),), _make_reconcile
)
