"""One container on a machine: from its image to its end, and again.

`advance` moves a container as far as it can go at a moment, and says when it goes on. Pulls, starts
and ends are computed moments; nothing waits in between.

Source: k8s.io/kubernetes, pkg/kubelet/kuberuntime/kuberuntime_manager.go, kuberuntime_container.go,
pkg/kubelet/images/image_manager.go.
Differs: pulls of one machine do not wait for each other; a container that is told to stop ends with
0 after a second; a container that should end (an init container, a pod of a Job) ends well when
its image would be up, unless the image says otherwise; memory is used up when the app is up, and
grows by the minute if the image leaks; a container without a limit is never killed for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gitops_sim.apimachinery.quantities import parse
from gitops_sim.cluster.nodes.machines import Machine
from gitops_sim.cluster.nodes.pod_runs import ContainerRun, Ended
from gitops_sim.cluster.nodes.probes import failure_text, probe_times
from gitops_sim.errors import ImagePullError
from gitops_sim.protocols import ImageSource
from gitops_sim.types import Image

__all__ = ["STOP_SECONDS", "Surroundings", "advance", "end", "is_ready", "is_started"]

NEVER = math.inf
STOP_SECONDS = 1.0
"""From SIGTERM to the end of a container."""

_REFUSED_AFTER = 0.5
"""Seconds until a registry has refused."""
_CHECK_SECONDS = 0.2
"""Seconds of a pull that finds everything on the machine (policy Always)."""
_NOTICED_AFTER = 1.0
"""Seconds that a state shows before the next follows, as the kubelet looks every second."""
_FIRST_BACKOFF, _LONGEST_BACKOFF = 10.0, 300.0
_BACKOFF_FORGOTTEN_AFTER = 600.0
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a container meets.

    Attributes:
        machine: Where it runs.
        images: Where images come from.
        now: Seconds since the epoch.
        pod: Its uid and its printed name, `web-1_shop(<uid>)`.
        address: Of the pod.
        restarts: Whether it is started again after an exit code.
        should_end: Whether it is there to end: an init container, or of a Job's pod.
        config_problem: Why its configuration cannot be made; empty when it can.
        env: Names of the environment variables that it gets.
        tell: Writes an event about the container: type, reason, message.
    """

    machine: Machine
    images: ImageSource
    now: float
    pod: tuple[str, str]
    address: str
    restarts: Callable[[int], bool]
    should_end: bool
    config_problem: str
    env: frozenset[str]
    tell: Callable[[str, str, str], None]


def advance(container: Mapping[str, Any], run: ContainerRun, around: Surroundings) -> float:
    """Move a container as far as it goes now; return when it goes on (infinity: never).

    Args:
        container: Its spec.
        run: Its state, which is changed.
        around: What it meets.
    """
    while True:
        due = _advance_once(container, run, around)
        if due is not None:
            return due


def _advance_once(
    container: Mapping[str, Any], run: ContainerRun, around: Surroundings
) -> float | None:
    """Make at most one move; None: look again, something moved."""
    if run.started is not None:
        if run.reference != container["image"]:
            name = container["name"]
            message = f"Container {name} definition changed, will be restarted"
            around.tell("Normal", "Killing", message)
            end(run, around, 0, "Completed")
            return None
        return _while_running(container, run, around)
    if run.ended is not None:
        return _while_ended(container, run, around)
    return _before_start(container, run, around)


def is_started(container: Mapping[str, Any], run: ContainerRun, now: float) -> bool:
    """True when its startup probe, if there is one, has passed."""
    if run.started is None or run.image is None:
        return False
    return probe_times(container, run.image, run.started).started <= now


def is_ready(container: Mapping[str, Any], run: ContainerRun, now: float) -> bool:
    """True when its readiness probe, if there is one, passes."""
    if run.started is None or run.image is None:
        return False
    return probe_times(container, run.image, run.started).ready <= now


def end(run: ContainerRun, around: Surroundings, exit_code: int, reason: str) -> None:
    """Let the present run be over."""
    assert run.started is not None
    run.ended = Ended(exit_code, reason, run.started, around.now, run.container_id)
    if around.now - run.started >= _BACKOFF_FORGOTTEN_AFTER:
        run.backoff = 0.0
    run.started = run.ends_at = None
    run.told_unhealthy.clear()


# Before the start: the image, then the configuration.


def _before_start(
    container: Mapping[str, Any], run: ContainerRun, around: Surroundings
) -> float | None:
    if run.pull_until is not None:
        if around.now < run.pull_until:
            return run.pull_until
        _finish_pull(container, run, around)
        return None
    if run.image is None or run.reference != container["image"]:
        return _get_image(container, run, around)
    if around.config_problem:
        waiting = ("CreateContainerConfigError", around.config_problem)
        if run.waiting != waiting:
            run.waiting = waiting
            around.tell("Warning", "Failed", f"Error: {around.config_problem}")
        return NEVER  # the kubelet watches what is missing
    _start(container, run, around)
    return None


def _get_image(
    container: Mapping[str, Any], run: ContainerRun, around: Surroundings
) -> float | None:
    reference, policy = container["image"], container.get("imagePullPolicy")
    if run.reference != reference:
        run.reference, run.image, run.pull_failures, run.retry_at = reference, None, 0, 0.0
    if around.now < run.retry_at:
        return _show_backoff(run, around)
    present = around.machine.images.get(reference)
    if present is not None and policy != "Always":
        message = (
            f'Container image "{reference}" already present on machine and can be accessed by '
            "the pod"
        )
        around.tell("Normal", "Pulled", message)
        run.image = present
        return None
    if policy == "Never":
        waiting = (
            "ErrImageNeverPull",
            f'Container image "{reference}" is not present with pull policy of Never',
        )
        if run.waiting != waiting:
            run.waiting = waiting
            around.tell("Warning", *waiting)
        return NEVER
    return _begin_pull(run, around)


def _begin_pull(run: ContainerRun, around: Surroundings) -> float | None:
    run.pulled, run.pull_problem, run.pull_started = None, None, around.now
    try:
        run.pulled = around.images.pull(run.reference)
    except ImagePullError as problem:
        message = str(problem)
        if "couldn't parse image name" in message:
            run.waiting = ("InvalidImageName", message)
            around.tell("Warning", "InspectFailed", message)
            around.tell("Warning", "Failed", "Error: InvalidImageName")
            return NEVER
        run.pull_problem = ("ErrImagePull", message)
        seconds = _REFUSED_AFTER
    else:
        is_here = around.machine.has(run.pulled.digest)
        seconds = _CHECK_SECONDS if is_here else run.pulled.pull_seconds
    around.tell("Normal", "Pulling", f'Pulling image "{run.reference}"')
    run.pull_until = around.now + seconds
    return None


def _finish_pull(container: Mapping[str, Any], run: ContainerRun, around: Surroundings) -> None:
    run.pull_until = None
    if container["image"] != run.reference:
        return
    if run.pull_problem is not None:
        run.pull_failures += 1
        run.waiting = run.pull_problem
        text = f'Failed to pull image "{run.reference}": {run.pull_problem[1]}'
        around.tell("Warning", "Failed", text)
        around.tell("Warning", "Failed", "Error: ErrImagePull")
        doublings = min(run.pull_failures - 1, 10)
        run.retry_at = around.now + min(_FIRST_BACKOFF * 2**doublings, _LONGEST_BACKOFF)
        return
    assert run.pulled is not None
    run.image, run.pull_failures = run.pulled, 0
    around.machine.keep(run.reference, run.pulled)
    took = f"{round((around.now - run.pull_started) * 1000) / 1000:g}s"
    size = int(run.pulled.digest[7:15], 16) % 90_000_000 + 10_000_000
    message = (
        f'Successfully pulled image "{run.reference}" in {took} ({took} including waiting). '
        f"Image size: {size} bytes."
    )
    around.tell("Normal", "Pulled", message)


def _show_backoff(run: ContainerRun, around: Surroundings) -> float:
    """Show ErrImagePull for a moment, then ImagePullBackOff until the next try."""
    assert run.pull_problem is not None
    backs_off_at = run.pull_started + _REFUSED_AFTER + _NOTICED_AFTER
    if around.now < backs_off_at:
        return backs_off_at
    text = f'Back-off pulling image "{run.reference}"'
    waiting = ("ImagePullBackOff", f"{text}: ErrImagePull: {run.pull_problem[1]}")
    if run.waiting != waiting:
        run.waiting = waiting
        around.tell("Normal", "BackOff", text)
        around.tell("Warning", "Failed", "Error: ImagePullBackOff")
    return run.retry_at


# The run.


def _start(container: Mapping[str, Any], run: ContainerRun, around: Surroundings) -> None:
    assert run.image is not None
    told = f"{around.pod[0]}/{container['name']}/{run.restarts}/{around.machine.boots}"
    run.container_id = f"containerd://{sha256(told.encode()).hexdigest()}"
    run.started = around.now
    run.ends_at, run.ends_with = _end_of_run(container, run.image, around)
    around.tell("Normal", "Created", "Container created")
    around.tell("Normal", "Started", "Container started")


def _end_of_run(
    container: Mapping[str, Any], image: Image, around: Surroundings
) -> tuple[float | None, tuple[int, str]]:
    if any(name not in around.env for name in image.needs_env):
        return around.now + _REFUSED_AFTER, (1, "Error")
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    full_after = NEVER if limit is None else _memory_lasts(image, int(parse(limit)))
    after, ends_with = NEVER, (0, "Completed")
    if image.crash_after is not None:
        after = image.crash_after
        ends_with = (image.exit_code, "Error" if image.exit_code else "Completed")
    elif around.should_end:
        after = image.start_seconds
    if full_after <= after and full_after < NEVER:
        after, ends_with = full_after, (137, "OOMKilled")
    return (None if after == NEVER else around.now + after), ends_with


def _memory_lasts(image: Image, limit: int) -> float:
    """Return the seconds from the start until a limit of so many bytes is passed."""
    room = limit / _MEBIBYTE - image.memory_mib
    if room < 0:
        return image.start_seconds
    if not image.leak_mib_per_minute:
        return NEVER
    return max(image.start_seconds, room * 60.0 / image.leak_mib_per_minute)


def _while_running(
    container: Mapping[str, Any], run: ContainerRun, around: Surroundings
) -> float | None:
    assert run.started is not None
    assert run.image is not None
    times = probe_times(container, run.image, run.started)
    ends_at = NEVER if run.ends_at is None else run.ends_at
    if around.now >= min(ends_at, times.killed):
        if times.killed < ends_at:
            _kill_unhealthy(container, run, around, times.killed_by)
        else:
            end(run, around, *run.ends_with)
        return None
    if around.now >= times.unready_told and "Readiness" not in run.told_unhealthy:
        _tell_unhealthy(container, run, around, "Readiness")
    moments = (times.started, times.ready, times.unready_told, times.killed, ends_at)
    return min((moment for moment in moments if moment > around.now), default=NEVER)


def _tell_unhealthy(
    container: Mapping[str, Any], run: ContainerRun, around: Surroundings, which: str
) -> None:
    assert run.started is not None
    assert run.image is not None
    run.told_unhealthy.add(which)
    is_up = around.now >= run.started + run.image.start_seconds
    problem = failure_text(container, which, around.address, is_up=is_up)
    around.tell("Warning", "Unhealthy", f"{which} probe failed: {problem}")


def _kill_unhealthy(
    container: Mapping[str, Any], run: ContainerRun, around: Surroundings, which: str
) -> None:
    _tell_unhealthy(container, run, around, which)
    name = container["name"]
    message = f"Container {name} failed {which.lower()} probe, will be restarted"
    around.tell("Normal", "Killing", message)
    end(run, around, 137, "Error")


# After the end: again, or not.


def _while_ended(
    container: Mapping[str, Any], run: ContainerRun, around: Surroundings
) -> float | None:
    assert run.ended is not None
    if not around.restarts(run.ended.exit_code):
        return NEVER
    if run.reference != container["image"]:
        run.backoff = 0.0  # another definition has its own back-off
    backs_off_at = run.ended.finished + _NOTICED_AFTER
    again_at = run.ended.finished + max(run.backoff, _NOTICED_AFTER)
    if around.now < backs_off_at:
        return backs_off_at
    if around.now < again_at:
        _show_crash_loop(container, run, around)
        return again_at
    run.backoff = min(run.backoff * 2, _LONGEST_BACKOFF) if run.backoff else _FIRST_BACKOFF
    run.last, run.ended, run.is_backing_off = run.ended, None, False
    run.restarts += 1
    run.image = None
    return None


def _show_crash_loop(container: Mapping[str, Any], run: ContainerRun, around: Surroundings) -> None:
    if run.is_backing_off:
        return
    run.is_backing_off = True
    name, pod = container["name"], around.pod[1]
    delay = _go_seconds(run.backoff)
    run.waiting = (
        "CrashLoopBackOff",
        f"back-off {delay} restarting failed container={name} pod={pod}",
    )
    text = f"Back-off restarting failed container {name} in pod {pod}"
    around.tell("Warning", "BackOff", text)


def _go_seconds(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
