"""Kustomizations built in process: the same bytes as kubectl's, without its process."""

from gitops_sim.render.inprocess.building import build_in_process
from gitops_sim.render.inprocess.items import NotInProcessError
from gitops_sim.render.inprocess.scalars import PlainFiles

__all__ = ["NotInProcessError", "PlainFiles", "build_in_process"]
