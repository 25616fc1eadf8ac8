"""Probes as arithmetic: when a container is started, ready, or killed by them.

An image says how long after its start it would pass its probes; from there on it passes all, before
it fails all. So every moment follows from the start of the run, and nothing is probed again and
again.

Source: k8s.io/kubernetes, pkg/kubelet/prober/worker.go.
Differs: there is no jitter of the first probe, and timeoutSeconds plays no part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_sim.types import Image

__all__ = ["ProbeTimes", "failure_text", "probe_times"]

NEVER = math.inf


@dataclass(frozen=True, slots=True)
class ProbeTimes:
    """Moments of one run of a container, in seconds since the epoch; infinity: never.

    Attributes:
        started: When it counts as started (its startup probe passes).
        ready: When it counts as ready.
        unready_told: When its readiness probe first fails.
        killed: When its startup or liveness probe has failed too often.
        killed_by: `Startup` or `Liveness`.
    """

    started: float
    ready: float
    unready_told: float
    killed: float
    killed_by: str


def probe_times(container: Mapping[str, Any], image: Image, began: float) -> ProbeTimes:
    """Return the moments of a run that began at `began`."""
    up = began + image.start_seconds if image.ready else NEVER
    startup = container.get("startupProbe")
    started, killed, killed_by = began, NEVER, ""
    if startup:
        started = _passes(startup, began, up)
        limit = _fails_for_good(startup, began, up)
        if limit < started:
            started, killed, killed_by = NEVER, limit, "Startup"
    readiness = container.get("readinessProbe")
    ready, unready_told = started, NEVER
    if readiness and started < NEVER:
        ready = _passes(readiness, started, up)
        first = started + _of(readiness, "initialDelaySeconds", 0)
        unready_told = first if first < up else NEVER
    liveness = container.get("livenessProbe")
    if liveness and started < NEVER:
        limit = _fails_for_good(liveness, started, up)
        if limit < killed:
            killed, killed_by = limit, "Liveness"
    return ProbeTimes(started, ready, unready_told, killed, killed_by)


def failure_text(container: Mapping[str, Any], which: str, address: str, *, is_up: bool) -> str:
    """Return what a failing probe reports.

    Args:
        container: Its spec, with that probe; a port's name becomes its number.
        which: `Startup`, `Readiness` or `Liveness`.
        address: Of the pod.
        is_up: True when something answers, but not as it should.
    """
    probe = container[f"{which.lower()}Probe"]
    get, socket = probe.get("httpGet"), probe.get("tcpSocket")
    if get is not None and is_up:
        return "HTTP probe failed with statuscode: 503"
    numbers = {port.get("name"): port["containerPort"] for port in container.get("ports") or ()}
    named = (get or socket or probe.get("grpc") or {}).get("port", 80)
    port = numbers.get(named, named)
    refused = f"dial tcp {address}:{port}: connect: connection refused"
    if get is not None:
        scheme = str(get.get("scheme", "HTTP")).lower()
        return f'Get "{scheme}://{address}:{port}{get.get("path", "/")}": {refused}'
    if probe.get("exec") is not None:
        return "command exited with code 1"
    return refused


def _of(probe: Mapping[str, Any], field: str, default: int) -> float:
    return float(probe.get(field) or default)


def _passes(probe: Mapping[str, Any], base: float, up: float) -> float:
    """Return when a probe has passed often enough."""
    if up == NEVER:
        return NEVER
    first, period = base + _of(probe, "initialDelaySeconds", 0), _of(probe, "periodSeconds", 10)
    # Moments are sums of seconds as floats: a probe due when the app comes up passes.
    waits = max(0, math.ceil((up - first) / period - 1e-9))
    return first + (waits + _of(probe, "successThreshold", 1) - 1) * period


def _fails_for_good(probe: Mapping[str, Any], base: float, up: float) -> float:
    """Return when a probe has failed `failureThreshold` times in a row; infinity: it does not."""
    first, period = base + _of(probe, "initialDelaySeconds", 0), _of(probe, "periodSeconds", 10)
    last = first + (_of(probe, "failureThreshold", 3) - 1) * period
    return last if last < up - 1e-9 else NEVER
