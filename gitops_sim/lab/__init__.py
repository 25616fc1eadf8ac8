"""The lab: one facade over clock, forge, registry, clusters, pipelines and agents.

`Lab(seed=7)`, then `lab.forge`, `lab.cluster("staging")`, `lab.run("5m")`, `lab.compare(staging)`.
"""

from gitops_sim.lab.handle import ClusterHandle, CommandOutput
from gitops_sim.lab.lab import Lab
from gitops_sim.lab.moment import Moment
from gitops_sim.lab.running import Ran

__all__ = ["ClusterHandle", "CommandOutput", "Lab", "Moment", "Ran"]
