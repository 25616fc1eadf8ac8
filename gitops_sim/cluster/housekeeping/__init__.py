"""The controllers that keep a cluster in order: namespaces, garbage, volumes, accounts, quotas."""

from gitops_sim.cluster.housekeeping.autoscaling import MetricSource, autoscaler
from gitops_sim.cluster.housekeeping.table import HOUSEKEEPING
from gitops_sim.cluster.housekeeping.volume_growth import VOLUME_RESIZER
from gitops_sim.cluster.housekeeping.volumes import PROVISIONER, STANDARD_CLASS

__all__ = [
    "HOUSEKEEPING",
    "PROVISIONER",
    "STANDARD_CLASS",
    "VOLUME_RESIZER",
    "MetricSource",
    "autoscaler",
]
