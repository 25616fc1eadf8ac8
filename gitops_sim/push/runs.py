"""Runs of workflows, and what is known of their jobs and steps: read by people and by pictures.

    queued ─▶ in_progress ─▶ success | failure | cancelled       a job may also be skipped

Runs are kept as long as the lab is; running them is the business of `progress` and `runner`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from gitops_sim.push.matrices import Combination
from gitops_sim.push.workflows import JobSpec, Workflow

__all__ = ["ENDED", "JobRun", "LogLine", "Run", "Source", "Status", "StepRun"]

Status: TypeAlias = Literal["queued", "in_progress", "success", "failure", "cancelled", "skipped"]
ENDED = ("success", "failure", "cancelled", "skipped")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log; `time` is RFC 3339."""

    time: str
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a run is about.

    Attributes:
        repository: Its name in the forge.
        event: `push`, `pull_request` or `workflow_dispatch`.
        commit: The commit that is run; of a merge request, the head of its source.
        branch: The branch pushed to, or the source of the merge request.
        target: The target of the merge request; empty for a push.
        number: Of the merge request; 0 for a push.
        actor: Who made it happen.
        action: What happened to the merge request, such as `opened`; empty for a push.
        merged: Whether it was merged then.
        message: Of the commit.
        inputs: What the person who started it by hand said.
    """

    repository: str
    event: str
    commit: str
    branch: str
    target: str = ""
    number: int = 0
    actor: str = ""
    action: str = ""
    merged: bool = False
    message: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """`refs/heads/main`, or `refs/pull/7/merge`."""
        return f"refs/pull/{self.number}/merge" if self.number else f"refs/heads/{self.branch}"

    @property
    def ref_name(self) -> str:
        """`main`, or `7/merge`."""
        return f"{self.number}/merge" if self.number else self.branch


@dataclass(slots=True)
class StepRun:
    """One step of a job; `seconds` is its virtual duration."""

    name: str
    status: Status = "queued"
    seconds: float = 0.0
    lines: list[LogLine] = field(default_factory=list)

    @property
    def output(self) -> str:
        """What it printed, as one text."""
        return "".join(f"{line.text}\n" for line in self.lines)


@dataclass(slots=True, eq=False)
class JobRun:
    """One job, or one combination of a matrix.

    Attributes:
        spec: What it does.
        combination: Its values of the matrix.
        name: As checks and pictures call it.
        status: Where it is.
        runner: Which runner has it; empty before.
        steps: Its steps; before those of the file, `Set up job`.
        outputs: For the jobs that need it.
        message: Why it ended so, when no step says it.
    """

    spec: JobSpec
    combination: Combination
    name: str
    status: Status = "queued"
    runner: str = ""
    steps: list[StepRun] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    message: str = ""

    @property
    def ended(self) -> bool:
        """True when nothing more happens to it."""
        return self.status in ENDED


@dataclass(slots=True, eq=False)
class Run:
    """One run of one workflow.

    Attributes:
        id: Such as `shop/deploy#3`; a second attempt has the same.
        number: Counted for each workflow from 1.
        attempt: From 1; a rerun adds one.
        workflow: Its name; of a file that is broken, its path.
        source: What it is about.
        spec: The workflow; None when the file is broken.
        status: Where it is.
        message: What is wrong with the file, or why the run ended without running.
        jobs: In the order of the file.
        created, started, ended: Virtual seconds; None: not yet.
    """

    id: str
    number: int
    attempt: int
    workflow: str
    source: Source
    spec: Workflow | None
    created: float
    status: Status = "queued"
    message: str = ""
    jobs: list[JobRun] = field(default_factory=list)
    started: float | None = None
    ended: float | None = None

    def __str__(self) -> str:
        about = f"{self.source.event} {self.source.branch} {self.source.commit[:7]}"
        return f"{self.id}: {self.status} ({about})"

    @property
    def agent(self) -> str:
        """How facts name who delivers: `push:shop/deploy`."""
        return f"push:{self.source.repository}/{self.workflow}"

    @property
    def log(self) -> str:
        """All lines with job and step before them, as `gh run view --log` prints them."""
        lines = [f"{self.message}\n"] if self.message else []
        for job in self.jobs:
            for step in job.steps:
                where = f"{job.name}\t{step.name}"
                lines += [f"{where}\t{line.time} {line.text}\n" for line in step.lines]
            if job.message:
                lines.append(f"{job.name}\t\t{job.message}\n")
        return "".join(lines)

    def job(self, name: str) -> JobRun:
        """Return a job by its name; KeyError when there is none."""
        return {job.name: job for job in self.jobs}[name]

    def result(self, job_id: str) -> Status:
        """Return how all jobs of one id went together."""
        found = {job.status for job in self.jobs if job.spec.id == job_id}
        for status in ("failure", "cancelled", "in_progress", "queued", "success"):
            if status in found:
                return status
        return "skipped"

    def needs(self, job: JobRun) -> dict[str, Mapping[str, Any]]:
        """Return the needs context of a job: result and outputs of those before it."""
        return {
            needed: {"result": self.result(needed), "outputs": self._outputs(needed)}
            for needed in job.spec.needs
        }

    def _outputs(self, job_id: str) -> dict[str, str]:
        merged: dict[str, str] = {}
        for job in self.jobs:
            if job.spec.id == job_id:
                merged |= {name: value for name, value in job.outputs.items() if value}
        return merged
