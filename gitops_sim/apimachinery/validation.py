"""Rules of built-in kinds, with the causes that the server names.

Source: k8s.io/kubernetes, pkg/apis/*/validation.
"""

from __future__ import annotations

from gitops_sim.apimachinery.causes import Cause
from gitops_sim.apimachinery.validation_metadata import metadata_causes
from gitops_sim.types import Manifest

__all__ = ["validate_create", "validate_update"]


def validate_create(manifest: Manifest) -> list[Cause]:
    """Return what is wrong with a new object, defaults filled in."""
    return metadata_causes(manifest)


def validate_update(manifest: Manifest, before: Manifest) -> list[Cause]:
    """Return what is wrong with a changed object, defaults filled in."""
    return metadata_causes(manifest)
