"""The columns of `kubectl get` for the kinds that lessons show.

Source: kubernetes/pkg/printers/internalversion/printers.go; apimachinery pkg/util/duration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gitops_sim.types import Manifest

__all__ = ["columns_of", "human_duration", "in_columns"]

Cells = Callable[[Manifest, str], list[str]]


def columns_of(group: str, kind: str, *, wide: bool) -> tuple[list[str], Cells]:
    """Return the columns after NAME of a kind, and what makes the cells of one object."""
    heads, cells, wide_heads, wide_cells = TABLES.get((group, kind), (["AGE"], _age, [], _none))
    if not wide:
        return heads, cells
    return [*heads, *wide_heads], lambda live, age: [*cells(live, age), *wide_cells(live, age)]


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text, columns three blanks apart, as kubectl prints them."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        padded = [cell.ljust(width + 3) for cell, width in zip(row, widths, strict=True)]
        lines.append("".join([*padded[:-1], row[-1]]).rstrip(" ") + "\n")
    return "".join(lines)


def human_duration(seconds: float) -> str:
    """Return a duration as kubectl shortens it: `45s`, `3m20s`, `5h`, `2d3h`."""
    whole = max(int(seconds), 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return f"{minutes}m{whole % 60}s" if whole % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    years = days // 365
    return f"{years}y{days % 365}d" if years < 8 and days % 365 else f"{years}y"


def _none(live: Manifest, age: str) -> list[str]:
    del live, age
    return []


def _age(live: Manifest, age: str) -> list[str]:
    del live
    return [age]


def _number(live: Manifest, part: str, field: str, default: int = 0) -> str:
    return str((live.get(part) or {}).get(field, default))


def _deployment(live: Manifest, age: str) -> list[str]:
    ready = f"{_number(live, 'status', 'readyReplicas')}/{_number(live, 'spec', 'replicas', 1)}"
    updated = _number(live, "status", "updatedReplicas")
    return [ready, updated, _number(live, "status", "availableReplicas"), age]


def _stateful_set(live: Manifest, age: str) -> list[str]:
    wanted = _number(live, "spec", "replicas", 1)
    return [f"{_number(live, 'status', 'readyReplicas')}/{wanted}", age]


def _replica_set(live: Manifest, age: str) -> list[str]:
    counts = [_number(live, "status", field) for field in ("replicas", "readyReplicas")]
    return [_number(live, "spec", "replicas", 1), *counts, age]


def _daemon_set(live: Manifest, age: str) -> list[str]:
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady")
    more = ("updatedNumberScheduled", "numberAvailable")
    counts = [_number(live, "status", field) for field in (*fields, *more)]
    chosen = live["spec"].get("template", {}).get("spec", {}).get("nodeSelector") or {}
    return [*counts, _pairs(chosen), age]


def _pod(live: Manifest, age: str) -> list[str]:
    status = live.get("status") or {}
    states = status.get("containerStatuses") or []
    total = len(live["spec"].get("containers") or [])
    ready = sum(1 for state in states if state.get("ready"))
    shown = status.get("reason") or status.get("phase") or "Unknown"
    for state in states:
        now = state.get("state") or {}
        reason = (now.get("waiting") or now.get("terminated") or {}).get("reason")
        shown = reason or shown
    if live["metadata"].get("deletionTimestamp"):
        shown = "Terminating"
    restarts = sum(state.get("restartCount", 0) for state in states)
    return [f"{ready}/{total}", shown, str(restarts), age]


def _pod_wide(live: Manifest, age: str) -> list[str]:
    del age
    place = (live.get("status") or {}).get("podIP"), live["spec"].get("nodeName")
    return [*(part or "<none>" for part in place), "<none>", "<none>"]


def _service(live: Manifest, age: str) -> list[str]:
    spec = live["spec"]
    kind = spec.get("type", "ClusterIP")
    external = "<pending>" if kind == "LoadBalancer" else "<none>"
    ingress = ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    found = ",".join(str(entry.get("ip") or entry.get("hostname", "")) for entry in ingress)
    ports = []
    for port in spec.get("ports") or []:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        ports.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    address = spec.get("clusterIP") or "<none>"
    return [kind, address, found or external, ",".join(ports) or "<none>", age]


def _service_wide(live: Manifest, age: str) -> list[str]:
    del age
    return [_pairs(live["spec"].get("selector") or {})]


def _workload_wide(live: Manifest, age: str) -> list[str]:
    del age
    containers = live["spec"]["template"]["spec"].get("containers") or []
    names = ",".join(container["name"] for container in containers)
    images = ",".join(str(container.get("image", "")) for container in containers)
    return [names, images, _pairs((live["spec"].get("selector") or {}).get("matchLabels") or {})]


def _set_wide(live: Manifest, age: str) -> list[str]:
    return _workload_wide(live, age)[:2]


def _job(live: Manifest, age: str) -> list[str]:
    status = live.get("status") or {}
    states = {c["type"]: c["status"] for c in status.get("conditions") or []}
    known = [name for name in ("Complete", "Failed", "Suspended") if states.get(name) == "True"]
    done = f"{status.get('succeeded', 0)}/{live['spec'].get('completions', 1)}"
    return [known[0] if known else "Running", done, age]


def _config_map(live: Manifest, age: str) -> list[str]:
    count = len(live.get("data") or {}) + len(live.get("binaryData") or {})
    return [str(count), age]


def _secret(live: Manifest, age: str) -> list[str]:
    return [live.get("type", "Opaque"), str(len(live.get("data") or {})), age]


def _namespace(live: Manifest, age: str) -> list[str]:
    return [(live.get("status") or {}).get("phase", "Active"), age]


def _node(live: Manifest, age: str) -> list[str]:
    status = live.get("status") or {}
    ready = {c["type"]: c["status"] for c in status.get("conditions") or []}.get("Ready")
    shown = {"True": "Ready", "False": "NotReady"}.get(str(ready), "Unknown")
    if live["spec"].get("unschedulable"):
        shown += ",SchedulingDisabled"
    version = (status.get("nodeInfo") or {}).get("kubeletVersion", "")
    return [shown, "<none>", age, version]


def _pairs(labels: dict[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


_WORKLOAD = ["CONTAINERS", "IMAGES", "SELECTOR"]
_DAEMON = ["DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE"]
_ON_NODE = ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
_ADDRESS = ["TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]

TABLES: dict[tuple[str, str], tuple[list[str], Cells, list[str], Cells]] = {
    ("apps", "Deployment"): (
        ["READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
        _deployment,
        _WORKLOAD,
        _workload_wide,
    ),
    ("apps", "ReplicaSet"): (
        ["DESIRED", "CURRENT", "READY", "AGE"],
        _replica_set,
        _WORKLOAD,
        _workload_wide,
    ),
    ("apps", "StatefulSet"): (["READY", "AGE"], _stateful_set, _WORKLOAD[:2], _set_wide),
    ("apps", "DaemonSet"): (_DAEMON, _daemon_set, _WORKLOAD, _workload_wide),
    ("batch", "Job"): (["STATUS", "COMPLETIONS", "AGE"], _job, [], _none),
    ("", "Pod"): (["READY", "STATUS", "RESTARTS", "AGE"], _pod, _ON_NODE, _pod_wide),
    ("", "Service"): (_ADDRESS, _service, ["SELECTOR"], _service_wide),
    ("", "ConfigMap"): (["DATA", "AGE"], _config_map, [], _none),
    ("", "Secret"): (["TYPE", "DATA", "AGE"], _secret, [], _none),
    ("", "Namespace"): (["STATUS", "AGE"], _namespace, [], _none),
    ("", "Node"): (["STATUS", "ROLES", "AGE", "VERSION"], _node, [], _none),
}
