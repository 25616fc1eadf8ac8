"""A pod on its machine: sandbox, init containers in order, sidecars, main containers, the end.

Source: k8s.io/kubernetes, pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions,
computeInitContainerActions), pkg/kubelet/kubelet.go (SyncPod, SyncTerminatingPod).
Differs: hooks are not run, except that a preStop that sleeps is waited for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.cluster.nodes import containers
from gitops_sim.cluster.nodes.configuration import Configuration
from gitops_sim.cluster.nodes.containers import STOP_SECONDS, Surroundings
from gitops_sim.cluster.nodes.machines import Machine
from gitops_sim.cluster.nodes.pod_runs import ContainerRun, PodRun
from gitops_sim.protocols import ImageSource
from gitops_sim.types import Manifest

__all__ = [
    "Site",
    "begin",
    "has_initialized",
    "init_is_done",
    "is_sidecar",
    "kill",
    "restarts",
    "sync",
]

NEVER = math.inf
_SANDBOX_SECONDS = 0.3
_KILLED = (137, "Error")


@dataclass(frozen=True, slots=True)
class Site:
    """Where and with what a pod runs.

    Attributes:
        machine: Where.
        images: Where images come from.
        configuration: Its ConfigMaps and Secrets.
        now: Seconds since the epoch.
        tell: Writes an event: type, reason, message, field path (empty: about the pod).
    """

    machine: Machine
    images: ImageSource
    configuration: Configuration
    now: float
    tell: Callable[[str, str, str, str], None]


def sync(pod: Manifest, run: PodRun, site: Site) -> float:
    """Move a pod as far as it goes now; return when it goes on (infinity: only by a change)."""
    problem = site.configuration.volume_problem(pod)
    if problem:
        if run.told_unmounted != problem:
            run.told_unmounted = problem
            site.tell("Warning", "FailedMount", problem, "")
        return NEVER
    if not run.address:
        ready_at = run.began + _SANDBOX_SECONDS
        if site.now < ready_at:
            return ready_at
        on_host = pod["spec"].get("hostNetwork")
        run.address = site.machine.address if on_host else site.machine.new_address()
    deadline = _deadline(pod, run)
    if site.now >= deadline:
        message = "Pod was active on the node longer than the specified deadline"
        run.fails_as = ("DeadlineExceeded", message)
        site.tell("Normal", "DeadlineExceeded", message, "")
        _stop_all(pod, run, site, _KILLED)
        return NEVER
    return min(_sync_containers(pod, run, site), deadline)


def kill(pod: Manifest, run: PodRun, site: Site) -> float:
    """Let a deleted pod stop in its time of grace; return when the next of it will have stopped.

    When that moment is not in the future, all of its containers have ended.
    """
    if run.killing_since is None:
        run.killing_since = site.now
        for container in (c for group in _stop_order(pod) for c in group):
            state = run.containers.get(container["name"])
            if state is not None and state.started is not None:
                message = f"Stopping container {container['name']}"
                site.tell("Normal", "Killing", message, _field_path(pod, container))
    if not any(state.started is not None for state in run.containers.values()):
        return site.now
    grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 30))
    latest = run.killing_since + grace
    left = run.killing_since
    for group in _stop_order(pod):
        stopped_at = min(latest, left + max(_stop_seconds(container) for container in group))
        if site.now < stopped_at:
            return stopped_at
        for container in group:
            is_in_time = left + _stop_seconds(container) <= latest
            _stop(pod, container, run, site, (0, "Completed") if is_in_time else _KILLED)
        left = stopped_at
    return left


def _stop_order(pod: Manifest) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield what stops together: all but the sidecars, then those, the last one first."""
    inits = pod["spec"].get("initContainers") or ()
    plain = [container for container in inits if not is_sidecar(container)]
    yield [*plain, *pod["spec"]["containers"], *(pod["spec"].get("ephemeralContainers") or ())]
    for container in reversed(inits):
        if is_sidecar(container):
            yield [container]


def is_sidecar(container: Mapping[str, Any]) -> bool:
    """True for an init container that runs beside the main ones (restartPolicy: Always)."""
    return container.get("restartPolicy") == "Always"


def restarts(pod: Manifest, container: Mapping[str, Any], exit_code: int) -> bool:
    """True when a container of a pod is started again after it ended with an exit code.

    Its own rules decide first, then its own policy, then that of the pod.
    """
    for rule in container.get("restartPolicyRules") or ():
        wanted = rule.get("exitCodes") or {}
        if (exit_code in (wanted.get("values") or ())) == (wanted.get("operator") == "In"):
            return bool(rule["action"] == "Restart")
    if _is_in(pod, "ephemeralContainers", container):
        return False
    policy = container.get("restartPolicy") or pod["spec"].get("restartPolicy", "Always")
    if policy == "Always" and _is_in(pod, "initContainers", container):
        return exit_code != 0 or is_sidecar(container)
    return bool(policy == "Always" or (policy == "OnFailure" and exit_code != 0))


def _is_in(pod: Manifest, group: str, container: Mapping[str, Any]) -> bool:
    return any(other is container for other in pod["spec"].get(group) or ())


def init_is_done(container: Mapping[str, Any], state: ContainerRun | None, now: float) -> bool:
    """True when the next container may start: it ended with 0, or, a sidecar, has started."""
    if state is None:
        return False
    if is_sidecar(container):
        return containers.is_started(container, state, now)
    return state.ended is not None and state.ended.exit_code == 0


def has_initialized(pod: Manifest, run: PodRun) -> bool:
    """True when a main container was reached: all init containers were done then."""
    return any(container["name"] in run.containers for container in pod["spec"]["containers"])


def begin(pod: Manifest, machine: Machine, now: float) -> PodRun:
    """Return the run of a pod that its machine does not know: it is new, or a boot lost it."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    run = PodRun((metadata["namespace"], metadata["name"]), metadata["uid"], now)
    for entry in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        if entry.get("containerID"):
            run.restarts[entry["name"]] = entry["restartCount"] + 1
    machine.pods[run.uid] = run
    return run


def _sync_containers(pod: Manifest, run: PodRun, site: Site) -> float:
    due, blocked = NEVER, False
    for container, is_init in _containers(pod):
        if blocked:
            break
        state = run.containers.get(container["name"])
        if state is None:
            state = ContainerRun(restarts=run.restarts.get(container["name"], 0))
            run.containers[container["name"]] = state
        around = _surroundings(pod, container, run, site, is_init=is_init)
        due = min(due, containers.advance(container, state, around))
        blocked = is_init and not (
            has_initialized(pod, run) or init_is_done(container, state, site.now)
        )
    if not blocked and _mains_are_over(pod, run):
        _stop_all(pod, run, site, (0, "Completed"))  # sidecars
        return NEVER
    for container in pod["spec"].get("ephemeralContainers") or ():
        state = run.containers.setdefault(container["name"], ContainerRun())
        around = _surroundings(pod, container, run, site, is_init=False)
        due = min(due, containers.advance(container, state, around))
    return due


def _mains_are_over(pod: Manifest, run: PodRun) -> bool:
    for container in pod["spec"]["containers"]:
        state = run.containers.get(container["name"])
        if state is None or state.ended is None:
            return False
        if restarts(pod, container, state.ended.exit_code):
            return False
    return True


def _containers(pod: Manifest) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Return the containers in the order in which they start, and which are init containers."""
    for container in pod["spec"].get("initContainers") or ():
        yield container, True
    for container in pod["spec"]["containers"]:
        yield container, False


def _surroundings(
    pod: Manifest, container: Mapping[str, Any], run: PodRun, site: Site, *, is_init: bool
) -> Surroundings:
    path = _field_path(pod, container)
    metadata = pod["metadata"]
    owners = metadata.get("ownerReferences") or ()
    of_job = any(owner["kind"] == "Job" for owner in owners)
    return Surroundings(
        machine=site.machine,
        images=site.images,
        now=site.now,
        pod=(run.uid, f"{metadata['name']}_{metadata['namespace']}({run.uid})"),
        address=run.address,
        restarts=lambda exit_code: restarts(pod, container, exit_code),
        should_end=(is_init and not is_sidecar(container)) or (of_job and not is_init),
        config_problem=site.configuration.container_problem(pod, container),
        env=site.configuration.env_names(pod, container),
        tell=lambda type_, reason, message: site.tell(type_, reason, message, path),
    )


def _field_path(pod: Manifest, container: Mapping[str, Any]) -> str:
    groups = ("initContainers", "ephemeralContainers")
    group = next((name for name in groups if _is_in(pod, name, container)), "containers")
    return f"spec.{group}{{{container['name']}}}"


def _stop_all(pod: Manifest, run: PodRun, site: Site, ended: tuple[int, str]) -> None:
    for group in _stop_order(pod):
        for container in group:
            _stop(pod, container, run, site, ended)


def _stop(
    pod: Manifest, container: Mapping[str, Any], run: PodRun, site: Site, ended: tuple[int, str]
) -> None:
    state = run.containers.get(container["name"])
    if state is not None and state.started is not None:
        around = _surroundings(pod, container, run, site, is_init=False)
        containers.end(state, around, *ended)


def _deadline(pod: Manifest, run: PodRun) -> float:
    seconds = pod["spec"].get("activeDeadlineSeconds")
    return NEVER if seconds is None else run.began + float(seconds)


def _stop_seconds(container: Mapping[str, Any]) -> float:
    hook = ((container.get("lifecycle") or {}).get("preStop")) or {}
    seconds = float((hook.get("sleep") or {}).get("seconds") or 0)
    command = (hook.get("exec") or {}).get("command") or ()
    words = " ".join(command).split()
    if "sleep" in words[:-1]:
        told = words[words.index("sleep") + 1].rstrip(";s")
        seconds = float(told) if told.isdigit() else seconds
    return seconds + STOP_SECONDS
