"""One run from its jobs' point of view: who may start, who is skipped, when all is over.

After each job that ends, the others are looked at again: a job whose needs have all ended is
skipped, or waits for a runner. Each job is a check of the commit: pending, then success or failure.

Source: GitHub Actions, "Using conditions to control job execution".
Differs: a check is named after workflow and job in every place, as GitHub's pages show it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from gitops_sim.journal.facts import PipelineDone, PipelineStarted
from gitops_sim.push.contexts import contexts_of
from gitops_sim.push.expression_values import ExpressionError
from gitops_sim.push.matrices import Combination, suffix
from gitops_sim.push.pool import RunnerPool, Waiting
from gitops_sim.push.runner import JobWork
from gitops_sim.push.runs import JobRun, Run, Status
from gitops_sim.push.surroundings import Access, Deliveries, Surroundings
from gitops_sim.push.workflows import JobSpec

__all__ = ["RunProgress"]

DESCRIPTIONS: dict[Status, tuple[Literal["success", "failure"], str]] = {
    "success": ("success", "Successful"),
    "failure": ("failure", "Failing"),
    "cancelled": ("failure", "Cancelled"),
    "skipped": ("success", "Skipped"),
}
"""How a job's end is reported: a job that was skipped does not stand in the way, as on GitHub."""


class RunProgress:
    """Brings one run to its end.

    Args:
        run: Its jobs are made here.
        surroundings: The lab.
        pool: Where jobs wait for runners.
        ended: Called once, when the run has ended.
    """

    def __init__(
        self,
        run: Run,
        surroundings: Surroundings,
        pool: RunnerPool,
        ended: Callable[[RunProgress], None],
    ) -> None:
        self.run = run
        self._lab = surroundings
        self._pool = pool
        self._ended = ended
        self._deliveries = Deliveries(run, surroundings.journal)
        self._waiting: dict[JobRun, Waiting] = {}
        self._working: dict[JobRun, JobWork] = {}
        for spec in run.spec.jobs if run.spec else ():
            run.jobs += [
                JobRun(spec, combination, self._name(spec, combination))
                for combination in spec.matrix.combinations
            ]

    def _name(self, spec: JobSpec, combination: Combination) -> str:
        """Return a job's name, with its values of the matrix if it does not name them itself."""
        try:
            name = spec.label.text(contexts_of(self.run, JobRun(spec, combination, ""), Access()))
        except ExpressionError:
            name = spec.id
        told = any("matrix" in expression.source for expression in spec.label.expressions)
        return name if told else f"{name}{suffix(combination)}"

    def begin(self) -> None:
        """Report all checks as pending, and let the first jobs wait for runners."""
        for job in self.run.jobs:
            self._report(job, "pending", "Queued")
        self._advance()

    def cancel(self, message: str) -> None:
        """Stop every job at once."""
        self._stop([job for job in self.run.jobs if not job.ended], message)
        self._advance()

    def lose(self, runner: str) -> bool:
        """Let the job on a runner die with it; False when this run has none there."""
        for work in list(self._working.values()):
            if work.job.runner == runner:
                message = f"The runner {runner} lost communication with the server."
                work.stop("failure", message)
                return True
        return False

    def _advance(self) -> None:
        """Look at all jobs that have not begun, until nothing more follows."""
        changed = True
        while changed:
            changed = False
            for job in self.run.jobs:
                if self._is_new(job) and self._may_start(job):
                    changed = not self._start_or_skip(job) or changed
        if self.run.ended is None and all(job.ended for job in self.run.jobs):
            self._finish()

    def _may_start(self, job: JobRun) -> bool:
        """Return whether all needs have ended and the matrix lets one more run."""
        needed = [other for other in self.run.jobs if other.spec.id in job.spec.needs]
        limit = job.spec.matrix.max_parallel
        begun = [
            other
            for other in self.run.jobs
            if other.spec is job.spec and not other.ended and not self._is_new(other)
        ]
        return all(other.ended for other in needed) and not (limit and len(begun) >= limit)

    def _is_new(self, job: JobRun) -> bool:
        """Return whether a job has neither ended nor been put into the queue."""
        return not job.ended and job not in self._waiting and job not in self._working

    def _start_or_skip(self, job: JobRun) -> bool:
        """Let a job wait for a runner and return True, or skip it."""
        access = self._lab.access.get(self.run.source.repository, Access())
        status = self._status_before(job)
        wanted = status == "success"
        if job.spec.condition is not None:
            contexts = contexts_of(self.run, job, access)
            try:
                wanted = job.spec.condition.holds(contexts, status)
            except ExpressionError as wrong:
                job.message = f"Error: {wrong}"
                self._end(job, "failure")
                return False
        if not wanted:
            self._end(job, "skipped")
            return False
        work = JobWork(self._lab, self.run, job, self._deliveries, self._job_ended)

        def start(runner: str) -> None:
            self._waiting.pop(job, None)
            self._working[job] = work
            self._begin_run()
            self._report(job, "pending", "In progress")
            work.start(runner)

        self._waiting[job] = Waiting(start)
        self._pool.submit(self._waiting[job])
        return True

    def _status_before(self, job: JobRun) -> Status:
        """Return how the jobs before a job went: what its status functions go by."""
        direct = {self.run.result(needed) for needed in job.spec.needs}
        every = {self.run.result(needed) for needed in self._ancestors(job.spec)}
        for status in ("failure", "cancelled"):
            if status in every:
                return status
        return "skipped" if "skipped" in direct else "success"

    def _ancestors(self, spec: JobSpec) -> set[str]:
        by_id = {job.spec.id: job.spec for job in self.run.jobs}
        found: set[str] = set()
        pending = list(spec.needs)
        while pending:
            needed = pending.pop()
            if needed not in found:
                found.add(needed)
                pending += by_id[needed].needs
        return found

    def _begin_run(self) -> None:
        if self.run.started is not None:
            return
        self.run.started, self.run.status = self._lab.clock.now(), "in_progress"
        source = self.run.source
        self._lab.journal.record(
            PipelineStarted(
                source.repository, source.commit, self.run.workflow, source.event, self.run.id
            )
        )

    def _job_ended(self, work: JobWork) -> None:
        """Give the runner back, and see what follows."""
        self._working.pop(work.job, None)
        self._end(work.job, work.job.status)
        matrix = work.job.spec.matrix
        if work.job.status == "failure" and matrix.fail_fast:
            siblings = [job for job in self.run.jobs if job.spec is work.job.spec]
            self._stop([job for job in siblings if not job.ended], "Another job has failed.")
        self._advance()
        self._pool.release(work.job.runner)

    def _end(self, job: JobRun, status: Status) -> None:
        if status == "failure" and job.spec.continue_on_error:
            job.message = job.message or "The job failed; the run goes on."
            status = "success"
        job.status = status
        self._report(job, *DESCRIPTIONS[status])

    def _stop(self, jobs: list[JobRun], message: str) -> None:
        """Cancel jobs, those that wait first, so that none of them gets a runner."""
        for job in jobs:
            waiting = self._waiting.pop(job, None)
            if waiting is not None:
                self._pool.withdraw(waiting)
            if job not in self._working:
                job.message = message
                self._end(job, "cancelled")
        for job in jobs:
            if job in self._working:
                self._working[job].stop("cancelled", message)

    def _finish(self) -> None:
        statuses = {job.status for job in self.run.jobs}
        ends: tuple[Status, ...] = ("failure", "cancelled")
        self.run.status = next((end for end in ends if end in statuses), "success")
        self.run.ended = self._lab.clock.now()
        source = self.run.source
        self._lab.journal.record(
            PipelineDone(self.run.id, source.repository, source.commit, self.run.status)
        )
        self._ended(self)

    def _report(
        self, job: JobRun, status: Literal["pending", "success", "failure"], text: str
    ) -> None:
        source = self.run.source
        repository = self._lab.forge.repository(source.repository)
        repository.report_check(source.commit, f"{self.run.workflow} / {job.name}", status, text)
