"""The HTTPS skin: real clients reach a lab's clusters and its Git; it has no rules of its own."""

from gitops_sim.server.front import Front
from gitops_sim.server.kubeconfig import early_readers, idle_kubeconfig, is_ours
from gitops_sim.server.server import Served, ServeOptions, Server
from gitops_sim.server.standalone import StandaloneCluster, StandaloneOptions

__all__ = [
    "Front",
    "ServeOptions",
    "Served",
    "Server",
    "StandaloneCluster",
    "StandaloneOptions",
    "early_readers",
    "idle_kubeconfig",
    "is_ours",
]
