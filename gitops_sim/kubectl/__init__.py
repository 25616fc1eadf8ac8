"""kubectl's commands in process: `KubectlCommand(cluster, …).run(["apply", "-k", "."])`."""

from gitops_sim.kubectl.command import COMMANDS, CommandResult, KubectlCommand
from gitops_sim.kubectl.session import log_reader

__all__ = ["COMMANDS", "CommandResult", "KubectlCommand", "log_reader"]
