"""kubectl's commands in process: `KubectlCommand(cluster, …).run(["apply", "-k", "."])`."""

from gitops_sim.kubectl.command import COMMANDS, CommandResult, KubectlCommand

__all__ = ["COMMANDS", "CommandResult", "KubectlCommand"]
