"""Descriptions of what makes pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs.

Source: k8s.io/kubectl pkg/describe/describe.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_sim.apiserver.table_cells import Ages, format_labels, format_selector, human_duration
from gitops_sim.kubectl.describe_pods import describe_template
from gitops_sim.kubectl.describe_text import Page, controller_name, moment
from gitops_sim.protocols import Reader
from gitops_sim.types import Manifest

__all__ = ["WORKLOADS", "describe_workload"]

_REVISION = "deployment.kubernetes.io/revision"
_MOST_INDEXES = 50


def describe_workload(page: Page, live: Manifest, cluster: Reader) -> None:
    """Write one of the kinds in `WORKLOADS`."""
    metadata = live["metadata"]
    page.add(f"Name:\t{metadata['name']}")
    page.add(f"Namespace:\t{metadata['namespace']}")
    _DESCRIBERS[live["kind"]](page, live, cluster)


def _deployment(page: Page, live: Manifest, cluster: Reader) -> None:
    spec, status = live["spec"], live.get("status") or {}
    page.add(f"CreationTimestamp:\t{moment(live['metadata'].get('creationTimestamp'))}")
    _names(page, live)
    page.add(f"Selector:\t{format_selector(spec['selector'])}")
    numbers = [f"{spec.get('replicas', 1)} desired"]
    numbers += [
        f"{status.get(member, 0)} {word}"
        for member, word in (
            ("updatedReplicas", "updated"),
            ("replicas", "total"),
            ("availableReplicas", "available"),
            ("unavailableReplicas", "unavailable"),
        )
    ]
    page.add(f"Replicas:\t{' | '.join(numbers)}")
    strategy = spec.get("strategy") or {}
    page.add(f"StrategyType:\t{strategy.get('type', '')}")
    page.add(f"MinReadySeconds:\t{spec.get('minReadySeconds', 0)}")
    rolling = strategy.get("rollingUpdate")
    if rolling is not None:
        told = f"{rolling['maxUnavailable']} max unavailable, {rolling['maxSurge']} max surge"
        page.add(f"RollingUpdateStrategy:\t{told}")
    describe_template(page, spec["template"])
    page.add_conditions(status.get("conditions") or (), reasons=True)
    own = _owned(live, cluster, "apps/v1/ReplicaSet")
    if own:
        new = [found for found in own if _revision(found) == _revision(live)]
        old = [found for found in own if found not in new]
        page.add(f"OldReplicaSets:\t{_sets(old)}")
        page.add(f"NewReplicaSet:\t{_sets(new)}")


def _revision(manifest: Manifest) -> str:
    return str((manifest["metadata"].get("annotations") or {}).get(_REVISION, ""))


def _sets(found: Sequence[Manifest]) -> str:
    texts = [
        f"{entry['metadata']['name']} ({(entry.get('status') or {}).get('replicas', 0)}/"
        f"{entry['spec'].get('replicas', 1)} replicas created)"
        for entry in found
    ]
    return ", ".join(texts) or "<none>"


def _replicas(page: Page, live: Manifest, cluster: Reader) -> None:
    """Write a ReplicaSet, or its forerunner, a ReplicationController."""
    spec, status = live["spec"], live.get("status") or {}
    selector = spec.get("selector")
    is_set = live["kind"] == "ReplicaSet"
    told = format_selector(selector) if is_set else format_labels(selector)
    page.add(f"Selector:\t{told}")
    _names(page, live)
    if is_set:
        page.add_present("Controlled By", controller_name(live))
    page.add(f"Replicas:\t{status.get('replicas', 0)} current / {spec.get('replicas', 1)} desired")
    page.add(f"Pods Status:\t{_phases(live, cluster)}")
    describe_template(page, spec["template"])
    page.add_conditions(status.get("conditions") or (), reasons=True)


def _stateful_set(page: Page, live: Manifest, cluster: Reader) -> None:
    spec, status = live["spec"], live.get("status") or {}
    page.add(f"CreationTimestamp:\t{moment(live['metadata'].get('creationTimestamp'))}")
    page.add(f"Selector:\t{format_selector(spec['selector'])}")
    _names(page, live)
    page.add_present("Service Name", spec.get("serviceName"))
    page.add_present("Pod Management Policy", spec.get("podManagementPolicy"))
    page.add(f"Replicas:\t{spec.get('replicas', 1)} desired | {status.get('replicas', 0)} total")
    strategy = spec.get("updateStrategy") or {}
    page.add(f"Update Strategy:\t{strategy.get('type', '')}")
    rolling = strategy.get("rollingUpdate") or {}
    if "partition" in rolling:
        page.add(f"Partition:\t{rolling['partition']}", level=1)
        page.add_present("MaxUnavailable", rolling.get("maxUnavailable"), level=1)
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention:
        page.add("Persistent Volume Claim Retention Policy:")
        page.add(f"WhenDeleted:\t{retention.get('whenDeleted')}", level=1)
        page.add(f"WhenScaled:\t{retention.get('whenScaled')}", level=1)
    page.add(f"Pods Status:\t{_phases(live, cluster)}")
    describe_template(page, spec["template"])
    claims = spec.get("volumeClaimTemplates") or ()
    page.add("Volume Claims:" if claims else "Volume Claims:\t<none>")
    for claim in claims:
        metadata, wanted = claim["metadata"], claim["spec"]
        requests = (wanted.get("resources") or {}).get("requests") or {}
        page.add(f"Name:\t{metadata['name']}", level=1)
        page.add(f"StorageClass:\t{wanted.get('storageClassName', '')}", level=1)
        page.add_labels("  Labels", metadata.get("labels"))
        page.add_labels("  Annotations", metadata.get("annotations"))
        page.add(f"Capacity:\t{requests.get('storage', '<default>')}", level=1)
        page.add(f"Access Modes:\t[{' '.join(wanted.get('accessModes') or ())}]", level=1)


def _daemon_set(page: Page, live: Manifest, cluster: Reader) -> None:
    spec, status = live["spec"], live.get("status") or {}
    page.add(f"Selector:\t{format_selector(spec['selector'])}")
    nodes = (spec["template"].get("spec") or {}).get("nodeSelector")
    page.add(f"Node-Selector:\t{format_labels(nodes)}")
    _names(page, live)
    for title, member in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        page.add(f"{title}: {status.get(member, 0)}")
    page.add(f"Pods Status:\t{_phases(live, cluster)}")
    describe_template(page, spec["template"])


def _job(page: Page, live: Manifest, _: Reader) -> None:
    spec, status = live["spec"], live.get("status") or {}
    page.add(f"Selector:\t{format_selector(spec.get('selector'))}")
    _names(page, live)
    page.add_present("Controlled By", controller_name(live))
    page.add_present("Parallelism", spec.get("parallelism"))
    page.add(f"Completions:\t{spec.get('completions', '<unset>')}")
    page.add_present("Completion Mode", spec.get("completionMode"))
    if "suspend" in spec:
        page.add(f"Suspend:\t{str(spec['suspend']).lower()}")
    page.add_present("Backoff Limit", spec.get("backoffLimit"))
    page.add_present("TTL Seconds After Finished", spec.get("ttlSecondsAfterFinished"))
    start, end = status.get("startTime"), status.get("completionTime")
    if start:
        page.add(f"Start Time:\t{moment(start)}")
    if start and end:
        page.add(f"Completed At:\t{moment(end)}")
        page.add(f"Duration:\t{human_duration(Ages.between(start, end))}")
    if "activeDeadlineSeconds" in spec:
        page.add(f"Active Deadline Seconds:\t{spec['activeDeadlineSeconds']}s")
    ready = f" ({status['ready']} Ready)" if "ready" in status else ""
    succeeded, failed = status.get("succeeded", 0), status.get("failed", 0)
    told = f"{status.get('active', 0)} Active{ready} / {succeeded} Succeeded / {failed} Failed"
    page.add(f"Pods Statuses:\t{told}")
    if spec.get("completionMode") == "Indexed":
        page.add(f"Completed Indexes:\t{_capped(status.get('completedIndexes', ''))}")
    describe_template(page, spec["template"])


def _capped(indexes: str) -> str:
    place = indexes.find(",", _MOST_INDEXES)
    return (indexes if place < 0 else f"{indexes[: place + 1]}...") or "<none>"


def _cron_job(page: Page, live: Manifest, _: Reader) -> None:
    spec, status = live["spec"], live.get("status") or {}
    _names(page, live)
    page.add(f"Schedule:\t{spec['schedule']}")
    page.add(f"Concurrency Policy:\t{spec.get('concurrencyPolicy', '')}")
    page.add(f"Suspend:\t{spec.get('suspend', '<unset>')}")
    page.add(f"Time Zone:\t{spec.get('timeZone', '<unset>')}")
    page.add(f"Successful Job History Limit:\t{spec.get('successfulJobsHistoryLimit', '<unset>')}")
    page.add(f"Failed Job History Limit:\t{spec.get('failedJobsHistoryLimit', '<unset>')}")
    deadline = spec.get("startingDeadlineSeconds")
    page.add(f"Starting Deadline Seconds:\t{'<unset>' if deadline is None else f'{deadline}s'}")
    job = spec["jobTemplate"].get("spec") or {}
    selector = job.get("selector")
    page.add(f"Selector:\t{format_selector(selector) if selector else '<unset>'}")
    page.add(f"Parallelism:\t{job.get('parallelism', '<unset>')}")
    page.add(f"Completions:\t{job.get('completions', '<unset>')}")
    if "activeDeadlineSeconds" in job:
        page.add(f"Active Deadline Seconds:\t{job['activeDeadlineSeconds']}s")
    describe_template(page, job["template"])
    last = status.get("lastScheduleTime")
    page.add(f"Last Schedule Time:\t{moment(last) if last else '<unset>'}")
    active = ", ".join(entry["name"] for entry in status.get("active") or ())
    page.add(f"Active Jobs:\t{active or '<none>'}")


def _names(page: Page, live: Manifest) -> None:
    page.add_labels("Labels", live["metadata"].get("labels"))
    page.add_annotations("Annotations", live["metadata"].get("annotations"))


def _owned(live: Manifest, cluster: Reader, kind: str) -> list[Manifest]:
    """Return the objects of a kind that are controlled by another."""
    selector: Mapping[str, Any] = live["spec"].get("selector") or {}
    if live["kind"] == "ReplicationController":
        selector = {"matchLabels": selector}
    uid, labels = live["metadata"]["uid"], format_selector(selector)
    found = cluster.list(kind, live["metadata"]["namespace"], labels=labels)
    return [
        entry
        for entry in found
        for owner in entry["metadata"].get("ownerReferences") or ()
        if owner.get("controller") and owner["uid"] == uid
    ]


def _phases(live: Manifest, cluster: Reader) -> str:
    phases = [(pod.get("status") or {}).get("phase") for pod in _owned(live, cluster, "v1/Pod")]
    words = {"Running": "Running", "Pending": "Waiting", "Succeeded": "Succeeded"}
    words["Failed"] = "Failed"
    return " / ".join(f"{phases.count(phase)} {word}" for phase, word in words.items())


_DESCRIBERS = {
    "CronJob": _cron_job,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": _job,
    "ReplicaSet": _replicas,
    "ReplicationController": _replicas,
    "StatefulSet": _stateful_set,
}
WORKLOADS = frozenset(
    {
        *(("apps", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
        *(("batch", kind) for kind in ("CronJob", "Job")),
        ("", "ReplicationController"),
    }
)
"""Group and kind of what is described here."""
