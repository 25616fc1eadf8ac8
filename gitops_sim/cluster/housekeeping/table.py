"""The controllers of this folder, by name: what a cluster assembles."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_sim.cluster.controlling import ControllerSpec
from gitops_sim.cluster.housekeeping.autoscaling import autoscaler
from gitops_sim.cluster.housekeeping.disruptions import DISRUPTION_BUDGETS
from gitops_sim.cluster.housekeeping.finished_jobs import TTL_AFTER_FINISHED
from gitops_sim.cluster.housekeeping.garbage import GARBAGE_COLLECTOR
from gitops_sim.cluster.housekeeping.namespaces import NAMESPACES
from gitops_sim.cluster.housekeeping.node_ttl import NODE_TTL
from gitops_sim.cluster.housekeeping.pod_garbage import POD_GARBAGE
from gitops_sim.cluster.housekeeping.policy_status import POLICY_STATUS
from gitops_sim.cluster.housekeeping.quotas import RESOURCE_QUOTAS
from gitops_sim.cluster.housekeeping.role_aggregation import ROLE_AGGREGATION
from gitops_sim.cluster.housekeeping.service_accounts import ROOT_CA, SERVICE_ACCOUNTS
from gitops_sim.cluster.housekeeping.volume_growth import VOLUME_EXPANDER, VOLUME_RESIZER
from gitops_sim.cluster.housekeeping.volume_protection import (
    CLAIM_PROTECTION,
    EPHEMERAL_VOLUMES,
    VOLUME_PROTECTION,
)
from gitops_sim.cluster.housekeeping.volumes import PROVISIONER, VOLUME_BINDER

__all__ = ["HOUSEKEEPING"]

_ALL = (
    SERVICE_ACCOUNTS,
    ROOT_CA,
    NAMESPACES,
    GARBAGE_COLLECTOR,
    RESOURCE_QUOTAS,
    DISRUPTION_BUDGETS,
    autoscaler(),
    TTL_AFTER_FINISHED,
    VOLUME_BINDER,
    VOLUME_EXPANDER,
    PROVISIONER,
    VOLUME_RESIZER,
    CLAIM_PROTECTION,
    VOLUME_PROTECTION,
    EPHEMERAL_VOLUMES,
    POD_GARBAGE,
    ROLE_AGGREGATION,
    NODE_TTL,
    POLICY_STATUS,
)

HOUSEKEEPING: Mapping[str, ControllerSpec] = {spec.name: spec for spec in _ALL}
"""The controllers, by the controller manager's names."""
