"""The rows of workloads: what is wanted, what is there, which containers.

Source: k8s.io/kubernetes, pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from typing import Any

from gitops_sim.apiserver.table_cells import (
    NONE,
    UNSET,
    Ages,
    Row,
    containers_and_images,
    counts,
    format_labels,
    format_selector,
    human_duration,
    name_and_age,
    part,
)
from gitops_sim.apiserver.table_pods import pod_row
from gitops_sim.types import Manifest

__all__ = ["WORKLOAD_ROWS"]


def _template_cells(spec: Manifest) -> list[Any]:
    pods = part(spec, "template", "spec")
    return [*containers_and_images(pods), format_selector(spec.get("selector"))]


def _deployment(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = manifest["spec"]
    ready, updated, available = counts(
        manifest, "readyReplicas", "updatedReplicas", "availableReplicas"
    )
    cells = (f"{ready}/{spec.get('replicas', 0)}", updated, available)
    return [*name_and_age(manifest, ages, *cells), *_template_cells(spec)]


def _replica_set(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = manifest["spec"]
    cells = (int(spec.get("replicas", 0)), *counts(manifest, "replicas", "readyReplicas"))
    return [*name_and_age(manifest, ages, *cells), *_template_cells(spec)]


def _replication_controller(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = manifest["spec"]
    cells = (int(spec.get("replicas", 0)), *counts(manifest, "replicas", "readyReplicas"))
    pods = part(spec, "template", "spec")
    selector = format_labels(spec.get("selector"))
    return [*name_and_age(manifest, ages, *cells), *containers_and_images(pods), selector]


def _stateful_set(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = manifest["spec"]
    (ready,) = counts(manifest, "readyReplicas")
    cells = name_and_age(manifest, ages, f"{ready}/{spec.get('replicas', 0)}")
    return [*cells, *containers_and_images(part(spec, "template", "spec"))]


def _daemon_set(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = manifest["spec"]
    cells = counts(
        manifest,
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    nodes = format_labels(part(spec, "template", "spec").get("nodeSelector"))
    return [*name_and_age(manifest, ages, *cells, nodes), *_template_cells(spec)]


def _job(manifest: Manifest, ages: Ages) -> list[Any]:
    spec, status = manifest["spec"], part(manifest, "status")
    succeeded, parallel = int(status.get("succeeded", 0)), int(spec.get("parallelism", 0))
    if spec.get("completions") is not None:
        completions = f"{succeeded}/{spec['completions']}"
    else:
        completions = f"{succeeded}/1 of {parallel}" if parallel > 1 else f"{succeeded}/1"
    cells = name_and_age(
        manifest, ages, _job_status(manifest), completions, _job_duration(status, ages)
    )
    return [*cells, *_template_cells(spec)]


def _job_status(manifest: Manifest) -> str:
    conditions = part(manifest, "status").get("conditions") or ()
    true = {c["type"] for c in conditions if c.get("status") == "True"}
    for condition in ("Complete", "Failed"):
        if condition in true:
            return condition
    if manifest["metadata"].get("deletionTimestamp"):
        return "Terminating"
    found = (c for c in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if c in true)
    return next(found, "Running")


def _job_duration(status: Manifest, ages: Ages) -> str:
    if not status.get("startTime"):
        return ""
    if not status.get("completionTime"):
        return ages(status["startTime"])
    took = ages.between(status["startTime"], status["completionTime"])
    return human_duration(took)


def _cron_job(manifest: Manifest, ages: Ages) -> list[Any]:
    spec, status = manifest["spec"], part(manifest, "status")
    last = status.get("lastScheduleTime")
    cells = name_and_age(
        manifest,
        ages,
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        _boolean(spec.get("suspend")),
        len(status.get("active") or ()),
        ages(last) if last else NONE,
    )
    return [*cells, *_template_cells(part(spec, "jobTemplate", "spec"))]


def _boolean(value: Any) -> str:
    return UNSET if value is None else "True" if value else "False"


def _pod_template(manifest: Manifest, ages: Ages) -> list[Any]:
    del ages
    template = part(manifest, "template")
    labels = format_labels(part(template, "metadata").get("labels"))
    containers = containers_and_images(part(template, "spec"))
    return [manifest["metadata"]["name"], *containers, labels]


def _disruption_budget(manifest: Manifest, ages: Ages) -> list[Any]:
    spec = part(manifest, "spec")
    limits = [str(spec.get(key, "N/A")) for key in ("minAvailable", "maxUnavailable")]
    return name_and_age(manifest, ages, *limits, *counts(manifest, "disruptionsAllowed"))


WORKLOAD_ROWS: dict[str, Row] = {
    "/Pod": pod_row,
    "/PodTemplate": _pod_template,
    "/ReplicationController": _replication_controller,
    "apps/DaemonSet": _daemon_set,
    "apps/Deployment": _deployment,
    "apps/ReplicaSet": _replica_set,
    "apps/StatefulSet": _stateful_set,
    "batch/CronJob": _cron_job,
    "batch/Job": _job,
    "policy/PodDisruptionBudget": _disruption_budget,
}
"""By `group/Kind`."""
