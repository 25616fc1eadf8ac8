"""The controllers of this folder, by name: what a cluster assembles."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_sim.cluster.controlling import ControllerSpec
from gitops_sim.cluster.network.endpoint_slices import ENDPOINT_SLICES
from gitops_sim.cluster.network.endpoints import ENDPOINTS
from gitops_sim.cluster.network.mirrored_slices import MIRRORED_SLICES

__all__ = ["NETWORK"]

NETWORK: Mapping[str, ControllerSpec] = {
    spec.name: spec for spec in (ENDPOINTS, ENDPOINT_SLICES, MIRRORED_SLICES)
}
