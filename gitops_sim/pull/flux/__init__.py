"""Flux: GitRepository and Kustomization, source-controller and kustomize-controller."""

from gitops_sim.pull.flux.facade import Flux
from gitops_sim.pull.flux.install import Host, install
from gitops_sim.pull.flux.options import FluxOptions

__all__ = ["Flux", "FluxOptions", "Host", "install"]
