"""One job on its runner: set up, then step by step, until it ends, is cancelled or its runner dies.

Each step is a job of the clock of its own, so that a time limit or a crash can stop it between two
requests: what it had done to a cluster by then stays done, and nothing is cleaned up.

Differs: how long it takes until a runner is there, to set up and to check out is drawn from the
ranges below, which are assumptions; a cancelled job runs no more steps, not even `if: always()`;
a dead runner is noticed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_sim.errors import GitError, InputError
from gitops_sim.journal.facts import PipelineStepDone
from gitops_sim.protocols import Job, JobHandle, Signal
from gitops_sim.push.contexts import (
    FILES,
    contexts_of,
    evaluated,
    parse_file_command,
    variables_of,
    workspace_root,
)
from gitops_sim.push.expression_values import ExpressionError
from gitops_sim.push.job_commands import JobCommands
from gitops_sim.push.masking import Mask
from gitops_sim.push.runs import JobRun, LogLine, Run, Status, StepRun
from gitops_sim.push.shell import Shell
from gitops_sim.push.shell_streams import Running, Streams
from gitops_sim.push.surroundings import Access, Deliveries, Surroundings
from gitops_sim.push.tools import TOOLS
from gitops_sim.push.workflows import SHELLS, StepSpec
from gitops_sim.push.workspace import Workspace
from gitops_sim.types import Step

__all__ = ["JobWork"]

COMES_ONLINE = (1.0, 4.0)
"""Seconds until a free runner has taken a job."""
SETS_UP = (2.0, 6.0)
"""Seconds of `Set up job`."""
CHECKS_OUT = (1.0, 3.0)
"""Seconds of a checkout."""
STREAM = "push/runners"


@dataclass(slots=True)
class _Outcome:
    """How a step went; `code` is None until it has ended."""

    code: int | None = None


class JobWork:
    """Runs one job.

    Args:
        surroundings: The lab.
        run: The run it belongs to.
        job: What is run; its status, steps and outputs are kept up to date.
        deliveries: Told what reaches clusters.
        ended: Called once, when the job has ended, whatever the way.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        run: Run,
        job: JobRun,
        deliveries: Deliveries,
        ended: Callable[[JobWork], None],
    ) -> None:
        self.run = run
        self.job = job
        self._lab = surroundings
        self._deliveries = deliveries
        self._ended = ended
        self._access = surroundings.access.get(run.source.repository, Access())
        self._mask = Mask(self._access.secrets.values())
        self._workspace = Workspace(workspace_root(run.source.repository))
        self._commands = JobCommands(
            surroundings.clock,
            surroundings.renderer,
            self._workspace,
            self._access.clusters,
            deliveries.told,
            branch=run.source.branch,
        )
        self._contexts: dict[str, Any] = {}
        self._variables: dict[str, str] = {}
        self._status: Status = "success"
        self._deadline = 0.0
        self._handles: list[JobHandle] = []

    def start(self, runner: str) -> None:
        """Begin on a runner."""
        self.job.runner, self.job.status = runner, "in_progress"
        self._spawn(self._work(), self.job.name)

    def stop(self, status: Status, message: str) -> None:
        """End at once, in the middle of whatever it does; nothing if it has ended."""
        if self.job.ended:
            return
        for handle in self._handles:
            handle.kill()
        for step in self.job.steps:
            if step.status == "in_progress":
                step.status = status
                self._say(step, f"Error: {message}")
                self._record(step)
            elif step.status == "queued":
                step.status = "skipped"
        self.job.message = message
        self._end(status)

    def _end(self, status: Status) -> None:
        self.job.status = status
        self._ended(self)

    def _spawn(self, work: Job, name: str) -> JobHandle:
        handle = self._lab.clock.spawn(f"{self.run.id} {name}", work)
        self._handles = [*(other for other in self._handles if other.alive), handle]
        return handle

    def _draw(self, seconds: tuple[float, float]) -> float:
        return round(self._lab.clock.random(STREAM).uniform(*seconds), 3)

    def _work(self) -> Job:
        """Do the whole job."""
        clock, spec = self._lab.clock, self.job.spec
        self._deadline = clock.now() + spec.timeout_minutes * 60.0
        yield Step("wait for runner", self._draw(COMES_ONLINE), self.job.name)
        set_up = StepRun("Set up job")
        self.job.steps = [set_up, *(StepRun("") for _ in spec.steps)]
        yield from self._bounded(set_up, self._set_up(set_up), None)
        for step, one in zip(spec.steps, self.job.steps[1:], strict=True):
            yield from self._step(step, one)
        self._finish()
        return None

    def _set_up(self, step: StepRun) -> Running:
        """Evaluate what is known before the first step."""
        yield Step("set up job", self._draw(SETS_UP), self.job.name)
        self._say(step, f"Current runner: {self.job.runner}")
        contexts = contexts_of(self.run, self.job, self._access)
        workflow = self.run.spec
        try:
            contexts["env"] = evaluated(workflow.env if workflow else {}, contexts)
            contexts["env"] |= evaluated(self.job.spec.env, contexts)
            for spec, one in zip(self.job.spec.steps, self.job.steps[1:], strict=True):
                one.name = self._label(spec, contexts)
        except ExpressionError as wrong:
            self._say(step, f"Error: {wrong}")
            return 1
        self._contexts, self._variables = contexts, variables_of(contexts)
        return 0

    def _step(self, spec: StepSpec, step: StepRun) -> Job:
        """Run one step, unless its condition is against it."""
        contexts = self._contexts | {"job": {"status": self._status}}
        try:
            contexts["env"] = contexts.get("env", {}) | evaluated(spec.env, contexts)
            wanted = self._status == "success"
            if spec.condition is not None and self._contexts:
                wanted = spec.condition.holds(contexts, self._status)
            if not wanted or self._late():
                step.status = "skipped"
                self._keep(spec, step, {})
                return None
            step.name = self._label(spec, contexts)
        except ExpressionError as wrong:
            self._say(step, f"Error: {self._place(spec)}: {wrong}")
            step.status = "failure"
            self._record(step)
            self._keep(spec, step, {})
            return None
        body = (
            self._script(spec, step, contexts) if spec.run else self._action(spec, step, contexts)
        )
        yield from self._bounded(step, body, spec.timeout_minutes)
        self._keep(spec, step, self._after(step))
        return None

    def _label(self, spec: StepSpec, contexts: Mapping[str, Any]) -> str:
        """Return the name of a step; one that cannot be evaluated stays as it was written."""
        try:
            return self._mask.applied(spec.label.text(contexts))
        except ExpressionError:
            return spec.label.source

    def _late(self) -> bool:
        return self._lab.clock.now() >= self._deadline

    def _place(self, spec: StepSpec) -> str:
        return f"{self.run.spec.file if self.run.spec else ''}:{spec.line}"

    def _bounded(self, step: StepRun, body: Running, minutes: float | None) -> Job:
        """Let a step run until it ends or its time, or the job's, is over."""
        clock = self._lab.clock
        began, signal, outcome = clock.now(), clock.signal(), _Outcome()
        step.status = "in_progress"
        handle = self._spawn(_watched(body, outcome, signal), f"{self.job.name} {step.name}")
        deadline = self._deadline if minutes is None else began + minutes * 60.0
        while outcome.code is None and (left := min(deadline, self._deadline) - clock.now()) > 0:
            yield signal.wait(left)
        step.seconds = round(clock.now() - began, 6)
        step.status = "success" if outcome.code == 0 else "failure"
        if outcome.code is None:
            handle.kill()
            self._say(step, f"Error: {self._timed_out(step, minutes)}")
        elif outcome.code:
            self._say(step, f"Error: Process completed with exit code {outcome.code}.")
        self._record(step)
        if step.status == "failure" and step is self.job.steps[0]:
            self._status = "failure"
        return None

    def _timed_out(self, step: StepRun, minutes: float | None) -> str:
        if self._late():
            self._status = "failure"
            limit = f"{self.job.spec.timeout_minutes:g}m0s"
            return f"The job has exceeded the maximum execution time of {limit}"
        return f"The action '{step.name}' has timed out after {minutes:g} minutes."

    def _script(self, spec: StepSpec, step: StepRun, contexts: Mapping[str, Any]) -> Running:
        """Run a `run:` in the shell."""
        job = self.job.spec
        try:
            script = spec.run.text(contexts) if spec.run else ""
            where = spec.working_directory or job.working_directory
            folder = where.text(contexts) if where else ""
        except ExpressionError as wrong:
            self._say(step, f"Error: {self._place(spec)}: {wrong}")
            return 1
        directory = self._workspace.resolve("", folder)
        if directory is None or not self._workspace.is_directory(directory):
            text = f"No such file or directory: working directory {folder!r}"
            self._say(step, f"Error: {text}; check out the repository first, or mend the path")
            return 1
        out = _Lines(self, step)
        shell = Shell(
            self._workspace,
            {**TOOLS, **self._commands.tools()},
            self._commands.jobs(),
            {**self._variables, **contexts["env"]},
            directory=directory,
            options=SHELLS[spec.shell or job.shell],
        )
        for path in FILES.values():
            self._workspace.write(path, b"")
        status = yield from shell.run(script, Streams("", out.write, out.write))
        out.end()
        return status

    def _action(self, spec: StepSpec, step: StepRun, contexts: Mapping[str, Any]) -> Running:
        """Do what a `uses:` does."""
        if spec.uses != "actions/checkout":
            return 0
        source = self.run.source
        yield Step("checkout", self._draw(CHECKS_OUT), source.repository)
        try:
            ref = spec.ref.text(contexts) if spec.ref else ""
            remote = self._lab.forge.remote(self._lab.forge.url(source.repository))
            commit = _found(remote.refs(), ref) if ref else source.commit
            self._workspace.check_out(remote.tree(commit))
        except (GitError, ExpressionError) as wrong:
            self._say(step, f"Error: {wrong}")
            return 128
        self._commands.commit = self._lab.forge.repository(source.repository).info(commit)
        self._commands.branch = ref or source.branch
        self._say(step, f"HEAD is now at {commit[:7]}")
        return 0

    def _after(self, step: StepRun) -> dict[str, str]:
        """Take over what a step wrote for those after it; return its outputs."""
        try:
            if self._workspace.exists(FILES["GITHUB_ENV"]):
                self._contexts["env"] |= self._written("GITHUB_ENV")
            if self._workspace.exists(FILES["GITHUB_OUTPUT"]):
                return self._written("GITHUB_OUTPUT")
        except (ValueError, InputError) as wrong:
            self._say(step, f"Error: Unable to process file command: {wrong}")
            step.status = "failure"
        return {}

    def _written(self, name: str) -> dict[str, str]:
        return parse_file_command(self._workspace.read(FILES[name]).decode(errors="replace"))

    def _keep(self, spec: StepSpec, step: StepRun, outputs: Mapping[str, str]) -> None:
        """Remember how a step went, for the steps context and for the job."""
        conclusion = "success" if spec.continue_on_error and step.status == "failure" else ""
        if spec.id and self._contexts:
            told = {"conclusion": conclusion or step.status, "outcome": step.status}
            self._contexts["steps"][spec.id] = {"outputs": dict(outputs), **told}
        if step.status == "failure" and not conclusion:
            self._status = "failure"

    def _finish(self) -> None:
        """End the job: outputs, and what is ready now."""
        try:
            if self._contexts:
                self.job.outputs = evaluated(self.job.spec.outputs, self._contexts)
        except ExpressionError as wrong:
            self.job.message = f"Error: {wrong}"
            self._status = "failure"
        if self._status == "success":
            self._deliveries.job_succeeded()
        self._end(self._status)

    def _say(self, step: StepRun, text: str) -> None:
        now = self._lab.clock.timestamp()
        for line in self._mask.applied(text).split("\n"):
            step.lines.append(LogLine(now, line))

    def take_line(self, step: StepRun, line: str) -> None:
        """Put a line of a script into the log; `::add-mask::` hides a value from now on."""
        if line.startswith("::add-mask::"):
            self._mask.add(line.removeprefix("::add-mask::"))
            line = "::add-mask::***"
        self._say(step, line)

    def _record(self, step: StepRun) -> None:
        self._lab.journal.record(
            PipelineStepDone(
                self.run.id, self.job.name, step.name, step.status, step.output, step.seconds
            )
        )


def _found(refs: Mapping[str, str], ref: str) -> str:
    """Return the commit that a branch, a tag or a full name means; a commit is itself."""
    for name in (ref, f"refs/heads/{ref}", f"refs/tags/{ref}"):
        if name in refs:
            return refs[name]
    if len(ref) == 40 and set(ref) <= set("0123456789abcdef"):
        return ref
    raise GitError(f"A branch or tag with the name '{ref}' could not be found")


class _Lines:
    """Makes lines of what a script writes piece by piece."""

    def __init__(self, work: JobWork, step: StepRun) -> None:
        self._work, self._step, self._rest = work, step, ""

    def write(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._work.take_line(self._step, line)

    def end(self) -> None:
        if self._rest:
            self.write("\n")


def _watched(body: Running, outcome: _Outcome, signal: Signal) -> Job:
    """Run a body, and wake whoever waits for its exit status."""
    outcome.code = yield from body
    signal.set()
    return None
