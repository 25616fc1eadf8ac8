"""What containers have printed.

Source: k8s.io/kubernetes, pkg/registry/core/pod/strategy.go (LogLocation), pkg/kubelet.
Differs: a container prints the lines of its image when it starts, and why it ended; the log of a
run that is neither the present one nor the one before is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.errors import BadRequestError
from gitops_sim.types import Image, Manifest

__all__ = ["pod_log"]


def pod_log(
    pod: Manifest, machines: Machines, *, container: str = "", previous: bool = False
) -> str:
    """Return the log of a container as text; each line ends with a newline.

    Raises:
        BadRequestError: It has not started, or there is no such container; the server's words.
    """
    name = pod["metadata"]["name"]
    spec = _container(pod, container)
    status = _status(pod, spec["name"])
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    if previous:
        if last is None:
            raise BadRequestError(
                f'previous terminated container "{spec["name"]}" in pod "{name}" not found'
            )
        run = last
    elif ("waiting" in state and last is None) or not state:
        reason = (state.get("waiting") or {}).get("reason", "ContainerCreating")
        raise BadRequestError(_not_started(spec["name"], name, reason))
    else:
        run = state.get("terminated") or state.get("running") or last or {}
    machine = machines.get(pod["spec"].get("nodeName", ""))
    image = None if machine is None else machine.images.get(spec["image"])
    return "".join(f"{line}\n" for line in _lines(image, run))


def _container(pod: Manifest, name: str) -> Mapping[str, Any]:
    groups = ("containers", "initContainers", "ephemeralContainers")
    containers = [found for group in groups for found in pod["spec"].get(group) or ()]
    if not name:
        first: Mapping[str, Any] = containers[0]
        return first
    for container in containers:
        if container["name"] == name:
            found: Mapping[str, Any] = container
            return found
    raise BadRequestError(f"container {name} is not valid for pod {pod['metadata']['name']}")


def _status(pod: Manifest, name: str) -> Mapping[str, Any]:
    status = pod.get("status") or {}
    for group in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(group) or ():
            if entry["name"] == name:
                found: Mapping[str, Any] = entry
                return found
    return {}


def _not_started(container: str, pod: str, reason: str) -> str:
    told = f'container "{container}" in pod "{pod}" is waiting to start'
    if reason in ("ErrImagePull", "ImagePullBackOff"):
        return f"{told}: trying and failing to pull image"
    return f"{told}: {reason}"


def _lines(image: Image | None, run: Mapping[str, Any]) -> list[str]:
    lines = list(image.log) if image is not None else []
    code = run.get("exitCode")
    if code is None or not code or image is None:
        return lines
    if image.needs_env and code == 1:
        lines += [f"error: environment variable {name} is not set" for name in image.needs_env]
    return lines
