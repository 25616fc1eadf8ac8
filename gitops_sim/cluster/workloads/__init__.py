"""The controllers of workloads: what people declare, turned into pods."""

from collections.abc import Mapping

from gitops_sim.cluster.controlling import ControllerSpec
from gitops_sim.cluster.workloads.deployments import DEPLOYMENTS
from gitops_sim.cluster.workloads.replicasets import REPLICASETS, REPLICATION_CONTROLLERS

__all__ = ["WORKLOADS"]

WORKLOADS: Mapping[str, ControllerSpec] = {
    spec.name: spec for spec in (DEPLOYMENTS, REPLICASETS, REPLICATION_CONTROLLERS)
}
