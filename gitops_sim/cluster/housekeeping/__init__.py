"""The controllers that keep a cluster in order: namespaces, garbage, volumes, accounts, quotas."""

from collections.abc import Mapping

from gitops_sim.cluster.controlling import ControllerSpec
from gitops_sim.cluster.housekeeping.garbage import GARBAGE_COLLECTOR
from gitops_sim.cluster.housekeeping.namespaces import NAMESPACES

__all__ = ["HOUSEKEEPING"]

HOUSEKEEPING: Mapping[str, ControllerSpec] = {
    spec.name: spec for spec in (NAMESPACES, GARBAGE_COLLECTOR)
}
