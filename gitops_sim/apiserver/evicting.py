"""Eviction: a deletion of a pod that a PodDisruptionBudget may refuse.

The budget's status says how many pods may go; an eviction takes one off and notes the pod in
`disruptedPods`, so that two evictions never use the same allowance, and only then deletes it.

Source: k8s.io/kubernetes, pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.labels import from_label_selector
from gitops_sim.apimachinery.status_errors import forbidden, internal, not_found
from gitops_sim.apiserver.deleting import delete
from gitops_sim.apiserver.server import ApiServer, storage_kind
from gitops_sim.apiserver.store import Kind
from gitops_sim.apiserver.writing import patch
from gitops_sim.errors import TooManyRequestsError
from gitops_sim.types import Manifest

__all__ = ["evict"]

_BUDGETS = Kind("policy", "PodDisruptionBudget")
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_TARGET = "DisruptionTarget"


def evict(
    server: ApiServer,
    namespace: str,
    name: str,
    *,
    manager: str,
    grace_period: int | None = None,
    dry_run: bool = False,
) -> None:
    """Delete a pod, unless its disruption budget has nothing to spare.

    Args:
        server: Whose pod.
        namespace: Its namespace.
        name: Its name.
        manager: Who evicts, as facts and managedFields name it.
        grace_period: Seconds to stop in; None means the pod's own.
        dry_run: Only look whether it may go.

    Raises:
        NotFoundError: There is no such pod.
        TooManyRequestsError: The budget does not allow it now.
    """
    pods = server.kinds.lookup("v1/Pod")
    pod = server.store.get(storage_kind(pods), namespace, name)
    if pod is None:
        raise not_found(pods, name)
    if not _goes_anyway(pod):
        _ask_budget(server, pod, manager=manager, dry_run=dry_run)
        _mark(server, pod, manager=manager, dry_run=dry_run)
    delete(
        server, pods, namespace, name, manager=manager, grace_period=grace_period, dry_run=dry_run
    )


def _goes_anyway(pod: Manifest) -> bool:
    """True for pods that serve nobody: ended, not started, or going already."""
    if "deletionTimestamp" in pod["metadata"]:
        return True
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Pending")


def _ask_budget(server: ApiServer, pod: Manifest, *, manager: str, dry_run: bool) -> None:
    metadata = pod["metadata"]
    budgets = [
        budget
        for budget in server.store.objects(_BUDGETS, metadata["namespace"])
        if from_label_selector(budget["spec"].get("selector")).matches(metadata.get("labels"))
    ]
    if not budgets:
        return
    if len(budgets) > 1:
        raise internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
            "not support."
        )
    budget = budgets[0]
    if not _is_ready(pod) and _lets_unhealthy_go(budget):
        return
    _take_one(server, budget, metadata["name"], manager=manager, dry_run=dry_run)


def _lets_unhealthy_go(budget: Manifest) -> bool:
    """True when a pod that is not ready may go whatever the budget's allowance."""
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    wanted = status.get("desiredHealthy", 0)
    return bool(wanted > 0 and status.get("currentHealthy", 0) >= wanted)


def _take_one(
    server: ApiServer, budget: Manifest, pod_name: str, *, manager: str, dry_run: bool
) -> None:
    metadata, status = budget["metadata"], budget.get("status") or {}
    name, allowed = metadata["name"], status.get("disruptionsAllowed", 0)
    if status.get("observedGeneration", 0) < metadata.get("generation", 1):
        raise _refusal(
            f"The disruption budget {name} is still being processed by the server.", wait=10
        )
    budgets = server.kinds.lookup("policy/v1/PodDisruptionBudget")
    if allowed < 0:
        raise forbidden(budgets, name, "pdb disruptions allowed is negative")
    if allowed == 0:
        wanted, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _refusal(
            f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently"
        )
    disrupted = {**(status.get("disruptedPods") or {}), pod_name: server.clock.timestamp()}
    patch(
        server,
        budgets,
        metadata["namespace"],
        name,
        {"status": {"disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}},
        kind="merge",
        manager=manager,
        subresource="status",
        dry_run=dry_run,
    )


def _refusal(message: str, *, wait: int = 0) -> TooManyRequestsError:
    details: dict[str, Any] = {"causes": [{"reason": "DisruptionBudget", "message": message}]}
    if wait:
        details["retryAfterSeconds"] = wait
    return TooManyRequestsError(_REFUSED, details)


def _mark(server: ApiServer, pod: Manifest, *, manager: str, dry_run: bool) -> None:
    """Say in the pod's conditions that it goes by an eviction."""
    status = pod.get("status") or {}
    others = [c for c in status.get("conditions") or () if c["type"] != _TARGET]
    told = {
        "type": _TARGET,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": server.clock.timestamp(),
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    metadata = pod["metadata"]
    patch(
        server,
        server.kinds.lookup("v1/Pod"),
        metadata["namespace"],
        metadata["name"],
        {"status": {"conditions": [*others, told]}},
        kind="merge",
        manager=manager,
        subresource="status",
        dry_run=dry_run,
    )


def _is_ready(pod: Manifest) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
