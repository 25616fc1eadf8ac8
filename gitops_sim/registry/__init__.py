"""Image registries: names of images, pushes, tags that move, outages."""

from gitops_sim.registry.references import Reference, parse_reference
from gitops_sim.registry.registry import Behaviour, Registry

__all__ = ["Behaviour", "Reference", "Registry", "parse_reference"]
