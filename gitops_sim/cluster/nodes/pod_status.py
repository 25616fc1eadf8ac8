"""The status of a pod, from what its machine knows.

Source: k8s.io/kubernetes, pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, getPhase),
pkg/kubelet/status/generate.go.
Differs: container statuses leave out user, volumeMounts and allocated resources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.cluster.nodes import containers
from gitops_sim.cluster.nodes.pod_runs import ContainerRun, Ended, PodRun
from gitops_sim.cluster.nodes.pods import has_initialized, init_is_done, is_sidecar, restarts
from gitops_sim.types import Manifest

__all__ = ["pod_status"]

Timestamp = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class _View:
    """One pod at one moment.

    `incomplete` names the init containers that hold up the others.
    """

    pod: Manifest
    run: PodRun
    now: float
    timestamp: Timestamp
    incomplete: Sequence[str]


def pod_status(
    pod: Manifest, run: PodRun, host: str, now: float, timestamp: Timestamp
) -> dict[str, Any]:
    """Return the status that a kubelet reports.

    Args:
        pod: As it is in the API; conditions of others are kept.
        run: What the machine knows.
        host: Address of the machine.
        now: Seconds since the epoch.
        timestamp: Prints such seconds as RFC 3339.
    """
    spec, old = pod["spec"], pod.get("status") or {}
    inits = spec.get("initContainers") or ()
    incomplete = [
        str(c["name"])
        for c in inits
        if not has_initialized(pod, run) and not init_is_done(c, run.containers.get(c["name"]), now)
    ]
    view = _View(pod, run, now, timestamp, incomplete)
    mains = [
        _container_status(c, view, waits_for_init=bool(incomplete))
        for c in sorted(spec["containers"], key=lambda c: str(c["name"]))
    ]
    phase = _phase(view, mains)
    status = dict(old)
    status["phase"] = phase
    status["observedGeneration"] = pod["metadata"].get("generation", 1)
    status["conditions"] = _conditions(view, phase, mains)
    if run.fails_as is not None:
        status["reason"], status["message"] = run.fails_as
    status["hostIP"], status["hostIPs"] = host, [{"ip": host}]
    status.setdefault("startTime", timestamp(run.began))
    if run.address:
        status["podIP"], status["podIPs"] = run.address, [{"ip": run.address}]
    if inits:
        status["initContainerStatuses"] = [
            _container_status(c, view, waits_for_init=True) for c in inits
        ]
    status["containerStatuses"] = mains
    ephemeral = spec.get("ephemeralContainers")
    if ephemeral:
        status["ephemeralContainerStatuses"] = [
            _container_status(c, view, waits_for_init=False) | {"ready": False} for c in ephemeral
        ]
    return status


def _container_status(
    container: Mapping[str, Any], view: _View, *, waits_for_init: bool
) -> dict[str, Any]:
    run, now = view.run, view.now
    state = run.containers.get(container["name"])
    image = container["image"]
    status: dict[str, Any] = {
        "name": container["name"],
        "state": {},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": image,
        "imageID": "",
        "started": False,
    }
    if container.get("resources"):
        status["resources"] = container["resources"]
    if state is None:
        reason = "PodInitializing" if waits_for_init else "ContainerCreating"
        status["state"] = {"waiting": {"reason": reason}}
        status["restartCount"] = run.restarts.get(container["name"], 0)
        return status
    status["state"], status["lastState"] = _states(state, view.timestamp)
    status["restartCount"] = state.restarts
    if state.image is not None:
        status["imageID"] = f"{_repository(state.image.reference)}@{state.image.digest}"
    newest = state.container_id
    if newest:
        status["containerID"] = newest
    status["started"] = containers.is_started(container, state, now)
    if waits_for_init and not is_sidecar(container):
        status["ready"] = state.ended is not None and state.ended.exit_code == 0
    else:
        status["ready"] = containers.is_ready(container, state, now)
    return status


def _states(state: ContainerRun, timestamp: Timestamp) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return state and lastState."""
    last = state.last
    if state.started is not None:
        shown: dict[str, Any] = {"running": {"startedAt": timestamp(state.started)}}
    elif state.ended is not None and not state.is_backing_off:
        shown = {"terminated": _terminated(state.ended, timestamp)}
    else:
        last = state.ended or last
        reason, message = state.waiting
        shown = {"waiting": {"reason": reason}}
        if message:
            shown["waiting"]["message"] = message
    return shown, {} if last is None else {"terminated": _terminated(last, timestamp)}


def _terminated(ended: Ended, timestamp: Timestamp) -> dict[str, Any]:
    return {
        "exitCode": ended.exit_code,
        "reason": ended.reason,
        "startedAt": timestamp(ended.started),
        "finishedAt": timestamp(ended.finished),
        "containerID": ended.container_id,
    }


def _repository(reference: str) -> str:
    """Return the part of an image's name before tag and digest."""
    name = reference.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _phase(view: _View, mains: list[dict[str, Any]]) -> str:
    pod, run = view.pod, view.run
    if run.fails_as is not None:
        return "Failed"
    policy = pod["spec"].get("restartPolicy", "Always")
    if view.incomplete:
        failed = policy == "Never" and any(_failed_init(c, run) for c in _plain_inits(pod))
        return "Failed" if failed else "Pending"
    specs = {container["name"]: container for container in pod["spec"]["containers"]}
    failed = again = 0
    for status in mains:
        state, last = status["state"], status["lastState"]
        ended = state.get("terminated") or (last.get("terminated") if "waiting" in state else None)
        if ended is None and "running" not in state:
            return "Pending"
        if ended is not None:
            failed += ended["exitCode"] != 0
            again += restarts(pod, specs[status["name"]], ended["exitCode"])
    if any(state.started is not None for state in run.containers.values()):
        return "Running"  # sidecars stop after the others
    if run.killing_since is None and again:
        return "Running"
    return "Failed" if failed else "Succeeded"


def _plain_inits(pod: Manifest) -> list[Mapping[str, Any]]:
    return [c for c in pod["spec"].get("initContainers") or () if not is_sidecar(c)]


def _failed_init(container: Mapping[str, Any], run: PodRun) -> bool:
    state = run.containers.get(container["name"])
    return state is not None and state.ended is not None and state.ended.exit_code != 0


def _conditions(view: _View, phase: str, mains: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pod = view.pod
    old = {c["type"]: c for c in (pod.get("status") or {}).get("conditions") or ()}
    unready = _unready(view, mains)
    containers_ready = ("True", "", "") if not unready else ("False", "ContainersNotReady", unready)
    if phase in ("Succeeded", "Failed"):
        reason = "PodCompleted" if phase == "Succeeded" else "PodFailed"
        containers_ready = ("False", reason, "")
    initialized = ("True", "", "")
    if view.incomplete:
        text = f"containers with incomplete status: [{' '.join(view.incomplete)}]"
        initialized = ("False", "ContainersNotInitialized", text)
    told = {
        "PodReadyToStartContainers": ("True" if view.run.address else "False", "", ""),
        "Initialized": initialized,
        "Ready": _ready(pod, old, containers_ready),
        "ContainersReady": containers_ready,
        "PodScheduled": ("True", "", ""),
    }
    generation, now = pod["metadata"].get("generation", 1), view.timestamp(view.now)
    conditions = [_condition(type_, told[type_], old.get(type_), now, generation) for type_ in told]
    return conditions + [entry for type_, entry in old.items() if type_ not in told]


def _unready(view: _View, mains: list[dict[str, Any]]) -> str:
    names = [status["name"] for status in mains if not status["ready"]]
    for container in view.pod["spec"].get("initContainers") or ():
        state = view.run.containers.get(container["name"])
        ready = state is not None and containers.is_ready(container, state, view.now)
        if is_sidecar(container) and not ready:
            names.insert(0, container["name"])
    return f"containers with unready status: [{' '.join(names)}]" if names else ""


def _ready(
    pod: Manifest, old: Mapping[str, Any], containers_ready: tuple[str, str, str]
) -> tuple[str, str, str]:
    if containers_ready[0] != "True":
        return containers_ready
    for gate in pod["spec"].get("readinessGates") or ():
        type_ = gate["conditionType"]
        if type_ not in old:
            detail = f'corresponding condition of pod readiness gate "{type_}" does not exist.'
            return "False", "ReadinessGatesNotReady", detail
        if old[type_]["status"] != "True":
            detail = f'the status of pod readiness gate "{type_}" is not "True", but '
            return "False", "ReadinessGatesNotReady", f"{detail}{old[type_]['status']}"
    return containers_ready


def _condition(
    type_: str,
    told: tuple[str, str, str],
    old: Mapping[str, Any] | None,
    now: str,
    generation: int,
) -> dict[str, Any]:
    status, reason, message = told
    since = now
    if old is not None and old.get("status") == status:
        since = old.get("lastTransitionTime") or now
    entry: dict[str, Any] = {
        "type": type_,
        "observedGeneration": generation,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    if reason:
        entry["reason"] = reason
    if message:
        entry["message"] = message
    return entry
