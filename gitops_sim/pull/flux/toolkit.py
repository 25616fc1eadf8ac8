"""What both controllers work with, beyond their client: handed to them at each start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitops_sim.journal import Journal
from gitops_sim.protocols import Clock, Cluster, GitRemote
from gitops_sim.pull.flux.artifacts import ArtifactStorage
from gitops_sim.pull.flux.options import FluxOptions
from gitops_sim.pull.flux.readiness import Readiness
from gitops_sim.pull.flux.status import FluxObject
from gitops_sim.render import Renderer
from gitops_sim.runtime import EventRecorder

__all__ = ["FluxEvents", "Toolkit"]


@dataclass(frozen=True, slots=True)
class Toolkit:
    """The world of the controllers.

    Attributes:
        clock: Virtual time.
        journal: Where facts go.
        cluster: The cluster's name, as facts say it.
        find_remote: The Git repository behind a URL.
        renderer: Builds directories; remembers what it built.
        storage: The volume of source-controller.
        readiness: Looks on after an apply.
        options: Flags.
    """

    clock: Clock
    journal: Journal
    cluster: str
    find_remote: Callable[[str], GitRemote]
    renderer: Renderer
    storage: ArtifactStorage
    readiness: Readiness
    options: FluxOptions


class FluxEvents:
    """Events about Flux's objects, annotated with the revision they are about.

    Args:
        client: Writes them.
        component: The controller.
        group: The API group that prefixes the annotations.
        clock: Gives times.
    """

    def __init__(self, client: Cluster, component: str, group: str, clock: Clock) -> None:
        self._recorder = EventRecorder(client, component, clock)
        self._group = group

    def info(
        self, about: FluxObject, reason: str, message: str, meta: Mapping[str, str] | None = None
    ) -> None:
        """Write a Normal event; `meta` becomes annotations."""
        self._write(about, "Normal", reason, message, meta)

    def error(
        self, about: FluxObject, reason: str, message: str, meta: Mapping[str, str] | None = None
    ) -> None:
        """Write a Warning event."""
        self._write(about, "Warning", reason, message, meta)

    def _write(
        self,
        about: FluxObject,
        kind: str,
        reason: str,
        message: str,
        meta: Mapping[str, str] | None,
    ) -> None:
        annotations = {f"{self._group}/{name}": value for name, value in (meta or {}).items()}
        self._recorder.event(about.manifest, kind, reason, message, annotations=annotations)
