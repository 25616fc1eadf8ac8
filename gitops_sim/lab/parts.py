"""What the parts of one lab share."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_sim.clock import Door, VirtualClock
from gitops_sim.forge import Forge
from gitops_sim.journal import Journal
from gitops_sim.push import Pipelines
from gitops_sim.render import Renderer

__all__ = ["LabParts"]


@dataclass(frozen=True, slots=True)
class LabParts:
    """The one clock, journal, door, forge, set of pipelines and renderer of a lab."""

    clock: VirtualClock
    journal: Journal
    door: Door
    forge: Forge
    pipelines: Pipelines
    renderer: Renderer
