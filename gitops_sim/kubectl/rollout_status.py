"""`kubectl rollout status`: what an object's status says of its rollout.

Source: k8s.io/kubectl pkg/polymorphichelpers/rollout_status.go.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

from gitops_sim.errors import LabError
from gitops_sim.kubectl.arguments import Arguments
from gitops_sim.kubectl.mapping import Mapped
from gitops_sim.kubectl.session import Session
from gitops_sim.kubectl.waiting import TIMED_OUT, until
from gitops_sim.types import Manifest, WatchEvent

__all__ = ["follow_rollout"]


def follow_rollout(
    session: Session, arguments: Arguments, kind: Mapped, live: Manifest
) -> Generator[Any, Any, bool]:
    """Print how a rollout goes, a line for each change of the object, until it is done.

    Returns:
        True when it is done; False when `--watch=false` looked at one that is not.

    Raises:
        LabError: It failed, the object went away, or `--timeout` was over.
    """
    views = {"Deployment": _deployment, "DaemonSet": _daemon_set, "StatefulSet": _stateful_set}
    if kind.group != "apps" or kind.kind not in views:
        raise LabError(f"no status viewer has been implemented for {kind.singular}")
    seconds = arguments.seconds("timeout", 0.0)
    deadline = session.clock.now() + seconds if seconds > 0 else math.inf
    keep_watching = arguments.on("watch", default=True)
    name, namespace = live["metadata"]["name"], live["metadata"].get("namespace", "")
    finished = False

    def look(event: WatchEvent) -> bool:
        if event.type == "DELETED":
            raise LabError("object has been deleted")
        if event.type == "BOOKMARK":
            return False
        nonlocal finished
        text, finished = views[kind.kind](name, event.object)
        session.say(text)
        return finished or not keep_watching

    if not (yield from until(session, kind, namespace, name, deadline, look)):
        raise LabError(TIMED_OUT)
    return finished


def _numbers(live: Manifest) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """Return spec, status, and whether the controller has seen this generation."""
    status = live.get("status") or {}
    seen = live["metadata"].get("generation", 0) <= status.get("observedGeneration", 0)
    return live.get("spec") or {}, status, seen


def _deployment(name: str, live: Manifest) -> tuple[str, bool]:
    spec, status, seen = _numbers(live)
    waiting = f'Waiting for deployment "{name}" rollout to finish:'
    if not seen:
        return "Waiting for deployment spec update to be observed...", False
    for condition in status.get("conditions") or []:
        late = condition.get("reason") == "ProgressDeadlineExceeded"
        if late and condition.get("type") == "Progressing":
            raise LabError(f'deployment "{name}" exceeded its progress deadline')
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    total, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    if updated < wanted:
        text = f"{updated} out of {wanted} new replicas have been updated..."
        return f"{waiting} {text}", False
    if total > updated:
        return f"{waiting} {total - updated} old replicas are pending termination...", False
    if available < updated:
        text = f"{available} of {updated} updated replicas are available..."
        return f"{waiting} {text}", False
    return f'deployment "{name}" successfully rolled out', True


def _daemon_set(name: str, live: Manifest) -> tuple[str, bool]:
    spec, status, seen = _numbers(live)
    waiting = f'Waiting for daemon set "{name}" rollout to finish:'
    _want_rolling_update(spec)
    if not seen:
        return "Waiting for daemon set spec update to be observed...", False
    wanted = status.get("desiredNumberScheduled", 0)
    updated = status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    if updated < wanted:
        return f"{waiting} {updated} out of {wanted} new pods have been updated...", False
    if available < wanted:
        return f"{waiting} {available} of {wanted} updated pods are available...", False
    return f'daemon set "{name}" successfully rolled out', True


def _stateful_set(name: str, live: Manifest) -> tuple[str, bool]:
    del name  # kubectl does not print it
    spec, status, seen = _numbers(live)
    _want_rolling_update(spec)
    if not seen or not status.get("observedGeneration"):
        return "Waiting for statefulset spec update to be observed...", False
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    updated = status.get("updatedReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...", False
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate")
    if rolling is not None:
        left = wanted - rolling.get("partition", 0)
        if updated < left:
            text = f"{updated} out of {left} new pods have been updated..."
            return f"Waiting for partitioned roll out to finish: {text}", False
        return f"partitioned roll out complete: {updated} new pods have been updated...", True
    revision, current = status.get("updateRevision", ""), status.get("currentRevision", "")
    if revision != current:
        text = f"{updated} pods at revision {revision}..."
        return f"waiting for statefulset rolling update to complete {text}", False
    text = f"{status.get('currentReplicas', 0)} pods at revision {current}..."
    return f"statefulset rolling update complete {text}", True


def _want_rolling_update(spec: dict[str, Any]) -> None:
    if (spec.get("updateStrategy") or {}).get("type", "RollingUpdate") != "RollingUpdate":
        raise LabError("rollout status is only available for RollingUpdate strategy type")
