"""The command line `gitops-sim`, for terminals, CI and teachers."""

from gitops_sim.cli.main import main

__all__ = ["main"]
