"""A simulated Kubernetes cluster: kinds that live, nodes, traffic."""

from gitops_sim.cluster.simulated import SimulatedCluster

__all__ = ["SimulatedCluster"]
