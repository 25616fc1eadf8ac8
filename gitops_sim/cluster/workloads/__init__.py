"""The controllers of workloads: what people declare, turned into pods."""

from gitops_sim.cluster.workloads.table import WORKLOADS

__all__ = ["WORKLOADS"]
