"""What every controller of the control plane is made of, and how one is put together.

A controller is told by a `ControllerSpec`: what it watches, and how to make its reconciler out of
a `Context`. `build` puts the loop of `gitops_sim.runtime` around it. A reconciler reads the caches,
which are up to date when it begins, yields a `Step` before each write, and remembers nothing: its
caches, its client and its queue are new after each start.

Source: k8s.io/kubernetes, cmd/kube-controller-manager/app/controllermanager.go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from gitops_sim.journal import Journal
from gitops_sim.protocols import Clock, Cluster
from gitops_sim.runtime import (
    Caches,
    Controller,
    EventRecorder,
    ReconcileFunction,
    Watched,
)
from gitops_sim.types import Manifest, ResourceKey, Result, Step

__all__ = [
    "MANAGER",
    "Context",
    "ControllerSpec",
    "Reconciling",
    "Steps",
    "build",
    "seconds_of",
    "step",
]

MANAGER = "kube-controller-manager"
"""The field manager of everything that the control plane's controllers write."""

WRITE_SECONDS = 0.004
"""How long one write takes a controller: what a small cluster's API server needs for it."""

Reconciling: TypeAlias = Generator[Any, Any, Result | None]
"""A reconcile under way: yields a `Step` before each write."""

Steps: TypeAlias = Generator[Any, Any, None]
"""A part of a reconcile that returns nothing: `yield from` it."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a reconciler works with, from one start of its controller to the next.

    What the caches hand out and what a write by the client returns is shared and read-only.
    """

    client: Cluster
    caches: Caches
    clock: Clock
    events: EventRecorder


@dataclass(frozen=True, slots=True)
class ControllerSpec:
    """One controller of the control plane.

    Attributes:
        name: As the controller manager names it, and facts do: `deployment-controller`.
        watched: What it caches; the first is the kind that its requests name.
        make_reconcile: Makes its reconciler, at each start.
        component: Who its events come from; empty means `name`.
        workers: How many requests it works on at once.
    """

    name: str
    watched: tuple[Watched, ...]
    make_reconcile: Callable[[Context], ReconcileFunction]
    component: str = field(default="", kw_only=True)
    workers: int = field(default=1, kw_only=True)


def build(
    spec: ControllerSpec, clock: Clock, journal: Journal, make_client: Callable[[], Cluster]
) -> Controller:
    """Return the controller that a spec tells, not started yet.

    Args:
        spec: Which.
        clock: Gives it time.
        journal: Is told what it did.
        make_client: A fresh client at each start; its default field manager should be `MANAGER`.
    """

    def make_reconcile(client: Cluster, caches: Caches) -> ReconcileFunction:
        events = EventRecorder(client, spec.component or spec.name, clock)
        return spec.make_reconcile(Context(client, caches, clock, events))

    return Controller(
        spec.name, clock, journal, make_client, make_reconcile, spec.watched, workers=spec.workers
    )


def step(verb: str, manifest: Manifest) -> Step:
    """Return the step that comes before a write: `update Deployment`, about the object."""
    return Step(f"{verb} {manifest['kind']}", WRITE_SECONDS, str(ResourceKey.of(manifest)))


def seconds_of(clock: Clock, timestamp: str) -> float:
    """Return the moment of an RFC 3339 timestamp in seconds since the clock's epoch."""
    epoch = datetime.fromisoformat(clock.timestamp(0.0))
    return (datetime.fromisoformat(timestamp) - epoch).total_seconds()
