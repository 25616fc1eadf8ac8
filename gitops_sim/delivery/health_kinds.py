"""The questions of kstatus that belong to one kind: a function each, first answer wins.

Source: fluxcd/cli-utils pkg/kstatus/status/core.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, TypeAlias

from gitops_sim.types import Manifest

__all__ = ["Answer", "Rule", "rule_for"]

Answer: TypeAlias = tuple[str, str, str]
"""The state of kstatus, a reason and a message."""
Rule: TypeAlias = Callable[[Manifest, str], Answer]
"""Judges a manifest at a time (RFC 3339, may be empty)."""

_UNSCHEDULABLE_AFTER: Final = 15.0
"""Seconds that the scheduler gets before a Pod counts as failed."""
_NO_DEADLINE: Final = 2**31 - 1


def rule_for(manifest: Manifest) -> Rule | None:
    """Return the rule of the manifest's kind, or None where the generic ones do."""
    group, _, _ = str(manifest.get("apiVersion", "")).rpartition("/")
    return _RULES.get((group, str(manifest.get("kind", ""))))


def _current(message: str) -> Answer:
    return "Current", "", message


def _in_progress(reason: str, message: str) -> Answer:
    return "InProgress", reason, message


def _failed(reason: str, message: str) -> Answer:
    return "Failed", reason, message


def _spec(manifest: Manifest) -> dict[str, Any]:
    return manifest.get("spec") or {}


def _status(manifest: Manifest) -> dict[str, Any]:
    return manifest.get("status") or {}


def _conditions(manifest: Manifest) -> dict[str, dict[str, Any]]:
    found = _status(manifest).get("conditions") or ()
    return {str(condition.get("type", "")): condition for condition in found}


def _count(values: dict[str, Any], name: str, default: int = 0) -> int:
    value = values.get(name)
    return default if value is None else int(value)


def _deployment(manifest: Manifest, _: str) -> Answer:
    spec, status, conditions = _spec(manifest), _status(manifest), _conditions(manifest)
    progressing = conditions.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return _failed("ProgressDeadlineExceeded", str(progressing.get("message", "")))
    wanted, replicas = _count(spec, "replicas", 1), _count(status, "replicas")
    updated, ready = _count(status, "updatedReplicas"), _count(status, "readyReplicas")
    available = _count(status, "availableReplicas")
    if wanted > replicas:
        return _in_progress("LessReplicas", f"replicas: {replicas}/{wanted}")
    if wanted > updated:
        return _in_progress("LessUpdated", f"Updated: {updated}/{wanted}")
    if replicas > wanted:
        return _in_progress("ExtraPods", f"Pending termination: {replicas - wanted}")
    if updated > available:
        return _in_progress("LessAvailable", f"Available: {available}/{updated}")
    if wanted > ready:
        return _in_progress("LessReady", f"Ready: {ready}/{wanted}")
    has_deadline = _count(spec, "progressDeadlineSeconds", _NO_DEADLINE) != _NO_DEADLINE
    rolled_out = (progressing.get("status"), progressing.get("reason")) == (
        "True",
        "NewReplicaSetAvailable",
    )
    if has_deadline and not rolled_out:
        return _in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available")
    if conditions.get("Available", {}).get("status") != "True":
        return _in_progress("DeploymentNotAvailable", "Deployment not Available")
    return _current(f"Deployment is available. Replicas: {replicas}")


def _stateful_set(manifest: Manifest, _: str) -> Answer:
    spec, status = _spec(manifest), _status(manifest)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return _current("StatefulSet is using the ondelete update strategy")
    wanted, replicas = _count(spec, "replicas", 1), _count(status, "replicas")
    ready, now_at = _count(status, "readyReplicas"), _count(status, "currentReplicas")
    if wanted > replicas:
        return _in_progress("LessReplicas", f"Replicas: {replicas}/{wanted}")
    if wanted > ready:
        return _in_progress("LessReady", f"Ready: {ready}/{wanted}")
    if replicas > wanted:
        return _in_progress("ExtraPods", f"Pending termination: {replicas - wanted}")
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    if partition:
        updated, goal = _count(status, "updatedReplicas"), wanted - int(partition)
        if updated < goal:
            return _in_progress("PartitionRollout", f"updated: {updated}/{goal}")
        return _current(f"Partition rollout complete. updated: {updated}")
    if wanted > now_at:
        return _in_progress("LessCurrent", f"current: {now_at}/{wanted}")
    if status.get("currentRevision") != status.get("updateRevision"):
        return _in_progress("RevisionMismatch", "Waiting for updated revision to match current")
    return _current(f"All replicas scheduled as expected. Replicas: {replicas}")


def _replica_set(manifest: Manifest, _: str) -> Answer:
    spec, status = _spec(manifest), _status(manifest)
    if _conditions(manifest).get("ReplicaFailure", {}).get("status") == "True":
        return _in_progress("ReplicaFailure", "Replica Failure condition. Check Pods")
    wanted, replicas = _count(spec, "replicas", 1), _count(status, "replicas")
    steps = (
        ("LessLabelled", "Labelled", "fullyLabeledReplicas"),
        ("LessAvailable", "Available", "availableReplicas"),
        ("LessReady", "Ready", "readyReplicas"),
    )
    waiting = _first_less(status, wanted, steps)
    if waiting:
        return waiting
    if replicas > wanted:
        return _in_progress("ExtraPods", f"replicas: {replicas}/{wanted}")
    return _current(f"ReplicaSet is available. Replicas: {replicas}")


def _daemon_set(manifest: Manifest, _: str) -> Answer:
    status = _status(manifest)
    if "observedGeneration" not in status:
        return _in_progress("NoObservedGeneration", "Missing .status.observedGeneration")
    if "desiredNumberScheduled" not in status:
        return _in_progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled")
    wanted = _count(status, "desiredNumberScheduled")
    steps = (
        ("LessCurrent", "Current", "currentNumberScheduled"),
        ("LessUpdated", "Updated", "updatedNumberScheduled"),
        ("LessAvailable", "Available", "numberAvailable"),
        ("LessReady", "Ready", "numberReady"),
    )
    waiting = _first_less(status, wanted, steps)
    return waiting or _current(f"All replicas scheduled as expected. Replicas: {wanted}")


def _first_less(
    status: dict[str, Any], wanted: int, steps: Iterable[tuple[str, str, str]]
) -> Answer | None:
    for reason, word, name in steps:
        count = _count(status, name)
        if count < wanted:
            return _in_progress(reason, f"{word}: {count}/{wanted}")
    return None


def _pod(manifest: Manifest, now: str) -> Answer:
    status, conditions = _status(manifest), _conditions(manifest)
    phase = status.get("phase")
    if phase == "Succeeded":
        return _current("Pod has completed successfully")
    if phase == "Failed":
        return _current("Pod has completed, but not successfully")
    if phase == "Running":
        if conditions.get("Ready", {}).get("status") == "True":
            return _current("Pod is Ready")
        crashing = _crash_looping(status)
        if crashing:
            names = ",".join(crashing)
            return _failed("ContainerCrashLooping", f"Containers in CrashLoop state: {names}")
        return _in_progress("PodRunningNotReady", "Pod is running but is not Ready")
    if phase == "Pending":
        scheduled = conditions.get("PodScheduled", {})
        if (scheduled.get("status"), scheduled.get("reason")) == ("False", "Unschedulable"):
            if _age(manifest, now) > _UNSCHEDULABLE_AFTER:
                return _failed("PodUnschedulable", "Pod could not be scheduled")
            return _in_progress("PodNotScheduled", "Pod has not been scheduled")
        return _in_progress("PodPending", "Pod is in the Pending phase")
    return _in_progress("PodNotObserved", "Pod phase is not available")


def _crash_looping(status: dict[str, Any]) -> list[str]:
    found = []
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") == "CrashLoopBackOff":
            found.append(str(container.get("name", "")))
    return found


def _age(manifest: Manifest, now: str) -> float:
    """Return the seconds since an object was made; 0 when unknown."""
    created = (manifest.get("metadata") or {}).get("creationTimestamp")
    if not created or not now:
        return 0.0
    age = datetime.fromisoformat(now) - datetime.fromisoformat(str(created))
    return age.total_seconds()


def _job(manifest: Manifest, _: str) -> Answer:
    spec, status, conditions = _spec(manifest), _status(manifest), _conditions(manifest)
    if spec.get("suspend"):
        return _current("Job is suspended")
    succeeded, failed = _count(status, "succeeded"), _count(status, "failed")
    completions = _count(spec, "completions", _count(spec, "parallelism", 1))
    if conditions.get("Complete", {}).get("status") == "True":
        return _current(f"Job Completed. succeeded: {succeeded}/{completions}")
    if conditions.get("Failed", {}).get("status") == "True":
        return _failed("JobFailed", f"Job Failed. failed: {failed}/{completions}")
    if not status.get("startTime"):
        return _in_progress("JobNotStarted", "Job not started")
    active = _count(status, "active")
    message = f"Job in progress. success:{succeeded}, active: {active}, failed: {failed}"
    return _in_progress("JobInProgress", message)


def _claim(manifest: Manifest, _: str) -> Answer:
    phase = _status(manifest).get("phase", "unknown")
    if phase != "Bound":
        return _in_progress("NotBound", f"PVC is not Bound. phase: {phase}")
    return _current("PVC is Bound")


def _service(manifest: Manifest, _: str) -> Answer:
    spec = _spec(manifest)
    if spec.get("type") == "LoadBalancer" and not spec.get("clusterIP"):
        message = "ClusterIP not set. Service type: LoadBalancer"
        return _in_progress("NoIPAssigned", message)
    return _current("Service is ready")


def _definition(manifest: Manifest, _: str) -> Answer:
    conditions = _conditions(manifest)
    accepted, established = conditions.get("NamesAccepted", {}), conditions.get("Established", {})
    if accepted.get("status") == "False":
        return _failed(str(accepted.get("reason", "")), str(accepted.get("message", "")))
    if established.get("status") == "False" and established.get("reason") != "Installing":
        return _failed(str(established.get("reason", "")), str(established.get("message", "")))
    if established.get("status") == "True":
        return _current("CRD is established")
    return _in_progress("Installing", "Install in progress")


def _always(message: str) -> Rule:
    return lambda _manifest, _now: _current(message)


_RULES: Final[dict[tuple[str, str], Rule]] = {
    ("", "Service"): _service,
    ("", "Pod"): _pod,
    ("", "Secret"): _always("Resource is always ready"),
    ("", "ConfigMap"): _always("Resource is always ready"),
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("policy", "PodDisruptionBudget"): _always("AllowedDisruptions has been computed."),
    ("batch", "CronJob"): _always("Resource is always ready"),
    ("batch", "Job"): _job,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}
