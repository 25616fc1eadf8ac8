"""The network of a cluster: endpoints of Services, and what users see through them."""

from gitops_sim.cluster.network.table import NETWORK

__all__ = ["NETWORK"]
