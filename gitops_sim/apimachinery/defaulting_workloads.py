"""Defaults of workloads: apps, batch, autoscaling, and what holds pod templates.

Source: k8s.io/kubernetes, pkg/apis/{apps,batch,autoscaling,core}/*/defaults.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apimachinery.defaulting_pods import fill, fill_claim, fill_pod_spec

__all__ = [
    "cron_job",
    "daemon_set",
    "deployment",
    "horizontal_pod_autoscaler",
    "job",
    "pod_template",
    "replica_set",
    "replication_controller",
    "stateful_set",
]

_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_MAX_INT32 = 2**31 - 1
_SCALE_UP = [
    {"type": "Pods", "value": 4, "periodSeconds": 15},
    {"type": "Percent", "value": 100, "periodSeconds": 15},
]
_SCALE_DOWN = [{"type": "Percent", "value": 100, "periodSeconds": 15}]


def pod_template(manifest: dict[str, Any]) -> None:
    """Fill a PodTemplate."""
    _template(manifest)


def deployment(manifest: dict[str, Any]) -> None:
    """Fill a Deployment: one replica, rolling by quarters, ten old revisions, ten minutes."""
    spec = manifest.setdefault("spec", {})
    _template(spec)
    fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = _inside(spec, "strategy")
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        fill(_inside(strategy, "rollingUpdate"), {"maxUnavailable": "25%", "maxSurge": "25%"})


def replica_set(manifest: dict[str, Any]) -> None:
    """Fill a ReplicaSet."""
    spec = manifest.setdefault("spec", {})
    _template(spec)
    fill(spec, {"replicas": 1})


def replication_controller(manifest: dict[str, Any]) -> None:
    """Fill a ReplicationController: labels and selector come from its template."""
    spec = manifest.setdefault("spec", {})
    _template(spec)
    fill(spec, {"replicas": 1})
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels:
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        metadata = manifest.setdefault("metadata", {})
        if not metadata.get("labels"):
            metadata["labels"] = dict(labels)


def stateful_set(manifest: dict[str, Any]) -> None:
    """Fill a StatefulSet: ordered, rolling from the last, claims kept."""
    spec = manifest.setdefault("spec", {})
    _template(spec)
    fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady"})
    strategy = _inside(spec, "updateStrategy")
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        fill(_inside(strategy, "rollingUpdate"), {"partition": 0, "maxUnavailable": 1})
    retention = _inside(spec, "persistentVolumeClaimRetentionPolicy")
    fill(retention, {"whenDeleted": "Retain", "whenScaled": "Retain"})
    for claim in spec.get("volumeClaimTemplates") or ():
        fill(claim, {"apiVersion": "v1", "kind": "PersistentVolumeClaim"})
        fill_claim(claim)
        fill(_inside(claim, "status"), {"phase": "Pending"})


def daemon_set(manifest: dict[str, Any]) -> None:
    """Fill a DaemonSet: rolling, one node at a time."""
    spec = manifest.setdefault("spec", {})
    _template(spec)
    fill(spec, {"revisionHistoryLimit": 10})
    strategy = _inside(spec, "updateStrategy")
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        fill(_inside(strategy, "rollingUpdate"), {"maxUnavailable": 1, "maxSurge": 0})
    metadata = manifest["metadata"]
    notes = metadata.get("annotations") or {}
    if _TEMPLATE_GENERATION not in notes:
        metadata["annotations"] = notes | {_TEMPLATE_GENERATION: "1"}


def job(manifest: dict[str, Any]) -> None:
    """Fill a Job: one pod, six retries."""
    spec = manifest.setdefault("spec", {})
    _template(spec)
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    policy = spec.get("podFailurePolicy")
    per_index = spec.get("backoffLimitPerIndex") is not None
    replacement = "TerminatingOrFailed" if policy is None else "Failed"
    fill(
        spec,
        {
            "parallelism": 1,
            "backoffLimit": _MAX_INT32 if per_index else 6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "podReplacementPolicy": replacement,
            "manualSelector": False,
        },
    )
    for rule in (policy or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            fill(pattern, {"status": "True"})
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    metadata = manifest.setdefault("metadata", {})
    if labels and not metadata.get("labels"):
        metadata["labels"] = labels  # the same map: what a new Job's template gets, it gets too


def cron_job(manifest: dict[str, Any]) -> None:
    """Fill a CronJob; its job template gets only the defaults of pods."""
    spec = manifest.setdefault("spec", {})
    _template((spec.get("jobTemplate") or {}).get("spec") or {})
    fill(
        spec,
        {
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
        },
    )


def horizontal_pod_autoscaler(manifest: dict[str, Any]) -> None:
    """Fill a HorizontalPodAutoscaler: at least one pod; 80 % of the cpu when nothing is said."""
    spec = manifest.setdefault("spec", {})
    fill(spec, {"minReplicas": 1})
    if manifest.get("apiVersion") == "autoscaling/v1":
        return
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is None:
        return
    up, down = _inside(behavior, "scaleUp"), _inside(behavior, "scaleDown")
    fill(up, {"stabilizationWindowSeconds": 0})
    for rules, policies in ((up, _SCALE_UP), (down, _SCALE_DOWN)):
        fill(rules, {"selectPolicy": "Max"})
        if rules.get("policies") is None:
            rules["policies"] = [dict(policy) for policy in policies]


def _template(spec: dict[str, Any]) -> None:
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        fill_pod_spec(template["spec"])


def _inside(target: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a member that is a map, made when it is missing or null."""
    found = target.get(name)
    if found is None:
        found = target[name] = {}
    inside: dict[str, Any] = found
    return inside
