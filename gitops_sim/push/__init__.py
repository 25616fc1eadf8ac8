"""Push delivery: workflows in GitHub Actions' form, runs, and simulated runners."""

from gitops_sim.push.pipelines import Pipelines
from gitops_sim.push.runs import JobRun, LogLine, Run, Source, StepRun
from gitops_sim.push.workflows import Workflow, parse_workflow
from gitops_sim.push.workspace import Workspace

__all__ = [
    "JobRun",
    "LogLine",
    "Pipelines",
    "Run",
    "Source",
    "StepRun",
    "Workflow",
    "Workspace",
    "parse_workflow",
]
