"""The status of a Deployment: counts, and Available, Progressing and ReplicaFailure.

Source: k8s.io/kubernetes, pkg/controller/deployment/sync.go (calculateStatus) and progress.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops_sim.cluster.controlling import seconds_of
from gitops_sim.cluster.workloads.deployment_sets import (
    actual_replicas,
    available_replicas,
    wanted_replicas,
)
from gitops_sim.cluster.workloads.fenceposts import fenceposts
from gitops_sim.protocols import Clock
from gitops_sim.types import Manifest

__all__ = [
    "AVAILABLE_SET",
    "PAUSED",
    "TIMED_OUT",
    "calculated_status",
    "condition",
    "deadline_of",
    "is_complete",
    "rollout_status",
    "seconds_until_stuck",
    "with_condition",
]

AVAILABLE_SET = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
_NO_DEADLINE = 2**31 - 1


def condition(status: Manifest, type_: str) -> dict[str, Any] | None:
    """Return the condition of that type, or None."""
    for entry in status.get("conditions") or ():
        if entry["type"] == type_:
            found: dict[str, Any] = entry
            return found
    return None


def new_condition(type_: str, status: str, reason: str, message: str, time: str) -> dict[str, Any]:
    """Return a condition that became so at `time` (RFC 3339)."""
    return {
        "type": type_,
        "status": status,
        "lastUpdateTime": time,
        "lastTransitionTime": time,
        "reason": reason,
        "message": message,
    }


def with_condition(status: Manifest, fresh: dict[str, Any]) -> Manifest:
    """Return a status with a condition, put last; one of the same status and reason stays.

    The time of the last transition changes only when the condition's status does.
    """
    current = condition(status, fresh["type"])
    if current is not None and current["status"] == fresh["status"]:
        if current["reason"] == fresh["reason"]:
            return status
        fresh = fresh | {"lastTransitionTime": current["lastTransitionTime"]}
    others = [c for c in status.get("conditions") or () if c["type"] != fresh["type"]]
    return status | {"conditions": [*others, fresh]}


def without_condition(status: Manifest, type_: str) -> Manifest:
    """Return a status without the condition of that type."""
    kept = [c for c in status.get("conditions") or () if c["type"] != type_]
    rest = {name: value for name, value in status.items() if name != "conditions"}
    return rest | {"conditions": kept} if kept else rest


def deadline_of(deployment: Manifest) -> int | None:
    """Return progressDeadlineSeconds; None when progress is not watched."""
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return None if deadline in (None, _NO_DEADLINE) else deadline


def is_complete(deployment: Manifest, status: Manifest) -> bool:
    """True when only pods of the new template are there, as many as wanted, and available."""
    wanted: int = deployment["spec"]["replicas"]
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    )


def calculated_status(
    deployment: Manifest, sets: Sequence[Manifest], new: Manifest | None, time: str
) -> Manifest:
    """Return the counts, and the condition Available, from the ReplicaSets.

    Args:
        deployment: Its conditions are kept.
        sets: All of its ReplicaSets.
        new: The one with its template, if there is one.
        time: Now, RFC 3339.
    """
    old = deployment.get("status") or {}
    available = available_replicas(sets)
    statuses = [replica_set.get("status") or {} for replica_set in sets]
    counts = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": actual_replicas(sets),
        "updatedReplicas": actual_replicas([new] if new else []),
        "readyReplicas": sum(status.get("readyReplicas", 0) for status in statuses),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted_replicas(sets) - available),
    }
    status = {name: count for name, count in counts.items() if count}
    status["terminatingReplicas"] = sum(s.get("terminatingReplicas", 0) for s in statuses)
    for kept in ("collisionCount", "conditions"):
        if kept in old:
            status[kept] = old[kept]
    if available >= deployment["spec"]["replicas"] - fenceposts(deployment).unavailable:
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    return with_condition(status, new_condition("Available", *verdict, time))


def rollout_status(
    deployment: Manifest, sets: Sequence[Manifest], new: Manifest | None, clock: Clock
) -> Manifest:
    """Return the status during and after a roll-out: `calculated_status`, and how it goes on."""
    time = clock.timestamp()
    status = calculated_status(deployment, sets, new, time)
    current = condition(deployment.get("status") or {}, "Progressing")
    if deadline_of(deployment) is None:
        status = without_condition(status, "Progressing")
    elif not (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and current is not None
        and current["reason"] == AVAILABLE_SET
    ):
        status = _with_progress(deployment, status, new, clock)
    failure = _replica_failure(sets, new)
    if failure is not None:
        return with_condition(status, failure)
    return without_condition(status, "ReplicaFailure")


def seconds_until_stuck(deployment: Manifest, status: Manifest, clock: Clock) -> float | None:
    """Return when to look whether a roll-out made progress; None when nobody waits for it."""
    deadline, current = deadline_of(deployment), condition(status, "Progressing")
    if deadline is None or current is None or current["reason"] == TIMED_OUT:
        return None
    if is_complete(deployment, status):
        return None
    left = seconds_of(clock, current["lastUpdateTime"]) + deadline - clock.now()
    return max(left, 0.0) + 1.0


def _with_progress(
    deployment: Manifest, status: Manifest, new: Manifest | None, clock: Clock
) -> Manifest:
    time = clock.timestamp()
    subject = f'Deployment "{deployment["metadata"]["name"]}"'
    if new is not None:
        subject = f'ReplicaSet "{new["metadata"]["name"]}"'
    if is_complete(deployment, status):
        message = f"{subject} has successfully progressed."
        return with_condition(
            status, new_condition("Progressing", "True", AVAILABLE_SET, message, time)
        )
    if _has_progressed(deployment.get("status") or {}, status):
        fresh = new_condition(
            "Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", time
        )
        current = condition(status, "Progressing")
        if current is not None and current["status"] == "True":
            fresh["lastTransitionTime"] = current["lastTransitionTime"]
        # Taken out first: its time of update tells when progress was last made.
        return with_condition(without_condition(status, "Progressing"), fresh)
    if _has_timed_out(deployment, status, clock):
        message = f"{subject} has timed out progressing."
        return with_condition(
            status, new_condition("Progressing", "False", TIMED_OUT, message, time)
        )
    return status


def _has_progressed(old: Manifest, new: Manifest) -> bool:
    def stale(status: Manifest) -> int:
        replicas: int = status.get("replicas", 0) - status.get("updatedReplicas", 0)
        return replicas

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return stale(new) < stale(old) or any(new.get(n, 0) > old.get(n, 0) for n in grown)


def _has_timed_out(deployment: Manifest, status: Manifest, clock: Clock) -> bool:
    deadline, current = deadline_of(deployment), condition(status, "Progressing")
    if deadline is None or current is None or current["reason"] == AVAILABLE_SET:
        return False
    if current["reason"] == TIMED_OUT:
        return True
    return seconds_of(clock, current["lastUpdateTime"]) + deadline < clock.now()


def _replica_failure(sets: Sequence[Manifest], new: Manifest | None) -> dict[str, Any] | None:
    """Return the failure of the new ReplicaSet, or else of any, as the Deployment tells it."""
    for replica_set in [*([new] if new else []), *sets]:
        failure = condition(replica_set.get("status") or {}, "ReplicaFailure")
        if failure is not None:
            return {
                "type": "ReplicaFailure",
                "status": failure["status"],
                "lastUpdateTime": failure["lastTransitionTime"],
                "lastTransitionTime": failure["lastTransitionTime"],
                "reason": failure["reason"],
                "message": failure["message"],
            }
    return None
