"""The controllers of this folder, by name: what a cluster assembles."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_sim.cluster.controlling import ControllerSpec
from gitops_sim.cluster.workloads.cronjobs import CRONJOBS
from gitops_sim.cluster.workloads.daemonsets import DAEMONSETS
from gitops_sim.cluster.workloads.deployments import DEPLOYMENTS
from gitops_sim.cluster.workloads.jobs import JOBS
from gitops_sim.cluster.workloads.replicasets import REPLICASETS, REPLICATION_CONTROLLERS
from gitops_sim.cluster.workloads.statefulsets import STATEFULSETS

__all__ = ["WORKLOADS"]

_ALL = (DEPLOYMENTS, REPLICASETS, REPLICATION_CONTROLLERS, STATEFULSETS, DAEMONSETS, JOBS, CRONJOBS)

WORKLOADS: Mapping[str, ControllerSpec] = {spec.name: spec for spec in _ALL}
"""Their controllers, by the controller manager's names."""
