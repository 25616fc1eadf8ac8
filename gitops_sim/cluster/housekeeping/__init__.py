"""The controllers that keep a cluster in order: namespaces, garbage, volumes, accounts, quotas."""

from collections.abc import Mapping

from gitops_sim.cluster.controlling import ControllerSpec

__all__ = ["HOUSEKEEPING"]

HOUSEKEEPING: Mapping[str, ControllerSpec] = {}
