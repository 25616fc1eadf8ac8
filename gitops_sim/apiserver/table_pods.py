"""The row of a pod: how its containers' states become one word.

Source: k8s.io/kubernetes, pkg/printers/internalversion/printers.go, printPod.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_sim.apiserver.table_cells import NONE, Ages, part
from gitops_sim.types import Manifest

__all__ = ["pod_row"]

_ENDED = ("Succeeded", "Failed")


@dataclass(slots=True)
class _Seen:
    """What has been found about the containers so far."""

    reason: str
    restarts: int = 0
    ready: int = 0
    last_restart: str = ""
    initializing: bool = False

    def note_restart(self, container: Manifest) -> None:
        self.restarts += int(container.get("restartCount", 0))
        finished = part(container, "lastState", "terminated").get("finishedAt") or ""
        self.last_restart = max(self.last_restart, finished)


def pod_row(pod: Manifest, ages: Ages) -> list[Any]:
    """Return the cells of a pod."""
    spec, status, metadata = part(pod, "spec"), part(pod, "status"), pod["metadata"]
    sidecars = {
        c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"
    }
    total = len(spec.get("containers") or ()) + len(sidecars)
    seen = _look(spec, status, sidecars)
    phase = status.get("phase", "")
    if metadata.get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            seen.reason = "Unknown"
        elif phase not in _ENDED:
            seen.reason = "Terminating"
    restarts = str(seen.restarts)
    if seen.restarts and seen.last_restart:
        restarts = f"{seen.restarts} ({ages(seen.last_restart)} ago)"
    addresses = status.get("podIPs") or [{}]
    return [
        metadata["name"],
        f"{seen.ready}/{total}",
        seen.reason,
        restarts,
        ages(metadata.get("creationTimestamp")),
        addresses[0].get("ip") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(spec, status),
    ]


def _look(spec: Manifest, status: Manifest, sidecars: set[str]) -> _Seen:
    conditions = status.get("conditions") or ()
    seen = _Seen(status.get("reason") or status.get("phase", ""))
    if any(
        c["type"] == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in conditions
    ):
        seen.reason = "SchedulingGated"
    beside = _Seen("")
    _look_at_init(seen, beside, spec, status, sidecars)
    if not seen.initializing or _is_true(status, "Initialized"):
        seen.restarts, seen.last_restart = beside.restarts, beside.last_restart
        _look_at_containers(seen, status)
    return seen


def _look_at_init(
    seen: _Seen, beside: _Seen, spec: Manifest, status: Manifest, sidecars: set[str]
) -> None:
    for place, container in enumerate(status.get("initContainerStatuses") or ()):
        seen.note_restart(container)
        is_sidecar = container["name"] in sidecars
        if is_sidecar:
            beside.note_restart(container)
        ended = part(container, "state").get("terminated")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if is_sidecar and container.get("started"):
            seen.ready += bool(container.get("ready"))
            continue
        seen.initializing = True
        waiting = part(container, "state", "waiting").get("reason")
        if ended is not None:
            seen.reason = f"Init:{_ended_by(ended)}"
        elif waiting and waiting != "PodInitializing":
            seen.reason = f"Init:{waiting}"
        else:
            seen.reason = f"Init:{place}/{len(spec.get('initContainers') or ())}"
        return


def _look_at_containers(seen: _Seen, status: Manifest) -> None:
    has_running, error = False, ""
    for container in reversed(status.get("containerStatuses") or ()):
        seen.note_restart(container)
        state = part(container, "state")
        ended = state.get("terminated")
        if part(state, "waiting").get("reason"):
            seen.reason = state["waiting"]["reason"]
        elif ended is not None:
            seen.reason = _ended_by(ended)
            if ended.get("exitCode"):
                error = seen.reason
        elif container.get("ready") and state.get("running") is not None:
            has_running = True
            seen.ready += 1
    if seen.reason == "Completed":
        if has_running and _is_true(status, "Ready"):
            seen.reason = "Running"
        elif error:
            seen.reason = error
        elif has_running:
            seen.reason = "NotReady"


def _ended_by(ended: Manifest) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    signal = ended.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"


def _is_true(status: Manifest, condition: str) -> bool:
    listed = status.get("conditions") or ()
    return any(c["type"] == condition and c.get("status") == "True" for c in listed)


def _gates(spec: Manifest, status: Manifest) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return NONE
    passed = sum(_is_true(status, gate["conditionType"]) for gate in gates)
    return f"{passed}/{len(gates)}"
